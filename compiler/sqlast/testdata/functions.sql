-- Coalesce
COALESCE("x", "y")

-- Coalesce
COALESCE(CASE WHEN "y" THEN "x" END, "y")

-- NullIf
NULLIF("x", "y")

-- NullIf
NULLIF(CASE WHEN "y" THEN "x" END, "y")

-- Least
LEAST("x", "y")

-- Least
LEAST(CASE WHEN "y" THEN "x" END, "y")

-- Greatest
GREATEST("x", "y")

-- Greatest
GREATEST(CASE WHEN "y" THEN "x" END, "y")

-- LowerASCII
CASE
  WHEN strlen("x") = length("x") THEN lower("x")
  ELSE translate("x", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
END

-- LowerASCII
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN strlen("~v") = length("~v") THEN lower("~v")
    ELSE translate("~v", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
  END
)[1]

-- UpperASCII
CASE
  WHEN strlen("x") = length("x") THEN upper("x")
  ELSE translate("x", 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
END

-- UpperASCII
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN strlen("~v") = length("~v") THEN upper("~v")
    ELSE translate("~v", 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
  END
)[1]

-- TrimUnicode
CASE
  WHEN regexp_matches("x", '^[\t-\r\x{85}\pZ]|[\t-\r\x{85}\pZ]$')
    THEN regexp_replace("x", '^[\t-\r\x{85}\pZ]+|[\t-\r\x{85}\pZ]+$', '', 'g')
  ELSE "x"
END

-- TrimUnicode
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN regexp_matches("~v", '^[\t-\r\x{85}\pZ]|[\t-\r\x{85}\pZ]$')
      THEN regexp_replace("~v", '^[\t-\r\x{85}\pZ]+|[\t-\r\x{85}\pZ]+$', '', 'g')
    ELSE "~v"
  END
)[1]

-- Length
length("x")

-- Length
length(CASE WHEN "y" THEN "x" END)

-- JoinTexts
concat("x", "y")

-- JoinTexts
concat(CASE WHEN "y" THEN "x" END, "y")

-- Contains
contains("x", 'y')

-- Contains
contains(CASE WHEN "y" THEN "x" END, 'y')

-- StartsWith
starts_with("x", 'y')

-- StartsWith
starts_with(CASE WHEN "y" THEN "x" END, 'y')

-- EndsWith
ends_with("x", 'y')

-- EndsWith
ends_with(CASE WHEN "y" THEN "x" END, 'y')

-- RegexMatch
regexp_matches("x", '^y')

-- RegexMatch
regexp_matches(CASE WHEN "y" THEN "x" END, '^y')

-- Abs
abs("x")

-- Abs
abs(CASE WHEN "y" THEN "x" END)

-- Ceil
ceil("x")

-- Ceil
ceil(CASE WHEN "y" THEN "x" END)

-- Sqrt
sqrt("x")

-- Sqrt
sqrt(CASE WHEN "y" THEN "x" END)

-- Floor
floor("x")

-- Floor
floor(CASE WHEN "y" THEN "x" END)

-- Round
round("x")

-- Round
round(CASE WHEN "y" THEN "x" END)

-- Trunc
trunc("x")

-- Trunc
trunc(CASE WHEN "y" THEN "x" END)

-- Mod
mod("x", 2e0)

-- Mod
mod(CASE WHEN "y" THEN "x" END, 2e0)

-- Finite
CASE WHEN isfinite("x") THEN "x" END

-- Finite
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE WHEN isfinite("~v") THEN "~v" END
)[1]

-- IntegerText
CASE
  WHEN abs("x") < 9007199254740992e0 AND trunc("x") = "x"
    THEN CAST(CAST("x" AS BIGINT) AS VARCHAR)
END

-- IntegerText
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN abs("~v") < 9007199254740992e0 AND trunc("~v") = "~v"
      THEN CAST(CAST("~v" AS BIGINT) AS VARCHAR)
  END
)[1]

-- FloatText
CASE
  WHEN abs("x") < 9007199254740992e0 AND trunc("x") = "x"
    THEN CAST(CAST("x" AS BIGINT) AS VARCHAR)
  WHEN contains(CAST("x" AS VARCHAR), 'e-')
    THEN CASE WHEN "x" < 0 THEN '-0.' ELSE '0.' END
      || repeat('0', CAST(regexp_extract(CAST("x" AS VARCHAR), '[0-9]+$') AS BIGINT) - 1)
      || regexp_replace(CAST("x" AS VARCHAR), '^-?([0-9])\.?([0-9]*)e.*$', '\1\2')
  WHEN contains(CAST("x" AS VARCHAR), 'e')
    THEN CASE WHEN "x" < 0 THEN '-' ELSE '' END
      || rpad(regexp_replace(CAST("x" AS VARCHAR), '^-?([0-9])\.?([0-9]*)e.*$', '\1\2'),
        CAST(regexp_extract(CAST("x" AS VARCHAR), '[0-9]+$') AS INTEGER) + 1, '0')
  ELSE regexp_replace(CAST("x" AS VARCHAR), '\.0$', '')
END

-- FloatText
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN abs("~v") < 9007199254740992e0 AND trunc("~v") = "~v"
      THEN CAST(CAST("~v" AS BIGINT) AS VARCHAR)
    WHEN contains(CAST("~v" AS VARCHAR), 'e-')
      THEN CASE WHEN "~v" < 0 THEN '-0.' ELSE '0.' END
        || repeat('0', CAST(regexp_extract(CAST("~v" AS VARCHAR), '[0-9]+$') AS BIGINT) - 1)
        || regexp_replace(CAST("~v" AS VARCHAR), '^-?([0-9])\.?([0-9]*)e.*$', '\1\2')
    WHEN contains(CAST("~v" AS VARCHAR), 'e')
      THEN CASE WHEN "~v" < 0 THEN '-' ELSE '' END
        || rpad(regexp_replace(CAST("~v" AS VARCHAR), '^-?([0-9])\.?([0-9]*)e.*$', '\1\2'),
          CAST(regexp_extract(CAST("~v" AS VARCHAR), '[0-9]+$') AS INTEGER) + 1, '0')
    ELSE regexp_replace(CAST("~v" AS VARCHAR), '\.0$', '')
  END
)[1]

-- TimeText
(replace(CAST("x" AS VARCHAR), ' ', 'T') || 'Z')

-- TimeText
(replace(CAST(CASE WHEN "y" THEN "x" END AS VARCHAR), ' ', 'T') || 'Z')

-- Unscaled
CAST(replace(CAST("x" AS VARCHAR), '.', '') AS HUGEINT)

-- Unscaled
CAST(replace(CAST(CASE WHEN "y" THEN "x" END AS VARCHAR), '.', '') AS HUGEINT)

-- ParseNumber
CASE
  WHEN strlen("x") < 300 AND regexp_matches("x", '^[+-]?[0-9]+(\.[0-9]+)?$')
    THEN TRY_CAST("x" AS DOUBLE)
  WHEN isfinite(TRY_CAST(regexp_extract("x", '^[\t-\r\x{85}\pZ]*([+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)[\t-\r\x{85}\pZ]*$', 1) AS DOUBLE))
    THEN TRY_CAST(regexp_extract("x", '([+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)', 1) AS DOUBLE)
END

-- ParseNumber
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN strlen("~v") < 300 AND regexp_matches("~v", '^[+-]?[0-9]+(\.[0-9]+)?$')
      THEN TRY_CAST("~v" AS DOUBLE)
    WHEN isfinite(TRY_CAST(regexp_extract("~v", '^[\t-\r\x{85}\pZ]*([+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)[\t-\r\x{85}\pZ]*$', 1) AS DOUBLE))
      THEN TRY_CAST(regexp_extract("~v", '([+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)', 1) AS DOUBLE)
  END
)[1]

-- ParseInteger
CASE
  WHEN strlen("x") < 300 AND regexp_matches("x", '^[+-]?[0-9]+$')
    THEN TRY_CAST("x" AS DOUBLE)
  WHEN regexp_matches("x", '^[+-]?[0-9]+$') AND isfinite(TRY_CAST("x" AS DOUBLE))
    THEN TRY_CAST("x" AS DOUBLE)
END

-- ParseInteger
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN strlen("~v") < 300 AND regexp_matches("~v", '^[+-]?[0-9]+$')
      THEN TRY_CAST("~v" AS DOUBLE)
    WHEN regexp_matches("~v", '^[+-]?[0-9]+$') AND isfinite(TRY_CAST("~v" AS DOUBLE))
      THEN TRY_CAST("~v" AS DOUBLE)
  END
)[1]

-- ParseBoolean
CASE lower("x") WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END

-- ParseBoolean
CASE lower(CASE WHEN "y" THEN "x" END) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END

-- ParseTime
CASE
  WHEN regexp_matches("x", '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z?)?$')
    THEN TRY_CAST("x" AS TIMESTAMP)
  WHEN regexp_matches("x", '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)? ?[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?$')
    THEN make_timestamp(epoch_us(TRY_CAST(regexp_replace(replace("x", 't', 'T'), ' ([+-])', '\1') AS TIMESTAMPTZ)))
  WHEN regexp_matches("x", '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?( ?(Z|z|UTC))?$')
    THEN TRY_CAST(regexp_replace(replace("x", 't', 'T'), ' ?(Z|z|UTC)$', '') AS TIMESTAMP)
END

-- ParseTime
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN regexp_matches("~v", '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z?)?$')
      THEN TRY_CAST("~v" AS TIMESTAMP)
    WHEN regexp_matches("~v", '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)? ?[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?$')
      THEN make_timestamp(epoch_us(TRY_CAST(regexp_replace(replace("~v", 't', 'T'), ' ([+-])', '\1') AS TIMESTAMPTZ)))
    WHEN regexp_matches("~v", '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?( ?(Z|z|UTC))?$')
      THEN TRY_CAST(regexp_replace(replace("~v", 't', 'T'), ' ?(Z|z|UTC)$', '') AS TIMESTAMP)
  END
)[1]

-- MicrosToTime
TRY(make_timestamp("x"))

-- MicrosToTime
TRY(make_timestamp(CASE WHEN "y" THEN "x" END))

-- TimeToMicros
epoch_us("x")

-- TimeToMicros
epoch_us(CASE WHEN "y" THEN "x" END)

-- TimestampTZToTime
make_timestamp(epoch_us("x"))

-- TimestampTZToTime
make_timestamp(epoch_us(CASE WHEN "y" THEN "x" END))

-- NanosToTime
make_timestamp(epoch_ns("x") // 1000 - CAST(epoch_ns("x") % 1000 < 0 AS BIGINT))

-- NanosToTime
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  make_timestamp(epoch_ns("~v") // 1000 - CAST(epoch_ns("~v") % 1000 < 0 AS BIGINT))
)[1]

-- DateOf
CAST("x" AS DATE)

-- DateOf
CAST(CASE WHEN "y" THEN "x" END AS DATE)

-- ParseDay
CASE
  WHEN regexp_matches("x", '^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})(-([01][0-9]|2[0-3]))?$')
    THEN TRY_CAST(regexp_replace(replace("x", '-', ''), '^(....)(..)(..).*$', '\1-\2-\3') AS DATE)
END

-- ParseDay
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN regexp_matches("~v", '^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})(-([01][0-9]|2[0-3]))?$')
      THEN TRY_CAST(regexp_replace(replace("~v", '-', ''), '^(....)(..)(..).*$', '\1-\2-\3') AS DATE)
  END
)[1]

-- MapValue
"x"['y']

-- MapValue
CASE WHEN "y" THEN "x" END['y']

-- PairValue
list_filter("x", lambda "~p": "~p"."name" = 'y')[1]."value"

-- PairValue
list_filter(CASE WHEN "y" THEN "x" END, lambda "~p": "~p"."name" = 'y')[1]."value"

-- KeyPairs
list_transform("x", lambda "~p": {'name': "~p"."key", 'value': "~p"."value"})

-- KeyPairs
list_transform(CASE WHEN "y" THEN "x" END, lambda "~p": {'name': "~p"."key", 'value': "~p"."value"})

-- Parameters
list_transform("x", lambda "~p": {'name': "~p"."key", 'value': COALESCE(
  "~p"."value"."string_value", CAST("~p"."value"."int_value" AS VARCHAR),
  CAST("~p"."value"."double_value" AS VARCHAR), CAST("~p"."value"."float_value" AS VARCHAR))})

-- Parameters
list_transform(CASE WHEN "y" THEN "x" END, lambda "~p": {'name': "~p"."key", 'value': COALESCE(
  "~p"."value"."string_value", CAST("~p"."value"."int_value" AS VARCHAR),
  CAST("~p"."value"."double_value" AS VARCHAR), CAST("~p"."value"."float_value" AS VARCHAR))})

-- JSONText
TRY(json_extract_string("x", '/a~1b~0c'))

-- JSONText
TRY(json_extract_string(CASE WHEN "y" THEN "x" END, '/a~1b~0c'))

-- JSONTexts
TRY(json_extract_string("x", ['/a~1b']))

-- JSONTexts
TRY(json_extract_string(CASE WHEN "y" THEN "x" END, ['/a~1b']))

-- JSONKinds
TRY(json_type("x", ['/a~1b']))

-- JSONKinds
TRY(json_type(CASE WHEN "y" THEN "x" END, ['/a~1b']))

-- JSONKind
TRY(json_type("x", ''))

-- JSONKind
TRY(json_type(CASE WHEN "y" THEN "x" END, ''))

-- JSONPairs
CASE
  WHEN TRY(json_type("x")) = 'OBJECT'
    AND TRY(json_type("x", '/key_value')) IS DISTINCT FROM 'ARRAY'
    THEN list_transform(json_keys("x"), lambda "~k": {'name': "~k", 'value':
      json_extract_string("x", '/' || replace(replace("~k", '~', '~0'), '/', '~1'))})
  ELSE list_transform(TRY(
    json_extract("x", '$[*]') || json_extract("x", '$.key_value[*]')), lambda "~p": {
    'name': COALESCE(json_extract_string("~p", '/name'), json_extract_string("~p", '/key')),
    'value': CASE
      WHEN json_type("~p", '/value') = 'OBJECT' AND json_exists("~p", '/key') THEN COALESCE(
        json_extract_string("~p", '/value/string_value'),
        json_extract_string("~p", '/value/int_value'),
        json_extract_string("~p", '/value/double_value'),
        json_extract_string("~p", '/value/float_value'))
      ELSE json_extract_string("~p", '/value')
    END})
END

-- JSONPairs
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN TRY(json_type("~v")) = 'OBJECT'
      AND TRY(json_type("~v", '/key_value')) IS DISTINCT FROM 'ARRAY'
      THEN list_transform(json_keys("~v"), lambda "~k": {'name': "~k", 'value':
        json_extract_string("~v", '/' || replace(replace("~k", '~', '~0'), '/', '~1'))})
    ELSE list_transform(TRY(
      json_extract("~v", '$[*]') || json_extract("~v", '$.key_value[*]')), lambda "~p": {
      'name': COALESCE(json_extract_string("~p", '/name'), json_extract_string("~p", '/key')),
      'value': CASE
        WHEN json_type("~p", '/value') = 'OBJECT' AND json_exists("~p", '/key') THEN COALESCE(
          json_extract_string("~p", '/value/string_value'),
          json_extract_string("~p", '/value/int_value'),
          json_extract_string("~p", '/value/double_value'),
          json_extract_string("~p", '/value/float_value'))
        ELSE json_extract_string("~p", '/value')
      END})
  END
)[1]

-- JSONElements
CASE WHEN TRY(json_type("x")) = 'ARRAY' THEN json_extract("x", '$[*]') ELSE [TRY(json("x"))] END

-- JSONElements
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE
    WHEN TRY(json_type("~v")) = 'ARRAY' THEN json_extract("~v", '$[*]')
    ELSE [TRY(json("~v"))]
  END
)[1]

-- ListLength
len("x")

-- ListLength
len(CASE WHEN "y" THEN "x" END)

-- ListElement
list_extract("x", 1)

-- ListElement
list_extract(CASE WHEN "y" THEN "x" END, 1)

-- ListElements
CASE WHEN "x" IS NULL THEN [NULL] ELSE "x" END

-- ListElements
list_transform([CASE WHEN "y" THEN "x" END], lambda "~v":
  CASE WHEN "~v" IS NULL THEN [NULL] ELSE "~v" END
)[1]

-- JSONValid
json_valid("x")

-- JSONValid
json_valid(CASE WHEN "y" THEN "x" END)

-- CanonicalJSON
(
  SELECT string_agg(
    j.fullkey || ' ' || CASE
      WHEN j.type IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')
        THEN CAST(CAST(j.atom AS DOUBLE) AS VARCHAR)
      WHEN j.atom IS NULL THEN j.type
      ELSE CAST(j.atom AS VARCHAR)
    END, chr(10) ORDER BY j.fullkey)
  FROM json_tree(TRY(json("x"))) AS j
)

-- CanonicalJSON
(
  SELECT string_agg(
    j.fullkey || ' ' || CASE
      WHEN j.type IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')
        THEN CAST(CAST(j.atom AS DOUBLE) AS VARCHAR)
      WHEN j.atom IS NULL THEN j.type
      ELSE CAST(j.atom AS VARCHAR)
    END, chr(10) ORDER BY j.fullkey)
  FROM json_tree(TRY(json(CASE WHEN "y" THEN "x" END))) AS j
)

-- UUID5
list_transform([sha1(unhex("x") || encode('y'))], lambda "~h":
  upper("~h"[1:12] || '5' || "~h"[14:16] ||
    translate("~h"[17], '0123456789abcdef', '89ab89ab89ab89ab') || "~h"[18:32]))[1]

-- UUID5
list_transform([sha1(unhex(CASE WHEN "y" THEN "x" END) || encode('y'))], lambda "~h":
  upper("~h"[1:12] || '5' || "~h"[14:16] ||
    translate("~h"[17], '0123456789abcdef', '89ab89ab89ab89ab') || "~h"[18:32]))[1]

-- Hash
hash("x")

-- Hash
hash(CASE WHEN "y" THEN "x" END)

-- RowID
"x".rowid

-- RowID
"x".rowid

-- UniqueText
uuid()

-- UniqueText
uuid()

-- DistinctInLists
len(list_distinct(flatten("x")))

-- DistinctInLists
len(list_distinct(flatten(CASE WHEN "y" THEN "x" END)))

-- JoinLists
flatten("x")

-- JoinLists
flatten(CASE WHEN "y" THEN "x" END)

-- Unnest
unnest("x")

-- Unnest
unnest(CASE WHEN "y" THEN "x" END)

-- MapNames
map_keys("x")

-- MapNames
map_keys(CASE WHEN "y" THEN "x" END)

-- MapEntries
map_entries("x")

-- MapEntries
map_entries(CASE WHEN "y" THEN "x" END)

-- PresentEntries
list_sort(list_filter("x", lambda "~e": "~e"."value" IS NOT NULL))

-- PresentEntries
list_sort(list_filter(CASE WHEN "y" THEN "x" END, lambda "~e": "~e"."value" IS NOT NULL))

-- PairNames
list_transform("x", lambda "~p": "~p"."name")

-- PairNames
list_transform(CASE WHEN "y" THEN "x" END, lambda "~p": "~p"."name")

-- AllNamed
len(list_filter(
  TRY(json_extract("x", '$[*]')),
  lambda "~e": NOT json_exists("~e", '/name') AND NOT json_exists("~e", '/key')
)) = 0

-- AllNamed
len(list_filter(
  TRY(json_extract(CASE WHEN "y" THEN "x" END, '$[*]')),
  lambda "~e": NOT json_exists("~e", '/name') AND NOT json_exists("~e", '/key')
)) = 0

-- JSONNames
json_keys(TRY(json("x")))

-- JSONNames
json_keys(TRY(json(CASE WHEN "y" THEN "x" END)))

