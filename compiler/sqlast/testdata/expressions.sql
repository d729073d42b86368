-- text
'it''s'

-- text, empty
''

-- text, unseen characters
('a' || chr(0) || 'b' || chr(10) || chr(9) || chr(160) || chr(8203) || '\é')

-- text, one unseen character
chr(160)

-- int
-9223372036854775808

-- float, small
0.05e0

-- float, whole
1e6

-- float, digits
1234567.25e0

-- float, largest
1.7976931348623157e308

-- float, smallest
5e-324

-- float, negative
-2e0

-- bool
TRUE AND FALSE

-- null
CAST(NULL AS DECIMAL(38, 4))

-- timestamp
TIMESTAMP '2026-03-02 12:00:00'

-- timestamp, microseconds, other zone
TIMESTAMP '2026-03-02 12:00:00.000001'

-- date
DATE '2026-03-02'

-- interval, hours
INTERVAL 72 HOUR

-- interval, minutes
INTERVAL 90 MINUTE

-- interval, seconds
INTERVAL 5 SECOND

-- interval, microseconds
INTERVAL 1 MICROSECOND

-- interval, negative
INTERVAL '-72' HOUR

-- interval, nothing
INTERVAL 0 HOUR

-- column
"e"."a ""b"""

-- field of a column
("s")."x"."a b"

-- field of a qualified column
"e"."s"."x"

-- field of a call
COALESCE("s", "t")."x"

-- lambda
lambda "x": "x" > 1

-- count
COUNT(*)

-- count distinct
COUNT(DISTINCT "a")

-- sum
SUM(CASE WHEN "event" = 'purchase' THEN "value" END)

-- sum, broken
SUM(
  CASE
    WHEN "event" = 'purchase'
      AND "e"."timestamp" >= "x"."exposed" + INTERVAL 24 HOUR
      AND "e"."timestamp" < "x"."window_end_of_the_metric"
      THEN "value"
  END
)

-- minimum and maximum
MAX("a") - MIN("a")

-- row number
ROW_NUMBER() OVER (PARTITION BY "a", "b" ORDER BY "c" DESC, "d")

-- row number, over all
ROW_NUMBER() OVER ()

-- left to right
"a" - "b" - ("c" - "d")

-- products of sums
("a" + -1) * ("c" / ("d" * -1e0))

-- whole division
-"a" // 2

-- negative of negatives
-(-"a") - -(-3)

-- negative of a sum
-("a" + "b")

-- comparison of comparisons
("a" < "b") = ("c" <> "d")

-- distinct
"a" IS DISTINCT FROM "b" AND ("a" IS NULL) IS NOT DISTINCT FROM "b"

-- and over or
("a" OR "b") AND ("c" OR ("d" AND "e"))

-- not
NOT ("a" AND NOT ("b" <= "c"))

-- not of a call
NOT contains("a", 'x')

-- empty and, empty or
TRUE OR FALSE

-- and of one
NOT ("a" OR "b")

-- null or not
"a" IS NULL AND "a" + "b" IS NOT NULL

-- in
"a" NOT IN ('x', 'y')

-- in, long
"a" IN (
  'value 000', 'value 001', 'value 002', 'value 003', 'value 004', 'value 005', 'value 006',
  'value 007', 'value 008', 'value 009', 'value 010', 'value 011', 'value 012', 'value 013',
  'value 014', 'value 015', 'value 016', 'value 017', 'value 018', 'value 019'
)

-- case
CASE WHEN "a" THEN 1 ELSE 0 END

-- case, broken
CASE
  WHEN "a_rather_long_name_of_a_column" = 'one' AND "another_long_name" = 'two' THEN 1
  WHEN "a_rather_long_name_of_a_column" = 'three' THEN 2
  ELSE CAST(NULL AS BIGINT)
END

-- long or in and
"a"
AND (
  "a_rather_long_name_of_a_column" = 'one'
  OR "a_rather_long_name_of_a_column" = 'two'
  OR "a_rather_long_name_of_a_column" = 'three'
)

-- cast
CAST("a" + "b" AS HUGEINT)

-- try cast
TRY_CAST("a" AS DOUBLE)

-- struct
{'ts': "ts", 'it''s': 'x'}

-- min of a struct
MIN(
  {
    'timestamp': "impressions"."timestamp",
    'variation': "impressions"."variation_of_the_experiment",
    'attribute': "impressions"."attributes_of_the_unit"
  }
)

-- long sum
"a_rather_long_name_of_a_column" * "another_long_name_of_a_column"
  + "a_rather_long_name_of_a_column" * "a_third_name_of_a_column"

