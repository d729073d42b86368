-- The results of vwo_shop.yaml. An order with a user is that user's; any other
-- is of whom its cookie is of. Strictly, a cookie of two users is nobody's; by
-- first touch it is of the one who saw the flag first.
WITH impressions AS (
	SELECT * FROM read_csv('story/impressions.csv', all_varchar = true)
), seen AS (
	SELECT person, min(variation) AS variation, min(ts) AS ts, count(DISTINCT variation) AS variations FROM impressions GROUP BY person
), cookies AS (
	SELECT c.cookie, count(*) AS users, min(c.user_id) AS only_user, arg_min(c.user_id, s.ts) AS first_user
	FROM read_csv('vwo/shop/cookies.csv', all_varchar = true) AS c JOIN seen AS s ON s.person = c.user_id GROUP BY c.cookie
), orders AS (
	SELECT o.ts AS ts, o.cents::BIGINT AS cents,
		coalesce(o.user_id, CASE WHEN c.users = 1 THEN c.only_user END) AS strict,
		coalesce(o.user_id, c.first_user) AS first_touch
	FROM read_csv('vwo/shop/orders.csv', all_varchar = true) AS o LEFT JOIN cookies AS c ON c.cookie = o.cookie
), people AS (
	SELECT s.*, p.plan FROM seen AS s JOIN read_csv('vwo/shop/profiles.csv', all_varchar = true) AS p ON p.user_id = s.person WHERE s.variations = 1
), parts AS (
	SELECT *, 'all' AS part FROM people UNION ALL SELECT *, plan FROM people
)
SELECT p.part, p.variation, count(DISTINCT p.person) AS units,
	(coalesce(sum(o.cents) FILTER (o.strict = p.person), 0) / 100)::DECIMAL(9,2) AS strict,
	(coalesce(sum(o.cents) FILTER (o.first_touch = p.person), 0) / 100)::DECIMAL(9,2) AS first_touch
FROM parts AS p LEFT JOIN orders AS o ON p.person IN (o.strict, o.first_touch) AND o.ts >= p.ts
GROUP BY ALL ORDER BY part, variation DESC
