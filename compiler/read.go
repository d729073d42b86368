package compiler

import (
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// rowAlias is the alias of the relation that reads a source.
const rowAlias = "r"

func inRow(x sqlast.Expr) sqlast.Expr { return sqlast.Qualify(x, rowAlias) }

const day = 24 * time.Hour

// read gives the relation of a source's files that can hold rows of [from,
// to), and how many of its files they are. Which rows exist does not depend
// on it: conditions say that again for each row.
func (s *Source) read(from, to time.Time) (sqlast.ReadParquet, int) {
	r := s.Read
	r.Alias = rowAlias
	if s.PartitionDay == nil {
		return r, len(s.Files)
	}
	first := dayOf(from).Add(-s.Def.Partition.Early)
	last := dayOf(to.Add(-time.Microsecond)).Add(s.Def.Partition.Late)
	var keep []string
	for _, f := range s.Files {
		if f.HasDay && !f.Anchor && (f.Day.Before(first) || f.Day.After(last)) {
			continue
		}
		keep = append(keep, f.Path)
	}
	if len(keep) == len(s.Files) {
		return r, len(keep)
	}
	if len(keep) == 0 {
		// No file can hold such rows; one file keeps the columns, the conditions drop its rows.
		keep = []string{s.Files[0].Path}
	}
	r.Files = keep
	return r, len(keep)
}

// exists are the conditions under which a row of the source exists at all
// (semantics 2): its own where, the day of its partition, an instant in [from, to).
func (s *Source) exists(from, to time.Time) sqlast.And {
	at := inRow(s.Time.SQL)
	conds := sqlast.And{
		compare(sqlast.GreaterEq, at, sqlast.Timestamp(from)),
		compare(sqlast.Less, at, sqlast.Timestamp(to)),
	}
	if s.PartitionDay != nil {
		ds := inRow(s.PartitionDay)
		date := call(sqlast.DateOf, at)
		p := s.Def.Partition
		conds = append(conds,
			compare(sqlast.GreaterEq, ds, compare(sqlast.Sub, date, sqlast.Interval(p.Early))),
			compare(sqlast.LessEq, ds, compare(sqlast.Add, date, sqlast.Interval(p.Late))))
	}
	if s.Where != nil {
		conds = append(conds, inRow(s.Where))
	}
	return conds
}

// key are the columns that make rows one by id, but for the unit and the
// event (or experiment): the id and the other mapped unit ids. A missing id
// equals nothing.
func (s *Source) idKey(unitKind string) []sqlast.Item {
	var out []sqlast.Item
	for i, f := range s.ID {
		x := inRow(f.SQL)
		if !f.NeverNull {
			x = call(sqlast.Coalesce, x, sqlast.Cast{X: call(sqlast.UniqueText), To: sqlast.Type{Kind: sqlast.Varchar}})
		}
		out = append(out, item(x, numbered("id", i, len(s.ID))))
	}
	for _, u := range s.Units {
		if u.Kind != unitKind {
			out = append(out, item(inRow(u.SQL), "units."+u.Kind))
		}
	}
	return out
}

func numbered(name string, i, n int) string {
	if n == 1 {
		return name
	}
	return name + "." + string(rune('1'+i))
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(day) }

// nextDay is the first midnight at or after t.
func nextDay(t time.Time) time.Time {
	if d := dayOf(t); !d.Equal(t) {
		return d.Add(day)
	}
	return t
}
