package loaders

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
)

// footerChunk is how many files one query about footers reads, so that a run
// over many files can be interrupted.
const footerChunk = 1000

// footer is what the footer of a file says.
type footer struct {
	rows  int64
	bytes int64
	// unreadable are the lines that are no rows.
	unreadable int64
	columns    map[string]*bounds // of the columns that were asked for, by lower-case name
}

// bounds are what is known of the values of a column in one file or several.
type bounds struct {
	// nulls is the number of missing values; it is known only if counted.
	nulls   int64
	counted bool
	// bounded reports whether min, max and the times below bound every value.
	// They are texts, in the engine's spelling of the column's type; a column
	// without values is bounded and has none.
	bounded bool
	min     []string
	max     []string
	// earliest and latest are min and max as instants, where timed.
	earliest, latest time.Time
	timed            bool
}

// add takes in the bounds of further rows.
func (b *bounds) add(other bounds) {
	b.nulls += other.nulls
	b.counted = b.counted && other.counted
	b.bounded = b.bounded && other.bounded
	b.timed = b.timed && other.timed
	b.min = append(b.min, other.min...)
	b.max = append(b.max, other.max...)
	if !other.earliest.IsZero() && (b.earliest.IsZero() || other.earliest.Before(b.earliest)) {
		b.earliest = other.earliest
	}
	if other.latest.After(b.latest) {
		b.latest = other.latest
	}
}

// neverNull reports whether no value is missing.
func (b *bounds) neverNull() bool { return b != nil && b.counted && b.nulls == 0 }

// neverEmpty reports whether no text is empty: the empty text is the smallest.
func (b *bounds) neverEmpty() bool { return b != nil && b.bounded && !slices.Contains(b.min, "") }

// between gives the smallest and largest value as numbers, where they are known.
func (b *bounds) between() (low, high *big.Rat) {
	if b == nil || !b.bounded {
		return nil, nil
	}
	for _, text := range slices.Concat(b.min, b.max) {
		v, ok := new(big.Rat).SetString(text)
		if !ok {
			return nil, nil
		}
		if low == nil || v.Cmp(low) < 0 {
			low = v
		}
		if high == nil || v.Cmp(high) > 0 {
			high = v
		}
	}
	return low, high
}

// times are the bounds of a column of timestamps in one file, where the kind
// of the column lets its footer tell; else zero.
func (b *bounds) times(kind compiler.ColumnKind, epoch string) (earliest, last time.Time) {
	if b == nil {
		return time.Time{}, time.Time{}
	}
	switch kind {
	case compiler.ColumnTimestamp, compiler.ColumnTimestampTZ, compiler.ColumnDate:
		if epoch == "" && b.timed {
			return b.earliest, b.latest
		}
	case compiler.ColumnInteger:
		if epoch != "" {
			return b.sinceEpoch(epochs[epoch].times, epochs[epoch].per)
		}
	}
	return time.Time{}, time.Time{}
}

// sinceEpoch reads the bounds of a column of whole numbers as instants; both
// are zero unless every number is one.
func (b *bounds) sinceEpoch(times, per int64) (earliest, last time.Time) {
	low, high := b.between()
	if low == nil || !low.IsInt() || !low.Num().IsInt64() || !high.IsInt() || !high.Num().IsInt64() {
		return earliest, last
	}
	least, most := low.Num().Int64(), high.Num().Int64()
	if from, to := epochRange(times, per); least < from || most > to {
		return earliest, last
	}
	instant := func(n int64) time.Time {
		if n < 0 {
			n -= per - 1
		}
		return time.UnixMicro(n * times / per).UTC()
	}
	return instant(least), instant(most)
}

// readFooters reads the footers of the files for the columns with the given
// lower-case names.
func readFooters(ctx context.Context, engine *Engine, files, columns []string) (map[string]*footer, error) {
	footers := map[string]*footer{}
	for chunk := range slices.Chunk(files, footerChunk) {
		for _, file := range chunk {
			size, err := engine.size(ctx, file)
			if err != nil {
				return nil, err
			}
			footers[file] = &footer{bytes: size, columns: map[string]*bounds{}}
		}
		// the first column stands for its row group
		rows, err := engine.Query(ctx, `SELECT file_name, lower(path_in_schema), column_id = 0, row_group_num_rows, num_values, stats_null_count, low, high,
  epoch_us(TRY_CAST(low AS TIMESTAMPTZ)), epoch_us(TRY_CAST(high AS TIMESTAMPTZ)), low_exact AND high_exact
FROM (
  SELECT *, coalesce(stats_min_value, stats_min) AS low, coalesce(stats_max_value, stats_max) AS high,
    coalesce(min_is_exact, true) AS low_exact, coalesce(max_is_exact, true) AS high_exact
  FROM parquet_metadata(`+fileList(chunk)+`)
  WHERE column_id = 0 OR list_contains(`+quoteList(columns)+`, lower(path_in_schema))
)`)
		if err != nil {
			return nil, err
		}
		for _, r := range rows.Cells {
			foot := footers[fileCalled(r[0])]
			if foot == nil {
				return nil, fmt.Errorf("duckdb calls a file %v that was not asked for", r[0])
			}
			if r[2] == true {
				foot.rows += r[3].(int64)
			}
			name, group := r[1].(string), rowGroup(r[4:])
			if known, ok := foot.columns[name]; ok {
				known.add(group)
			} else {
				foot.columns[name] = &group
			}
		}
		for _, file := range chunk {
			footers[file].complete(columns)
		}
	}
	return footers, nil
}

// complete says of the columns that the file does not have that all of their
// values are missing.
func (f *footer) complete(columns []string) {
	for _, name := range columns {
		if f.columns[name] == nil {
			f.columns[name] = &bounds{nulls: f.rows, counted: true, bounded: true, timed: true}
		}
	}
}

// rowGroup reads the cells of a row group: values, missing ones, smallest,
// largest, both as microseconds since 1970, and whether they are exact.
func rowGroup(cells []any) bounds {
	var b bounds
	values, _ := cells[0].(int64)
	b.nulls, b.counted = cells[1].(int64)
	if b.counted && b.nulls == values {
		b.bounded, b.timed = true, true
		return b
	}
	low, hasLow := cells[2].(string)
	high, hasHigh := cells[3].(string)
	if !hasLow || !hasHigh {
		return b
	}
	b.bounded, b.min, b.max = true, []string{low}, []string{high}
	first, okFirst := cells[4].(int64)
	last, okLast := cells[5].(int64)
	if okFirst && okLast && cells[6] == true {
		b.timed, b.earliest, b.latest = true, time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	}
	return b
}

// merged gives the bounds of a column over all files, or nil where a footer
// says nothing of it.
func merged(footers map[string]*footer, files []compiler.File, column string) *bounds {
	total := &bounds{counted: true, bounded: true, timed: true}
	for _, f := range files {
		part := footers[f.Path].columns[column]
		if part == nil {
			return nil
		}
		total.add(*part)
	}
	return total
}
