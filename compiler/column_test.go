package compiler

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
)

func text(name string) Column {
	return Column{Name: name, Type: ColumnType{Kind: ColumnText, Name: "VARCHAR"}}
}

func kind(name string, k ColumnKind, spelt string) Column {
	return Column{Name: name, Type: ColumnType{Kind: k, Name: spelt}}
}

var exportColumns = []Column{
	text("user_id"), text("event name"), text("context.key"), text("payload"),
	kind("amount", ColumnFloat, "DOUBLE"), kind("cents", ColumnInteger, "BIGINT"), kind("is_test", ColumnBoolean, "BOOLEAN"),
	kind("ts", ColumnTimestamp, "TIMESTAMP"), kind("ns", ColumnTimestampNS, "TIMESTAMP_NS"),
	kind("tz", ColumnTimestampTZ, "TIMESTAMP WITH TIME ZONE"), kind("day", ColumnDate, "DATE"),
	kind("doc", ColumnJSON, "JSON"), kind("id", ColumnUUID, "UUID"), kind("blob", ColumnOther, "BLOB"), kind("value", ColumnInteger, "BIGINT"),
	{Name: "context", Type: ColumnType{Kind: ColumnStruct, Name: "STRUCT(key VARCHAR, …)", Fields: []Column{
		text("key"), {Name: "device", Type: ColumnType{Kind: ColumnStruct, Name: "STRUCT(os VARCHAR)", Fields: []Column{text("os")}}}}}},
	{Name: "props", Type: ColumnType{Kind: ColumnMap, Name: "MAP(VARCHAR, VARCHAR)", Elem: &ColumnType{Kind: ColumnText, Name: "VARCHAR"}}},
	{Name: "tags", Type: listOf(text("name"), text("value"))},
	{Name: "labels", Type: listOf(text("key"), kind("value", ColumnInteger, "BIGINT"))},
	{Name: "wrapped", Type: ColumnType{Kind: ColumnStruct, Name: "STRUCT(key_value …)", Fields: []Column{{Name: "key_value", Type: listOf(text("key"), text("value"))}}}},
}

// listOf is the type of a list of STRUCTs.
func listOf(fields ...Column) ColumnType {
	return ColumnType{Kind: ColumnList, Name: "STRUCT(…)[]", Elem: &ColumnType{Kind: ColumnStruct, Name: "STRUCT(…)", Fields: fields}}
}

// TestCompileColumn has the SQL and the type of each form of entry.
func TestCompileColumn(t *testing.T) {
	finite := `CASE WHEN isfinite(CAST("amount" AS DOUBLE)) THEN CAST("amount" AS DOUBLE) END`
	guard := `lambda "~v": CASE WHEN isfinite("~v") THEN "~v" END )[1]`
	for _, c := range []struct{ src, sql, typ string }{
		{"user_id", `"user_id"`, "VARCHAR"},
		{" user_id ", `"user_id"`, "VARCHAR"},
		{"event name", `"event name"`, "VARCHAR"},
		{"amount", `"amount"`, "DOUBLE"}, // as stored: the reader guards it
		{"value", `"value"`, "BIGINT"},
		{"ns", `"ns"`, "TIMESTAMP_NS"},
		{"context.key", `"context.key"`, "VARCHAR"}, // the exact name wins
		{`context["key"]`, `("context")."key"`, "VARCHAR"},
		{"context.device.os", `("context")."device"."os"`, "VARCHAR"},
		{"context.device", `("context")."device"`, "STRUCT(os VARCHAR)"},
		{"props.sku", `"props"['sku']`, "VARCHAR"},
		{`props["item.sku"]`, `"props"['item.sku']`, "VARCHAR"},
		{`props['it s']`, `"props"['it s']`, "VARCHAR"},
		{"tags.country", `list_filter("tags", lambda "~p": "~p"."name" = 'country')[1]."value"`, "VARCHAR"},
		{"labels.size", `list_filter(list_transform("labels", lambda "~p": {'name': "~p"."key", 'value': "~p"."value"}), lambda "~p": "~p"."name" = 'size')[1]."value"`, "BIGINT"},
		{"labels.0.key", `list_extract("labels", 1)."key"`, "VARCHAR"}, // a number is a place
		{"wrapped.sku", `list_filter(list_transform(("wrapped")."key_value", lambda "~p": {'name': "~p"."key", 'value': "~p"."value"}), lambda "~p": "~p"."name" = 'sku')[1]."value"`, "VARCHAR"},
		{"wrapped.key_value.sku", `list_filter(list_transform(("wrapped")."key_value", lambda "~p": {'name': "~p"."key", 'value': "~p"."value"}), lambda "~p": "~p"."name" = 'sku')[1]."value"`, "VARCHAR"},
		{"doc", `"doc"`, "JSON"},
		{"payload.user.id", `TRY(json_extract_string("payload", '/user/id'))`, "JSON"},
		{"doc.a", `TRY(json_extract_string("doc", '/a'))`, "JSON"},
		{`doc.a ?? payload["b c"]`, `COALESCE(TRY(json_extract_string("doc", '/a')), TRY(json_extract_string("payload", '/b c')))`, "VARCHAR"},
		{`doc ?? "none"`, `COALESCE(TRY(json_extract_string("doc", '')), 'none')`, "VARCHAR"},
		{`doc.flag == true`, jsonAs("CASE lower({1}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END") + " IS NOT DISTINCT FROM TRUE", "BOOLEAN"},
		{`doc.flag ? doc.a : nil`, "", "VARCHAR"},
		{`doc.n > 3 and doc.n in [4, 5]`, "", "BOOLEAN"},
		{`doc.a in ["x", "y"]`, `COALESCE(TRY(json_extract_string("doc", '/a')) IN ('x', 'y'), FALSE)`, "BOOLEAN"},
		{`doc.a == nil and doc.b != doc.c`, `TRY(json_extract_string("doc", '/a')) IS NULL AND TRY(json_extract_string("doc", '/b')) IS DISTINCT FROM TRY(json_extract_string("doc", '/c'))`, "BOOLEAN"},
		{`doc.at >= ts`, "", "BOOLEAN"},
		{`text(doc.a)`, `TRY(json_extract_string("doc", '/a'))`, "VARCHAR"},
		{`lower(doc.a)`, "", "VARCHAR"},
		{`number(doc.a) ?? doc.n`, "", "DOUBLE"},
		{`-doc.n * 2`, "", "DOUBLE"},
		{"amount * 100", "list_transform([" + finite + " * 100e0], " + guard, "DOUBLE"},
		{"cents / 100", `CAST("cents" AS DOUBLE) / 100e0`, "DOUBLE"},
		{`user_id ?? props.sku`, `COALESCE("user_id", "props"['sku'])`, "VARCHAR"},
		{`context.device.os == "ios"`, `("context")."device"."os" IS NOT DISTINCT FROM 'ios'`, "BOOLEAN"},
		{`text(cents) ?? id`, "", "VARCHAR"},
		{`is_test ? nil : ts`, `CASE WHEN "is_test" THEN CAST(NULL AS TIMESTAMP) ELSE CAST("ts" AS TIMESTAMP) END`, "TIMESTAMP"},
		{`ns ?? tz ?? day`, "", "TIMESTAMP"},
	} {
		var list diag.List
		x, typ, ok := CompileColumn(expression(c.src), exportColumns, &list)
		if !ok {
			t.Errorf("%s: %v", c.src, list)
			continue
		}
		got, err := sqlast.PrintExpr(sqlast.DuckDB, x)
		if err != nil {
			t.Fatal(err)
		}
		got = strings.Join(strings.Fields(got), " ")
		if c.sql != "" && got != c.sql {
			t.Errorf("%s: got  %s\nwant %s", c.src, got, c.sql)
		}
		if typ.Name != c.typ {
			t.Errorf("%s: got the type %s, want %s", c.src, typ.Name, c.typ)
		}
	}
}

// jsonAs is a reading of the member flag of the column doc.
func jsonAs(reading string) string {
	return strings.ReplaceAll(reading, "{1}", `TRY(json_extract_string("doc", '/flag'))`)
}

// TestNames has the words that may be columns.
func TestNames(t *testing.T) {
	for src, want := range map[string][]string{
		"user_id":                            {"user_id"},
		"events.context.key ?? context.key":  {"events", "context"},
		`lower(props["a b"]) == "x" ? a : b`: {"props", "a", "b"},
		"not (a.b == nil) and a in [1, 2]":   {"a"},
		`"unclosed`:                          nil,
	} {
		if diff := cmp.Diff(want, Names(expression(src))); diff != "" {
			t.Errorf("%s: %s", src, diff)
		}
	}
}

// TestColumnMistakes has the whole messages.
func TestColumnMistakes(t *testing.T) {
	all := "there are user_id, event name, context.key, payload, amount, cents, is_test, ts, …"
	for _, c := range []struct{ src, want string }{
		{"user_idd", "m.yaml:1:1: there is no column \"user_idd\"\n    hint: did you mean \"user_id\"?"},
		{"event nam", "m.yaml:1:1: there is no column \"event nam\"\n    hint: did you mean \"event name\"?"},
		{"zzzzzzzz", "m.yaml:1:1: there is no column \"zzzzzzzz\"\n    hint: " + all},
		{"context.kee", "m.yaml:1:1: there is no field \"kee\" in context\n    hint: did you mean \"key\"?"},
		{"context.device.browser", "m.yaml:1:1: there is no field \"browser\" in context.device\n    hint: there are os"},
		{"cents.x", "m.yaml:1:1: column cents is of type BIGINT, it holds no values by name"},
		{"amount + zzzzzzzz", "m.yaml:1:10: there is no column \"zzzzzzzz\"\n    hint: " + all},
		{"lower(blob)", "m.yaml:1:7: column blob is of type BLOB, which expressions cannot read"},
		{"lower(props)", "m.yaml:1:7: column props is of type MAP(VARCHAR, VARCHAR), not a single value\n    hint: name one of its values: props.key or props[\"key\"]"},
		{"vwo_uuid(user_id)", "m.yaml:1:1: vwo_uuid takes the id of a user and the account, not 1 values\n    hint: write vwo_uuid(user_id, \"12345\")"},
		{"vwo_uuid(is_test, payload)", "m.yaml:1:10: vwo_uuid() needs a text, this is a condition\n    hint: write text(is_test)"},
		{"amount == \"3\"", "m.yaml:1:11: a text stands against a number with ==\n    hint: leave out the quotes: 3"},
	} {
		var list diag.List
		if _, _, ok := CompileColumn(expression(c.src), exportColumns, &list); ok {
			t.Errorf("%s: is accepted", c.src)
		}
		if diff := cmp.Diff(c.want, list.Error()); diff != "" {
			t.Errorf("%s: %s", c.src, diff)
		}
	}
}

// TestFieldsOfAlternatives: of two alternatives one may be a field that a STRUCT has
// not, which is said; a column that is nowhere is a mistake, and so are two such fields.
func TestFieldsOfAlternatives(t *testing.T) {
	for _, c := range []struct{ src, sql, said string }{
		{`context.kee ?? user_id`, `"user_id"`, "m.yaml:1:1: warning: there is no field \"kee\" in context, so that the other value counts alone\n    hint: did you mean \"key\"?"},
		{`user_id ?? context.kee`, `"user_id"`, "m.yaml:1:12: warning: there is no field \"kee\" in context, so that the other value counts alone\n    hint: did you mean \"key\"?"},
		{`zzzzzzzz ?? user_id`, "", "m.yaml:1:1: there is no column \"zzzzzzzz\"\n    hint: there are user_id, event name, context.key, payload, amount, cents, is_test, ts, …"},
		{`context.device.a ?? context.device.b`, "", "m.yaml:1:1: there is no field \"a\" in context.device\n    hint: there are os\nm.yaml:1:21: there is no field \"b\" in context.device\n    hint: there are os"},
	} {
		var list diag.List
		x, _, ok := CompileColumn(expression(c.src), exportColumns, &list)
		if diff := cmp.Diff(c.said, list.Error()); diff != "" {
			t.Errorf("%s: %s", c.src, diff)
		}
		got := ""
		if ok {
			var err error
			if got, err = sqlast.PrintExpr(sqlast.DuckDB, x); err != nil {
				t.Fatal(err)
			}
		}
		if got != c.sql {
			t.Errorf("%s: got %s, want %s", c.src, got, c.sql)
		}
	}
}

func TestCompileSourceWhere(t *testing.T) {
	var list diag.List
	x, ok := CompileSourceWhere(expression(`is_test != true and context.key == "a" and day >= "2026-03-02"`), exportColumns, &list)
	if !ok {
		t.Fatal(list)
	}
	got, err := sqlast.PrintExpr(sqlast.DuckDB, x)
	if err != nil {
		t.Fatal(err)
	}
	want := `"is_test" IS DISTINCT FROM TRUE
AND "context.key" = 'a'
AND CAST("day" AS TIMESTAMP) >= TIMESTAMP '2026-03-02 00:00:00'`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	list = nil
	if _, ok := CompileSourceWhere(expression("amount"), exportColumns, &list); ok || list.Error() !=
		"m.yaml:1:1: a condition is wanted, this is a number\n    hint: compare it: amount > 0" {
		t.Errorf("got %v", list)
	}
}
