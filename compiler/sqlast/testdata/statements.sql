WITH "window" ("key", "start") AS (
  VALUES
    ('a', TIMESTAMP '2026-03-02 12:00:00'),
    ('b', TIMESTAMP '2026-03-02 12:00:00')
),
"both" AS (
  -- the first half
  SELECT
    "a"
  FROM "t"
  UNION ALL
  (
    SELECT
      "a"
    FROM "u"
    ORDER BY "a"
    LIMIT 1
  )
)
-- units of the experiment, one row each
-- with two lines of reason
SELECT DISTINCT
  "x"."key", -- the experiment
  COUNT(*) AS "n",
  1 AS "one" -- last, but not least
FROM read_parquet(
  ['exports/events/ds=2026-03-02/part-0.parquet', 'exports/events/ds=2026-03-03/it''s.parquet'],
  union_by_name = true,
  hive_partitioning = true,
  hive_types = {'ds': DATE}
) AS "e"
JOIN "window" AS "x"
  ON "x"."key" = "e"."key"
  AND "e"."ts" >= "x"."start"
LEFT JOIN (
  SELECT
    "a"
  FROM "both"
) AS "y"
  ON "y"."a" = "e"."a"
WHERE "e"."a" IS NOT NULL
  AND ("e"."b" OR "e"."c")
GROUP BY GROUPING SETS (
  ("x"."key", "e"."a"),
  ("x"."key"),
  ()
)
HAVING COUNT(*) > 1
ORDER BY "key", "n" DESC
LIMIT 10;

CREATE OR REPLACE TEMP TABLE "exposure" AS
-- kept, because three steps read it
SELECT
  "a"
FROM read_parquet('impressions/*.parquet', hive_partitioning = false)
GROUP BY "a";

SELECT
  1 AS "one";

SELECT
  "a"
FROM "t"
CROSS JOIN (
  "u"
  JOIN "v"
    ON TRUE
);

SELECT
  "a"
FROM read_parquet(
  [
    'exports/part-00.parquet',
    'exports/part-01.parquet',
    'exports/part-02.parquet',
    'exports/part-03.parquet',
    'exports/part-04.parquet',
    'exports/part-05.parquet',
    'exports/part-06.parquet',
    'exports/part-07.parquet',
    'exports/part-08.parquet',
    'exports/part-09.parquet',
    'exports/part-10.parquet',
    'exports/part-11.parquet',
    'exports/part-12.parquet',
    'exports/part-13.parquet',
    'exports/part-14.parquet',
    'exports/part-15.parquet',
    'exports/part-16.parquet',
    'exports/part-17.parquet',
    'exports/part-18.parquet',
    'exports/part-19.parquet',
    'exports/part-20.parquet',
    'exports/part-21.parquet',
    'exports/part-22.parquet',
    'exports/part-23.parquet',
    'exports/part-24.parquet',
    'exports/part-25.parquet',
    'exports/part-26.parquet',
    'exports/part-27.parquet',
    'exports/part-28.parquet',
    'exports/part-29.parquet'
  ],
  hive_partitioning = false
) AS "e";

SELECT
  "a"
FROM (
  SELECT * EXCLUDE ("a", "b""c")
  FROM read_parquet(
    'exports/part-00.parquet',
    union_by_name = true,
    filename = true,
    hive_partitioning = false
  )
  UNION ALL BY NAME
  SELECT * EXCLUDE ("d")
  FROM read_parquet(
    'exports/part-02.parquet',
    union_by_name = true,
    filename = true,
    hive_partitioning = false
  )
  UNION ALL BY NAME
  SELECT *
  FROM read_parquet(
    'exports/part-01.parquet',
    union_by_name = true,
    filename = true,
    hive_partitioning = false
  )
) AS "e";

SELECT
  "a"
FROM (
  SELECT * EXCLUDE ("b")
  FROM read_parquet('exports/part-00.parquet', hive_partitioning = false)
);

DROP TABLE "exposure";

DROP TABLE IF EXISTS "exposure";

SELECT
  "a"
FROM (
  SELECT
    unnest(json_transform("json", '{"a": "JSON", "it''s \"b\" \\": "BIGINT"}')),
    "ds"
  FROM read_ndjson_objects(
    'exports/*.ndjson.gz',
    ignore_errors = true,
    hive_partitioning = true,
    hive_types = {'ds': DATE}
  )
  WHERE starts_with("json", '{')
) AS "e";

SELECT
  COUNT(*) AS "n"
FROM (
  SELECT
    "filename"
  FROM read_ndjson_objects(
    ['exports/part-00.parquet', 'exports/part-01.parquet', 'exports/part-02.parquet'],
    ignore_errors = true,
    filename = true,
    hive_partitioning = false
  )
  WHERE starts_with("json", '{')
);

SELECT
  COUNT(*) AS "n"
FROM (
  SELECT
    "json"
  FROM read_ndjson_objects(
    'exports/part-00.parquet',
    ignore_errors = true,
    hive_partitioning = false
  )
  WHERE starts_with("json", '{')
);

SELECT
  "a"
FROM (
  SELECT
    "a",
    "it's",
    "ds",
    "filename"
  FROM read_csv(
    ['exports/part-00.parquet', 'exports/part-01.parquet'],
    auto_detect = false, header = true, quote = '"', escape = '"', comment = '', ignore_errors = true,
    delim = chr(9),
    columns = {'a': 'VARCHAR', 'b': 'VARCHAR', 'it''s': 'VARCHAR'},
    filename = true,
    hive_partitioning = true,
    hive_types = {'ds': DATE}
  )
  UNION ALL
  SELECT
    "a",
    CAST(NULL AS VARCHAR) AS "it's",
    "ds",
    "filename"
  FROM read_csv(
    'late.csv',
    auto_detect = false, header = true, quote = '"', escape = '"', comment = '', ignore_errors = true,
    delim = chr(9),
    columns = {'a': 'VARCHAR'},
    filename = true,
    hive_partitioning = true,
    hive_types = {'ds': DATE}
  )
) AS "e";

SELECT
  1 AS "one"
FROM (
  SELECT
    1 AS "row"
  FROM read_csv(
    'exports/part-00.parquet',
    auto_detect = false, header = true, quote = '"', escape = '"', comment = '', ignore_errors = true,
    delim = ',',
    columns = {'a': 'VARCHAR'},
    hive_partitioning = false
  )
);

