package compiler

import (
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// rowAlias is the alias of the relation that reads a source.
const rowAlias = "r"

func inRow(x sqlast.Expr) sqlast.Expr { return sqlast.Qualify(x, rowAlias) }

const day = 24 * time.Hour

// Between gives the source with the files that can hold rows with from <= ts <
// to, as far as the days of its partitions tell. Which rows exist does not
// depend on it: conditions say that again for each row. Files that the schema
// needs stay, and so does the first file where none would, so that statements
// over the source remain valid.
func (s *Source) Between(from, to time.Time) *Source {
	if s.PartitionDay == nil {
		return s
	}
	first := dayOf(from).Add(-s.Def.Partition.Early)
	last := dayOf(to.Add(-time.Microsecond)).Add(s.Def.Partition.Late)
	var keep []File
	for _, f := range s.Files {
		if f.Anchor || !f.HasDay || !f.Day.Before(first) && !f.Day.After(last) {
			keep = append(keep, f)
		}
	}
	switch len(keep) {
	case len(s.Files):
		return s
	case 0:
		keep = s.Files[:1:1]
	}
	pruned := *s
	pruned.Files, pruned.Rows, pruned.Bytes, pruned.Read = keep, 0, 0, s.of(keep)
	for _, f := range keep {
		pruned.Rows += f.Rows
		pruned.Bytes += f.Bytes
	}
	return &pruned
}

// Of is the relation of some files of the source, for what the others add
// nothing to. Where their columns would be unknown without the others, it is
// all of them.
func (s *Source) Of(files []File) sqlast.From {
	if s.Differs || len(files) == len(s.Files) {
		return s.Read
	}
	return s.of(files)
}

func (s *Source) of(files []File) sqlast.From {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = sqlast.FileName(f.Path)
	}
	return sqlast.OfFiles(s.Read, names)
}

// read gives the relation of the files that can hold rows of [from, to).
func (s *Source) read(from, to time.Time) sqlast.From {
	return s.Between(from, to).whole()
}

// whole is the relation of all files of the source.
func (s *Source) whole() sqlast.From {
	return sqlast.Aliased(s.Read, rowAlias)
}

// exists are the conditions under which a row of the source exists at all
// (semantics 2): its own where, the day of its partition, an instant in
// [from, to), with the zero time as from in one before to.
func (s *Source) exists(from, to time.Time) sqlast.And {
	at := inRow(s.Time.SQL)
	var conds sqlast.And
	if !from.IsZero() {
		conds = append(conds, compare(sqlast.GreaterEq, at, sqlast.Timestamp(from)))
	}
	conds = append(conds, compare(sqlast.Less, at, sqlast.Timestamp(to)))
	if s.PartitionDay != nil && !s.inPartitions() {
		conds = append(conds, s.nearPartition(at)...)
	}
	if s.Where != nil {
		conds = append(conds, inRow(s.Where))
	}
	return conds
}

// nearPartition are the conditions of an instant that lies near enough to the
// day of its row's partition: the day lies in [day(ts) - early, day(ts) + late],
// said of ts, so that the arithmetic is on the day, which is the same for a
// whole file. Rows of partitions without a day are near all.
func (s *Source) nearPartition(at sqlast.Expr) sqlast.And {
	ds := sqlast.Cast{X: inRow(s.PartitionDay), To: sqlast.Type{Kind: sqlast.TimestampType}}
	p := s.Def.Partition
	near := sqlast.And{
		compare(sqlast.GreaterEq, at, plus(ds, -p.Late)),
		compare(sqlast.Less, at, plus(ds, p.Early+day)),
	}
	if s.DaysKnown() {
		return near
	}
	return sqlast.And{sqlast.Or{sqlast.IsNull{X: ds}, near}}
}

// DaysKnown reports whether all files of a source with a partition have a day.
func (s *Source) DaysKnown() bool {
	return !slices.ContainsFunc(s.Files, func(f File) bool { return !f.HasDay })
}

// inPartitions reports whether the footers prove that every row lies near
// enough to the day of its partition.
func (s *Source) inPartitions() bool {
	p := s.Def.Partition
	for _, f := range s.Files {
		proved := f.Rows == 0 || !f.HasDay || !f.MinTime.IsZero() && !f.MinTime.Before(f.Day.Add(-p.Late)) && f.MaxTime.Before(f.Day.Add(p.Early+day))
		if !proved {
			return false
		}
	}
	return true
}

// stored is the id as it is stored, where the field is that but for empty
// text, which is no id; else nil.
func (u *UnitField) stored() sqlast.Expr {
	c, ok := u.SQL.(sqlast.Call)
	if !ok || c.Fn != sqlast.NullIf || !sqlast.Equal(c.Args[1], sqlast.Text("")) {
		return nil
	}
	return inRow(c.Args[0])
}

// isUnit says that the row is of the unit x. No exposed unit has an empty id,
// so that the id can be compared as it is stored.
func (u *UnitField) isUnit(x sqlast.Expr) sqlast.Expr {
	if id := u.stored(); id != nil {
		return compare(sqlast.Eq, id, x)
	}
	return compare(sqlast.Eq, inRow(u.SQL), x)
}

// present gives the id and the condition that there is one.
func (u *UnitField) present() (id, cond sqlast.Expr) {
	if id := u.stored(); id != nil {
		return id, compare(sqlast.NotEq, id, sqlast.Text(""))
	}
	return inRow(u.SQL), notNull(inRow(u.SQL))
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(day) }

// nextDay is the first midnight at or after t.
func nextDay(t time.Time) time.Time {
	if d := dayOf(t); !d.Equal(t) {
		return d.Add(day)
	}
	return t
}
