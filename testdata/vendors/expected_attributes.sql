-- The results of vwo_attributes.yaml. The plan of a person is that of their number,
-- and of every fifth, from the second one on, it is not known.
WITH numbered AS (
	SELECT *, split_part(person, '-', 2)::BIGINT - 1 AS n FROM read_csv('story/impressions.csv', all_varchar = true)
), seen AS (
	SELECT person, CASE WHEN n % 5 = 1 THEN '(none)' WHEN n % 3 = 2 THEN 'pro' ELSE 'free' END AS plan,
		min(variation) AS variation, min(ts) AS ts
	FROM numbered GROUP BY person, n HAVING count(DISTINCT variation) = 1
), parts AS (
	SELECT *, 'all' AS part FROM seen UNION ALL SELECT *, plan FROM seen
)
SELECT p.part, p.variation, count(DISTINCT p.person) AS units,
	(coalesce(sum(e.cents::BIGINT), 0) / 100)::DECIMAL(9,2) AS revenue
FROM parts AS p LEFT JOIN read_csv('story/events.csv', all_varchar = true) AS e ON e.person = p.person AND e.event = 'purchase' AND e.ts >= p.ts
GROUP BY ALL ORDER BY part, variation DESC
