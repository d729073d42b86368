package loaders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// Horizon is what AsOf finds.
type Horizon struct {
	// AsOf is one microsecond after the largest timestamp that is not in the
	// future; zero where there is no row with a timestamp.
	AsOf time.Time
	// Future counts, for each source by name, the rows that were left aside:
	// their timestamp is later than now + 24 hours. Sources without any are
	// not in it.
	Future map[string]int64
}

// AsOf gives the default as-of instant over all rows of all sources of
// impressions and events. It reads footers alone where they settle it, and
// else scans the timestamp column of the files for which they do not.
func AsOf(ctx context.Context, engine *Engine, catalog *compiler.Catalog, now time.Time) (Horizon, error) {
	horizon := Horizon{Future: map[string]int64{}}
	cutoff := now.UTC().Truncate(time.Microsecond).Add(day)
	var last time.Time
	for _, src := range slices.Concat(catalog.Impressions, catalog.Events) {
		var open []compiler.File
		for _, f := range src.Files {
			switch {
			case f.Rows == 0:
			case f.MaxTime.IsZero() || f.MaxTime.After(cutoff):
				open = append(open, f)
			case f.MaxTime.After(last):
				last = f.MaxTime
			}
		}
		if len(open) == 0 {
			continue
		}
		late := sqlast.Binary{Op: sqlast.Greater, L: src.Time.SQL, R: sqlast.Timestamp(cutoff)}
		inTime := sqlast.Binary{Op: sqlast.LessEq, L: src.Time.SQL, R: sqlast.Timestamp(cutoff)}
		rows, err := scan(ctx, engine, src.Of(open),
			sqlast.Item{X: call(sqlast.TimeToMicros, sqlast.Aggregate{Fn: sqlast.Max, X: onlyIf(inTime, src.Time.SQL)}), As: "last"},
			tally(late, "future"))
		if err != nil {
			return Horizon{}, fmt.Errorf("find the latest timestamp of source %s: %w", src.Def.Name.V, err)
		}
		if us, ok := rows.Cells[0][0].(int64); ok && time.UnixMicro(us).After(last) {
			last = time.UnixMicro(us).UTC()
		}
		if n := rows.Cells[0][1].(int64); n > 0 {
			horizon.Future[src.Def.Name.V] = n
		}
	}
	if !last.IsZero() {
		horizon.AsOf = last.Add(time.Microsecond)
	}
	return horizon, nil
}

// Dropped counts rows of a source that do not exist (semantics 2) and values
// that are missing though something stood there, by reason.
//
// A row is counted under the first reason that holds, in the order of the
// fields from Where to NoEvent; NoUnit, NoID and Malformed are counted
// among the rows that are left, each on its own.
type Dropped struct {
	// Where: the source's where is not true.
	Where int64
	// NoTimestamp: the timestamp is missing or cannot be read.
	NoTimestamp int64
	// Partition: the partition day lies too far from the timestamp's date, of rows
	// before the as-of instant.
	Partition int64
	// NoEvent: the event key is missing or empty (event sources).
	NoEvent int64
	// NoUnit: the id is missing or empty, for each mapped unit kind.
	NoUnit map[string]int64
	// NoID: the ids of all mapped unit kinds are missing or empty.
	NoID int64
	// Malformed: properties or attributes are text that is no JSON, or JSON that
	// holds no values by name.
	Malformed int64
	// Unreadable: lines of files that are no rows at all.
	Unreadable int64
}

// Count counts what the files of a source lose. What footers prove absent is
// not looked for; the rest takes one scan over the columns concerned alone.
func Count(ctx context.Context, engine *Engine, src *compiler.Source, asOf time.Time) (Dropped, error) {
	d := Dropped{NoUnit: map[string]int64{}}
	losses := lossesOf(src, asOf, &d)
	var open []compiler.File
	for _, f := range src.Files {
		d.Unreadable += f.Unreadable
		if f.Rows > 0 && !(f.Whole && inPartition(src, f)) || f.Rows > 0 && losses.unproven {
			open = append(open, f)
		}
	}
	if len(open) == 0 || len(losses.items) == 0 {
		return d, nil
	}
	rows, err := scan(ctx, engine, src.Of(open), losses.items...)
	if err != nil {
		return d, fmt.Errorf("count the rows that source %s loses: %w", src.Def.Name.V, err)
	}
	for i, record := range losses.records {
		record(rows.Cells[0][i].(int64))
	}
	return d, nil
}

// losses are what one scan counts, and where each number goes.
type losses struct {
	items   []sqlast.Item
	records []func(int64)
	// unproven reports whether something is looked for that no footer settles.
	unproven bool
}

func (l *losses) add(name string, condition sqlast.Expr, record func(int64)) {
	l.items = append(l.items, tally(condition, name))
	l.records = append(l.records, record)
}

// lossesOf says under which conditions a row is counted. Each condition holds
// or not; it is never missing.
func lossesOf(src *compiler.Source, asOf time.Time, into *Dropped) *losses {
	l := &losses{}
	var left sqlast.And // what holds for the rows that no earlier reason has taken
	stage := func(name string, keep sqlast.Expr, field *int64, among ...sqlast.Expr) {
		l.add(name, slices.Concat(left, sqlast.And{sqlast.Not{X: keep}}, among), func(n int64) { *field = n })
		left = append(left, keep)
	}
	present := func(x sqlast.Expr) sqlast.Expr { return sqlast.IsNull{X: x, Not: true} }
	if src.Where != nil {
		l.unproven = true
		stage("where", call(sqlast.Coalesce, src.Where, sqlast.Bool(false)), &into.Where)
	}
	if src.Time.SQL != nil && !src.Time.NeverNull {
		stage("no_timestamp", present(src.Time.SQL), &into.NoTimestamp)
	}
	strays := slices.ContainsFunc(src.Files, func(f compiler.File) bool { return !inPartition(src, f) })
	if p := src.Def.Partition; p != nil && strays {
		date := call(sqlast.DateOf, src.Time.SQL)
		near := sqlast.Expr(sqlast.And{
			sqlast.Binary{Op: sqlast.GreaterEq, L: src.PartitionDay, R: sqlast.Binary{Op: sqlast.Sub, L: date, R: sqlast.Interval(p.Early)}},
			sqlast.Binary{Op: sqlast.LessEq, L: src.PartitionDay, R: sqlast.Binary{Op: sqlast.Add, L: date, R: sqlast.Interval(p.Late)}},
		})
		if !src.DaysKnown() {
			near = sqlast.Or{sqlast.IsNull{X: src.PartitionDay}, near}
		}
		exists := sqlast.Binary{Op: sqlast.Less, L: src.Time.SQL, R: sqlast.Timestamp(asOf)} // rows of later count for nothing, wherever they lie
		stage("partition", call(sqlast.Coalesce, near, sqlast.Bool(false)), &into.Partition, exists)
	}
	if src.Event.SQL != nil && !src.Event.NeverNull {
		stage("no_event", present(src.Event.SQL), &into.NoEvent)
	}
	none := slices.Clone(left)
	for _, u := range src.Units {
		if !u.NeverNull {
			l.add("no_unit."+u.Kind, append(slices.Clone(left), sqlast.IsNull{X: u.SQL}), func(n int64) { into.NoUnit[u.Kind] = n })
		}
		none = append(none, sqlast.IsNull{X: u.SQL})
	}
	if !slices.ContainsFunc(src.Units, func(u compiler.UnitField) bool { return u.NeverNull }) {
		l.add("no_id", none, func(n int64) { into.NoID = n })
	}
	var malformed sqlast.Or
	for _, b := range []compiler.Bag{src.Properties, src.Attributes} {
		if b.IsJSON() {
			malformed = append(malformed, sqlast.And{present(b.From), sqlast.Not{X: holdsNamedValues(b)}})
		}
	}
	if len(malformed) > 0 {
		l.unproven = true
		l.add("malformed", append(slices.Clone(left), malformed), func(n int64) { into.Malformed = n })
	}
	return l
}

// holdsNamedValues holds for JSON of a bag whose values can all be read by name:
// an object, null and the empty list, which have none, and a list of named values
// in a bag of such lists.
func holdsNamedValues(b compiler.Bag) sqlast.Expr {
	kind := call(sqlast.Coalesce, call(sqlast.JSONKind, b.From), sqlast.Text("")) // of what is no JSON, NULL
	named := binary(sqlast.Eq, call(sqlast.ListLength, call(sqlast.JSONElements, b.From)), sqlast.Int(0))
	if b.Form == compiler.BagJSONPairs {
		named = call(sqlast.AllNamed, b.From)
	}
	return sqlast.Or{
		sqlast.In{X: kind, List: []sqlast.Expr{sqlast.Text("OBJECT"), sqlast.Text("NULL")}},
		sqlast.And{binary(sqlast.Eq, kind, sqlast.Text("ARRAY")), named},
	}
}

// inPartition reports whether the footer of a file proves that the timestamps
// of its rows fit the day of its partition.
func inPartition(src *compiler.Source, f compiler.File) bool {
	p := src.Def.Partition
	if p == nil || f.Rows == 0 || !f.HasDay {
		return true
	}
	return !f.MinTime.IsZero() && f.Day.Sub(f.MaxTime.Truncate(day)) >= -p.Early && f.Day.Sub(f.MinTime.Truncate(day)) <= p.Late
}

// tally counts the rows for which a condition holds.
func tally(condition sqlast.Expr, name string) sqlast.Item {
	return sqlast.Item{X: sqlast.Aggregate{Fn: sqlast.Count, X: onlyIf(condition, sqlast.Int(1))}, As: name}
}

// scan reads aggregates over files in one pass.
func scan(ctx context.Context, engine *Engine, read sqlast.From, items ...sqlast.Item) (*Rows, error) {
	query, err := sqlast.Print(sqlast.DuckDB, readingOnce(sqlast.Select{Items: items, From: read}))
	if err != nil {
		return nil, err
	}
	return engine.Query(ctx, query)
}
