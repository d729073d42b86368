-- The results of the five examples, counted from the story alone. A person who
-- saw one variation only has an exposure, the first time; what happened before
-- it does not count, and what happened at the same millisecond does.
WITH impressions AS (
	SELECT * FROM read_csv('story/impressions.csv', all_varchar = true)
), events AS (
	SELECT * FROM read_csv('story/events.csv', all_varchar = true)
), exposed AS (
	SELECT person, min(variation) AS variation, min(ts) AS ts, any_value(country) AS country
	FROM impressions GROUP BY person HAVING count(DISTINCT variation) = 1
), parts AS (
	SELECT *, 'all' AS part FROM exposed
	UNION ALL SELECT *, coalesce(country, '(none)') FROM exposed
), each AS (
	SELECT p.part, p.variation, p.person,
		count(*) FILTER (e.event = 'purchase') AS purchases,
		count(*) FILTER (e.event = 'purchase' AND e.coupon IS NOT NULL) AS coupons,
		coalesce(sum(e.cents::BIGINT) FILTER (e.event = 'purchase'), 0) AS cents,
		count(*) FILTER (e.event = 'page view') AS views
	FROM parts AS p LEFT JOIN events AS e ON e.person = p.person AND e.ts >= p.ts
	GROUP BY ALL
)
SELECT part, variation, count(*) AS units, count(*) FILTER (purchases > 0) AS buyers, sum(purchases) AS purchases,
	sum(coupons) AS with_coupon, (sum(cents) / 100)::DECIMAL(9,2) AS revenue, sum(views) AS page_views
FROM each GROUP BY ALL ORDER BY part, variation DESC
