package compiler

import (
	"testing"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

func TestApart(t *testing.T) {
	table := func(name string) Statement { return Statement{SQL: sqlast.CreateTable{Name: name}} }
	drop := func(name string) Statement { return Statement{SQL: sqlast.DropTable{Name: name}} }
	for _, c := range []struct {
		list []Statement
		want string
	}{
		{[]Statement{table("derived a"), table("derived b"), drop("derived a"), table("derived a")}, ""},
		{[]Statement{table("derived a"), table("derived b"), table("Derived a")}, `two tables are called "Derived a"`},
	} {
		got := ""
		if err := Apart(c.list); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
