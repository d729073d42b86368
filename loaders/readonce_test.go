package loaders

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// TestReadingOnce: members of JSON that are read by one call are what they are when each is
// read by itself, of text that is no JSON too, and under names that need quotes.
func TestReadingOnce(t *testing.T) {
	w := newWarehouse(t)
	w.write("a.parquet", `SELECT * FROM (VALUES ('{"a": {"b/c~d": 1}, "x": null, "it''s": [1], "": "e"}', 7), ('{"a": "t", "x": 1.50}', 8), ('no JSON', 9), (NULL, 10), ('[1, 2]', 11), ('{"x": "\ud800"}', 12)) v(j, "j texts")`)
	read := sqlast.ReadParquet{Files: []string{sqlast.FileName(w.dir + "/a.parquet")}}
	j := sqlast.Column{Name: "j"}
	member := func(fn sqlast.Fn, keys ...string) sqlast.Expr {
		args := []sqlast.Expr{j}
		for _, k := range keys {
			args = append(args, sqlast.Text(k))
		}
		return call(fn, args...)
	}
	text := func(keys ...string) sqlast.Expr { return member(sqlast.JSONText, keys...) }
	kind := func(keys ...string) sqlast.Expr { return member(sqlast.JSONKind, keys...) }
	var items []sqlast.Item
	for _, x := range []sqlast.Expr{
		text("a", "b/c~d"), text("x"), text("it's"), text(""), text("a"), kind("a"), kind("x"), kind("it's"), kind("none"), call(sqlast.Coalesce, text("a", "b/c~d"), text("x")),
		sqlast.Column{Name: "j texts"},
	} {
		items = append(items, sqlast.Item{X: x, As: "n" + string(rune('a'+len(items)))})
	}
	each := sqlast.Select{Items: items, From: read, OrderBy: []sqlast.Order{{X: sqlast.Column{Name: "j texts"}}}}
	once := readingOnce(sqlast.Select{Items: items, From: read})
	once.OrderBy = []sqlast.Order{{X: sqlast.Column{Name: "j texts"}}}
	var cells [][][]any
	for _, q := range []sqlast.Select{each, once} {
		printed, err := sqlast.Print(sqlast.DuckDB, q)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := w.engine.Query(t.Context(), printed)
		if err != nil {
			t.Fatal(err, printed)
		}
		cells = append(cells, rows.Cells)
		if n := strings.Count(printed, "json_extract_string"); len(cells) == 2 && n != 1 {
			t.Errorf("texts are read by %d calls in %s", n, printed)
		}
	}
	if diff := cmp.Diff(cells[0], cells[1]); diff != "" || len(cells[0]) != 6 {
		t.Errorf("(-each by itself +at once):\n%s", diff)
	}
}
