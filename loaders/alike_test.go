package loaders

import (
	"maps"
	"slices"
	"testing"

	"github.com/metricsjob/metricsjob/compiler"
)

// TestColumnsInTwoCases has the names that DuckDB makes of columns of Parquet:
// the second of those that differ only in case gets a number.
func TestColumnsInTwoCases(t *testing.T) {
	for _, c := range []struct{ names, inFile []string }{
		{[]string{"id", "ID_1", "Id_2"}, []string{"", "ID", "Id"}},
		{[]string{"id", "id_1", "ID_2"}, []string{"", "", "ID"}},
		{[]string{"amount_1", "amount_2"}, []string{"", ""}},
		{[]string{"ID_1", "id"}, []string{"", ""}},
		{[]string{"id", "ID_", "ID_x", "_1"}, []string{"", "", "", ""}},
	} {
		var columns []compiler.Column
		for _, name := range c.names {
			columns = append(columns, compiler.Column{Name: name})
		}
		inFiles(columns)
		var got []string
		for _, column := range columns {
			got = append(got, column.InFile)
		}
		if !slices.Equal(got, c.inFile) {
			t.Errorf("%q are in the file %q, not %q", c.names, got, c.inFile)
		}
	}
}

// TestHeadersInTwoCases names the columns of headers for an engine that takes
// names in another case for the same.
func TestHeadersInTwoCases(t *testing.T) {
	for _, c := range []struct {
		headers [][]string
		want    map[string]string
	}{
		{[][]string{{"id", "ts"}, {"ID", "ts"}}, map[string]string{"id": "id", "ID": "id", "ts": "ts"}},
		{[][]string{{"id", "ID"}, {"ID"}}, map[string]string{"id": "id", "ID": "ID_2"}},
		{[][]string{{"ID"}, {"id", "ID"}}, map[string]string{"ID": "ID", "id": "id_2"}},
		{[][]string{{"id", "ID", "Id", "id_2"}}, map[string]string{"id": "id", "ID": "ID_5", "Id": "Id_3", "id_2": "id_2"}},
	} {
		var headers []header
		for _, names := range c.headers {
			headers = append(headers, header{names: names})
		}
		if got := engineNames(headers); !maps.Equal(got, c.want) {
			t.Errorf("%q are called %v, not %v", c.headers, got, c.want)
		}
	}
}
