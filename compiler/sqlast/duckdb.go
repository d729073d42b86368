package sqlast

// DuckDB is the dialect of DuckDB 1.5. What its functions do at the edges
// was measured; loaders' tests run every spelling.
//
// A CTE that is read once needs no hint: filters and unused columns pass
// through it into the scan. One that is read twice is kept.
var DuckDB = &Dialect{
	Name:        "duckdb",
	Quote:       '"',
	Char:        "chr({1})",
	Concat:      " || ",
	TempTable:   "CREATE OR REPLACE TEMP TABLE",
	ReadParquet: "read_parquet",
	AllBut:      "* EXCLUDE ({1})",
	UnionByName: "UNION ALL BY NAME",
	Attach:      "ATTACH IF NOT EXISTS {1} AS {2} (READ_ONLY)",
	// read_json with columns loses rows that follow a malformed line, and fails
	// where a line is an open bracket; reading lines as a whole does not.
	NDJSON: &NDJSONReader{
		Function: "read_ndjson_objects",
		Options:  "ignore_errors = true",
		Line:     "json",
		Fields:   "unnest(json_transform({1}, {2}))",
	},
	// What is detected is detected in the first rows alone, so nothing is. A row
	// that does not fit the header is passed over.
	CSV: &CSVReader{
		Function:  "read_csv",
		Options:   `auto_detect = false, header = true, quote = '"', escape = '"', comment = '', ignore_errors = true`,
		Columns:   "columns = {1}",
		Delimiter: "delim = {1}",
	},
	Bind: "list_transform([{1}], lambda {bound}: {2})[1]",
	// Parameters have names that no column has: in lambda p, p."name" is a field of
	// the column p where there is one.
	Bound: "~v",
	Types: map[Kind]string{
		Varchar:       "VARCHAR",
		Boolean:       "BOOLEAN",
		Integer:       "INTEGER",
		Bigint:        "BIGINT",
		Hugeint:       "HUGEINT",
		Decimal:       "DECIMAL({1}, {2})",
		Real:          "FLOAT",
		Double:        "DOUBLE",
		TimestampType: "TIMESTAMP",
		DateType:      "DATE",
		JSONType:      "JSON",
	},
	Functions: map[Fn]Spelling{
		Coalesce: "COALESCE",
		NullIf:   "NULLIF",
		Least:    "LEAST",
		Greatest: "GREATEST",

		// lower and upper know all of Unicode; translate is seventy times slower.
		LowerASCII: `CASE
  WHEN strlen({1}) = length({1}) THEN lower({1})
  ELSE translate({1}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
END`,
		UpperASCII: `CASE
  WHEN strlen({1}) = length({1}) THEN upper({1})
  ELSE translate({1}, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
END`,
		// trim leaves tabs and U+00A0, and is slow with a set of its own. \pZ and
		// these controls are the blanks of Unicode.
		TrimUnicode: `CASE
  WHEN regexp_matches({1}, '^[\t-\r\x{85}\pZ]|[\t-\r\x{85}\pZ]$')
    THEN regexp_replace({1}, '^[\t-\r\x{85}\pZ]+|[\t-\r\x{85}\pZ]+$', '', 'g')
  ELSE {1}
END`,
		Length:     "length",
		JoinTexts:  "concat",
		Contains:   "contains",
		StartsWith: "starts_with",
		EndsWith:   "ends_with",
		// Without options the flags are those of Go's regexp: case matters, a dot
		// is not a line break, ^ and $ are the ends of the text.
		RegexMatch: "regexp_matches",

		Abs:   "abs",
		Ceil:  "ceil",
		Sqrt:  "sqrt",
		Floor: "floor",
		Round: "round",
		Trunc: "trunc",
		Mod:   "mod",
		// NULLIF repeats its first argument inside, and three of them are three
		// times slower than this.
		Finite: "CASE WHEN isfinite({1}) THEN {1} END",

		// NaN is larger than all else.
		IntegerText: `CASE
  WHEN abs({1}) < 9007199254740992e0 AND trunc({1}) = {1}
    THEN CAST(CAST({1} AS BIGINT) AS VARCHAR)
END`,

		// A cast writes 2.0, 1.5e-07 and 1e+16.
		FloatText: `CASE
  WHEN abs({1}) < 9007199254740992e0 AND trunc({1}) = {1}
    THEN CAST(CAST({1} AS BIGINT) AS VARCHAR)
  WHEN contains(CAST({1} AS VARCHAR), 'e-')
    THEN CASE WHEN {1} < 0 THEN '-0.' ELSE '0.' END
      || repeat('0', CAST(regexp_extract(CAST({1} AS VARCHAR), '[0-9]+$') AS BIGINT) - 1)
      || regexp_replace(CAST({1} AS VARCHAR), '^-?([0-9])\.?([0-9]*)e.*$', '\1\2')
  WHEN contains(CAST({1} AS VARCHAR), 'e')
    THEN CASE WHEN {1} < 0 THEN '-' ELSE '' END
      || rpad(regexp_replace(CAST({1} AS VARCHAR), '^-?([0-9])\.?([0-9]*)e.*$', '\1\2'),
        CAST(regexp_extract(CAST({1} AS VARCHAR), '[0-9]+$') AS INTEGER) + 1, '0')
  ELSE regexp_replace(CAST({1} AS VARCHAR), '\.0$', '')
END`,
		TimeText: "(replace(CAST({1} AS VARCHAR), ' ', 'T') || 'Z')",

		// A product with a power of ten has no room in a DECIMAL of 38 digits.
		Unscaled: "CAST(replace(CAST({1} AS VARCHAR), '.', '') AS HUGEINT)",

		// TRY_CAST accepts 1_000, .5, 5., inf and 0x1f: a pattern first. Short
		// plain numbers are nearly all and cannot overflow.
		ParseNumber: `CASE
  WHEN strlen({1}) < 300 AND regexp_matches({1}, '^[+-]?[0-9]+(\.[0-9]+)?$')
    THEN TRY_CAST({1} AS DOUBLE)
  WHEN isfinite(TRY_CAST(regexp_extract({1}, '^[\t-\r\x{85}\pZ]*([+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)[\t-\r\x{85}\pZ]*$', 1) AS DOUBLE))
    THEN TRY_CAST(regexp_extract({1}, '([+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)', 1) AS DOUBLE)
END`,
		ParseInteger: `CASE
  WHEN strlen({1}) < 300 AND regexp_matches({1}, '^[+-]?[0-9]+$')
    THEN TRY_CAST({1} AS DOUBLE)
  WHEN regexp_matches({1}, '^[+-]?[0-9]+$') AND isfinite(TRY_CAST({1} AS DOUBLE))
    THEN TRY_CAST({1} AS DOUBLE)
END`,
		ParseBoolean: "CASE lower({1}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END",
		// A cast to TIMESTAMP drops the offset; one to TIMESTAMPTZ takes the
		// session's zone where there is none; both accept epoch and 2026-3-2, and
		// neither a blank before an offset or before Z, nor t or z.
		ParseTime: `CASE
  WHEN regexp_matches({1}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z?)?$')
    THEN TRY_CAST({1} AS TIMESTAMP)
  WHEN regexp_matches({1}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)? ?[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?$')
    THEN make_timestamp(epoch_us(TRY_CAST(regexp_replace(replace({1}, 't', 'T'), ' ([+-])', '\1') AS TIMESTAMPTZ)))
  WHEN regexp_matches({1}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?( ?(Z|z|UTC))?$')
    THEN TRY_CAST(regexp_replace(replace({1}, 't', 'T'), ' ?(Z|z|UTC)$', '') AS TIMESTAMP)
END`,
		MicrosToTime:      "TRY(make_timestamp({1}))",
		TimeToMicros:      "epoch_us",
		TimestampTZToTime: "make_timestamp(epoch_us({1}))",
		// A cast rounds towards zero, which is up before 1970.
		NanosToTime: "make_timestamp(epoch_ns({1}) // 1000 - CAST(epoch_ns({1}) % 1000 < 0 AS BIGINT))",
		DateOf:      "CAST({1} AS DATE)",
		ParseDay: `CASE
  WHEN regexp_matches({1}, '^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})(-([01][0-9]|2[0-3]))?$')
    THEN TRY_CAST(regexp_replace(replace({1}, '-', ''), '^(....)(..)(..).*$', '\1-\2-\3') AS DATE)
END`,

		MapValue: "{1}[{2}]",
		KeyPairs: `list_transform({1}, lambda "~p": {'name': "~p"."key", 'value': "~p"."value"})`,
		// map_from_entries fails on a name that is there twice.
		Parameters: `list_transform({1}, lambda "~p": {'name': "~p"."key", 'value': COALESCE(
  "~p"."value"."string_value", CAST("~p"."value"."int_value" AS VARCHAR),
  CAST("~p"."value"."double_value" AS VARCHAR), CAST("~p"."value"."float_value" AS VARCHAR))})`,
		PairValue: `list_filter({1}, lambda "~p": "~p"."name" = {2})[1]."value"`,
		JSONText:  "TRY(json_extract_string({1}, {2:pointer}))",
		JSONKind:  "TRY(json_type({1}, {2:pointer}))",
		JSONTexts: "TRY(json_extract_string({1}, {2:pointers}))",
		JSONKinds: "TRY(json_type({1}, {2:pointers}))",
		// As for stored parameters; text of JSON may be malformed.
		JSONPairs: `CASE
  WHEN TRY(json_type({1})) = 'OBJECT'
    AND TRY(json_type({1}, '/key_value')) IS DISTINCT FROM 'ARRAY'
    THEN list_transform(json_keys({1}), lambda "~k": {'name': "~k", 'value':
      json_extract_string({1}, '/' || replace(replace("~k", '~', '~0'), '/', '~1'))})
  ELSE list_transform(TRY(
    json_extract({1}, '$[*]') || json_extract({1}, '$.key_value[*]')), lambda "~p": {
    'name': COALESCE(json_extract_string("~p", '/name'), json_extract_string("~p", '/key')),
    'value': CASE
      WHEN json_type("~p", '/value') = 'OBJECT' AND json_exists("~p", '/key') THEN COALESCE(
        json_extract_string("~p", '/value/string_value'),
        json_extract_string("~p", '/value/int_value'),
        json_extract_string("~p", '/value/double_value'),
        json_extract_string("~p", '/value/float_value'))
      ELSE json_extract_string("~p", '/value')
    END})
END`,
		JSONElements: `CASE
  WHEN TRY(json_type({1})) = 'ARRAY' THEN json_extract({1}, '$[*]')
  ELSE [TRY(json({1}))]
END`,
		ListLength:   "len",
		ListElement:  "list_extract",
		ListElements: "CASE WHEN {1} IS NULL THEN [NULL] ELSE {1} END",
		JSONValid:    "json_valid",
		// Members in the order of their names, numbers as doubles.
		CanonicalJSON: `(
  SELECT string_agg(
    j.fullkey || ' ' || CASE
      WHEN j.type IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')
        THEN CAST(CAST(j.atom AS DOUBLE) AS VARCHAR)
      WHEN j.atom IS NULL THEN j.type
      ELSE CAST(j.atom AS VARCHAR)
    END, chr(10) ORDER BY j.fullkey)
  FROM json_tree(TRY(json({1}))) AS j
)`,
		// Half of a SHA-1 over the bytes of both, with the digits of the version
		// and of the variant put in.
		UUID5: `list_transform([sha1(unhex({1}) || encode({2}))], lambda "~h":
  upper("~h"[1:12] || '5' || "~h"[14:16] ||
    translate("~h"[17], '0123456789abcdef', '89ab89ab89ab89ab') || "~h"[18:32]))[1]`,
		Hash:  "hash",
		RowID: "{1}.rowid",
		// Never part of a result: it keeps rows without an id apart.
		UniqueText:      "uuid",
		DistinctInLists: "len(list_distinct(flatten({1})))",
		JoinLists:       "flatten",
		Unnest:          "unnest",
		MapNames:        "map_keys",
		MapEntries:      "map_entries",
		PresentEntries:  `list_sort(list_filter({1}, lambda "~e": "~e"."value" IS NOT NULL))`,
		PairNames:       `list_transform({1}, lambda "~p": "~p"."name")`,
		AllNamed: `len(list_filter(
  TRY(json_extract({1}, '$[*]')),
  lambda "~e": NOT json_exists("~e", '/name') AND NOT json_exists("~e", '/key')
)) = 0`,
		JSONNames: "json_keys(TRY(json({1})))",
	},
}
