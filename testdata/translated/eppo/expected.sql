-- What definitions.md asks for, in plain SQL: one row for each experiment, metric and variant.
WITH experiment (experiment, starts, ends, until, entry_point, country) AS (
  VALUES
    ('home_feed_ranker', TIMESTAMP '2026-02-09 00:00:00', TIMESTAMP '2026-03-02 00:00:00', TIMESTAMP '2026-03-09 00:00:00', FALSE, NULL),
    ('player_start_flow', TIMESTAMP '2026-02-16 00:00:00', TIMESTAMP '2026-03-09 00:00:00', TIMESTAMP '2026-03-15 12:00:00', TRUE, NULL),
    ('price_page_copy', TIMESTAMP '2026-02-09 06:00:00', TIMESTAMP '2026-03-15 00:00:00', TIMESTAMP '2026-03-15 00:00:00', FALSE, 'US')
),
assigned AS (
  SELECT experiment, subject_id, ends, until, entry_point, min(variant) AS variant, min(assigned_at) AS entered
  FROM 'assignments.parquet' JOIN experiment AS x USING (experiment)
  WHERE subject_id IS NOT NULL AND assigned_at BETWEEN starts AND ends AND (x.country IS NULL OR assignments.country = x.country)
  GROUP BY ALL
  HAVING count(DISTINCT variant) = 1
),
subject AS (
  SELECT experiment, subject_id, until, variant, entered
  FROM assigned
  WHERE NOT entry_point
  UNION ALL
  SELECT experiment, subject_id, until, variant, min(event_at)
  FROM assigned JOIN 'app_events.parquet' USING (subject_id)
  WHERE entry_point AND name = 'app_open' AND event_at BETWEEN entered AND ends
  GROUP BY ALL
),
play AS (SELECT * FROM subject JOIN 'plays.parquet' USING (subject_id) WHERE event_at BETWEEN entered AND until),
payment AS (SELECT * FROM subject JOIN 'payments.parquet' USING (subject_id) WHERE event_at BETWEEN entered AND until),
app_event AS (SELECT * FROM subject JOIN 'app_events.parquet' USING (subject_id) WHERE event_at BETWEEN entered AND until),
step1 AS (
  SELECT experiment, subject_id, min(event_at) AS at_1
  FROM app_event
  WHERE name = 'signup' AND event_at <= entered + INTERVAL 14 DAY
  GROUP BY ALL
),
step2 AS (
  SELECT experiment, subject_id, min(event_at) AS at_2
  FROM app_event JOIN step1 USING (experiment, subject_id)
  WHERE name = 'start_trial' AND event_at <= entered + INTERVAL 14 DAY AND event_at >= at_1
  GROUP BY ALL
),
step3 AS (
  SELECT DISTINCT experiment, subject_id
  FROM app_event JOIN step2 USING (experiment, subject_id)
  WHERE name = 'subscribe' AND event_at <= entered + INTERVAL 14 DAY AND event_at >= at_2
),
-- the value of each subject that has one, and its denominator
of_subject (metric, experiment, subject_id, x, y) AS (
  SELECT 'm01', experiment, subject_id, sum(seconds), 0 FROM play GROUP BY ALL
  UNION ALL SELECT 'm02', experiment, subject_id, count(*), 0 FROM play
    WHERE event_at <= entered + INTERVAL 7 DAY AND quality NOT IN ('SD', 'hd ready') AND NOT autoplay GROUP BY ALL
  UNION ALL SELECT 'm03', experiment, subject_id, count(DISTINCT video_id), 0 FROM play WHERE event_at <= entered + INTERVAL 14 DAY GROUP BY ALL
  UNION ALL SELECT DISTINCT 'm04', experiment, subject_id, 1, 0 FROM app_event WHERE name = 'search'
  UNION ALL SELECT 'm05', experiment, subject_id, CAST(sum(seconds) > 3600 AS INTEGER), 0 FROM play WHERE event_at <= entered + INTERVAL 7 DAY GROUP BY ALL
  UNION ALL SELECT 'm06', experiment, subject_id, CAST(count(seconds) >= 3 AS INTEGER), 0 FROM play WHERE event_at <= entered + INTERVAL 72 HOUR GROUP BY ALL
  UNION ALL SELECT DISTINCT 'm07', experiment, subject_id, 1, 0 FROM app_event WHERE name = 'app_open' AND event_at >= entered + INTERVAL 7 DAY
  UNION ALL SELECT DISTINCT 'm08', experiment, subject_id, 1, 0 FROM app_event WHERE name = 'subscribe' AND event_at <= entered + INTERVAL 7 DAY
  UNION ALL SELECT 'm09', experiment, subject_id, arg_max(amount, event_at), 0 FROM payment WHERE amount IS NOT NULL GROUP BY ALL
  UNION ALL SELECT 'm10', experiment, subject_id, sum(amount), 0 FROM payment WHERE kind NOT IN ('refund') AND currency IN ('USD', 'EUR') GROUP BY ALL
  UNION ALL SELECT 'm10', experiment, subject_id, 0, sum(seconds) FROM play GROUP BY ALL
  UNION ALL SELECT 'm11', experiment, subject_id, count(*), 0 FROM app_event WHERE name = 'error' AND event_at <= entered + INTERVAL 14 DAY GROUP BY ALL
  UNION ALL SELECT 'm11', experiment, subject_id, 0, count(*) FROM app_event WHERE name = 'app_open' AND event_at <= entered + INTERVAL 14 DAY GROUP BY ALL
  UNION ALL SELECT 'm14 step 1', experiment, subject_id, 1, 0 FROM step1
  UNION ALL SELECT 'm14 step 2', experiment, subject_id, 1, 0 FROM step2
  UNION ALL SELECT 'm14 step 3', experiment, subject_id, 1, 0 FROM step3
  UNION ALL SELECT 'm15', experiment, subject_id, sum(seconds), 0 FROM play WHERE event_at <= entered + INTERVAL 14 DAY GROUP BY ALL
  UNION ALL SELECT 'm16', experiment, subject_id, count(*), 0 FROM play
    WHERE event_at <= entered + INTERVAL 48 HOUR AND quality IN ('1080p', '4K HDR') GROUP BY ALL
  UNION ALL SELECT 'm17', experiment, subject_id, sum(seconds), 0 FROM play
    WHERE event_at BETWEEN entered + INTERVAL 3 DAY AND entered + INTERVAL 10 DAY GROUP BY ALL
  UNION ALL SELECT 'm18', experiment, subject_id, count(*), 0 FROM app_event
    WHERE name = 'error' AND screen NOT IN ('Checkout Page', 'player') GROUP BY ALL
),
-- of all subjects, those without events as 0
number AS (
  SELECT metric, experiment, variant, subject_id, CAST(coalesce(sum(x), 0) AS DOUBLE) AS x, CAST(coalesce(sum(y), 0) AS DOUBLE) AS y
  FROM subject
  CROSS JOIN (SELECT DISTINCT metric FROM of_subject)
  LEFT JOIN of_subject USING (metric, experiment, subject_id)
  GROUP BY ALL
),
bound AS (
  SELECT experiment, quantile_cont(x, 0.99) AS most
  FROM number
  WHERE metric = 'm15'
  GROUP BY ALL
),
winsorized AS (
  SELECT metric, experiment, variant, if(metric = 'm15', least(x, most), x) AS x, y, if(metric = 'm15', most, NULL) AS most
  FROM number JOIN bound USING (experiment)
),
size AS (SELECT experiment, variant, count(*) AS n FROM subject GROUP BY ALL),
latency (metric, experiment, variant, latency_ms) AS (
  SELECT 'm12', experiment, variant, latency_ms FROM app_event WHERE name = 'app_open' AND latency_ms IS NOT NULL
  UNION ALL SELECT 'm13', experiment, variant, latency_ms FROM app_event
    WHERE name IN ('app_open', 'search') AND latency_ms IS NOT NULL AND screen NOT IN ('Home', 'Search Results')
)
SELECT experiment, metric, variant, count(*) AS subjects, sum(x) AS sum, sum(x * x) AS sum_sq, sum(y) AS den_sum, sum(y * y) AS den_sum_sq,
  sum(x * y) AS sum_den, any_value(most) AS bound, NULL AS percentile, NULL AS observations
FROM winsorized
GROUP BY ALL
UNION ALL
SELECT experiment, metric, variant, any_value(n), NULL, NULL, NULL, NULL, NULL, NULL,
  if(metric = 'm12', quantile_cont(latency_ms, 0.5), quantile_cont(latency_ms, 0.95)), count(*)
FROM latency JOIN size USING (experiment, variant)
GROUP BY experiment, metric, variant
ORDER BY ALL
