package convert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/loaders"
)

// rowColumns are the columns of rows: those of records, but with one element in
// place of the list of rows.
func (p *plan) rowColumns() ([]loaders.NewColumn, error) {
	if p.Options.Rows == "" {
		return p.Columns, nil
	}
	columns := slices.Clone(p.Columns)
	i := slices.IndexFunc(columns, func(c loaders.NewColumn) bool { return c.Name == p.Options.Rows })
	if i < 0 {
		return nil, mistakef("no record has the key %s", p.Options.Rows).withHint("--rows names a list of objects; there are %s", firstNames(columns))
	}
	elem, ok := strings.CutSuffix(columns[i].Type, "[]")
	if !ok {
		return nil, mistakef("%s is not a list of objects wherever a record has it", p.Options.Rows)
	}
	columns[i].Type = elem
	return columns, nil
}

// timeSQL is the expression for the time of a row.
func (p *plan) timeSQL() (string, error) {
	columns, err := p.rowColumns()
	if err != nil {
		return "", err
	}
	if p.plainTimes && slices.Contains(columns, loaders.NewColumn{Name: p.Time, Type: "VARCHAR"}) && p.Epoch == "" {
		return "TRY_CAST(" + quoteName(p.Time) + " AS TIMESTAMP)", nil
	}
	instant := loaders.InstantSQL
	if p.numbersOnly {
		instant = loaders.EpochSQL
	}
	sql, err := instant(p.Time, p.Epoch, columns)
	var list diag.List
	if errors.As(err, &list) {
		for i := range list {
			d := &list[i]
			if d.Code == "column-type" && strings.Contains(d.Hint, "epoch") && p.Epoch == "" {
				d.Hint = "say with --epoch whether it is in s, ms, us or ns since 1970"
			}
			if d.Hint == "" {
				d.Hint = "--timestamp names the column or path of the rows' time"
			}
		}
		return "", list
	}
	return sql, err
}

// dayColumn is the column of the day of a row; it is NULL where its time cannot
// be read.
const dayColumn = "__day"

// rowsSQL selects the rows of files of lines, in their order, with their day.
// Line is the number of the record, where wanted.
func (p *plan) rowsSQL(lines []string, withLine bool) (string, error) {
	when, err := p.timeSQL()
	if err != nil {
		return "", err
	}
	var read, rows, items []string
	for _, c := range p.Columns {
		name := quoteName(c.Name)
		read = append(read, quoteText(c.Name)+": "+quoteText(c.Type))
		item := name
		if c.Name == p.Time && (c.Type == "VARCHAR" || c.Type == jsonType) {
			item = `"__time" AS ` + name
		}
		if c.Name == p.Options.Rows { // a record without the list is a row
			rows = append(rows, "unnest(CASE WHEN "+name+" IS NULL THEN [NULL] ELSE "+name+" END) AS "+name)
		} else {
			rows = append(rows, name)
		}
		items = append(items, item)
	}
	if withLine {
		rows = append(rows, `"__line"`)
		items = []string{`"__line"`}
	}
	var names []string
	for _, file := range lines {
		names = append(names, quoteText(sqlast.FileName(file)))
	}
	from := fmt.Sprintf("read_json([%s], format = 'newline_delimited', columns = {%s})", strings.Join(names, ", "), strings.Join(read, ", "))
	if withLine {
		from = `(SELECT *, row_number() OVER () AS "__line" FROM ` + from + ")"
	}
	return fmt.Sprintf(`SELECT %s, CAST("__time" AS DATE) AS %s
FROM (SELECT *, %s AS "__time" FROM (SELECT %s FROM %s))`,
		strings.Join(items, ", "), quoteName(dayColumn), when, strings.Join(rows, ", "), from), nil
}

// rowsTable is the name of the table of the rows of a chunk.
const rowsTable = "chunk"

// unsortedDays is how many days a table is written by that is not sorted by them:
// of each day it is read as a whole.
const unsortedDays = 4

// The statements about the table of the rows of a chunk, from which they are written day
// by day: that costs the engine less than its PARTITION_BY where the days are few.
const (
	sortSQL   = "CREATE OR REPLACE TEMP TABLE " + rowsTable + ` AS FROM ` + rowsTable + ` ORDER BY "` + dayColumn + `", rowid`
	forgetSQL = "DROP TABLE " + rowsTable
)

// tableSQL makes a table of rows.
func tableSQL(rows string) string { return "CREATE TEMP TABLE " + rowsTable + " AS " + rows }

// daysSQL gives the days of rows, and how many each has.
func daysSQL(rows string) string {
	return fmt.Sprintf("SELECT CAST(%[1]s AS VARCHAR), count(*) FROM %[2]s GROUP BY %[1]s ORDER BY %[1]s", quoteName(dayColumn), rows)
}

// partSQL writes the rows of a day.
func (p *plan) partSQL(rows, day, file string) string {
	return fmt.Sprintf("COPY (SELECT * EXCLUDE (%[1]s) FROM %[5]s WHERE %[1]s = TRY_CAST(%[2]s AS DATE)) TO %[3]s (%[4]s)",
		quoteName(dayColumn), quoteText(day), quoteText(file), p.parquet(), rows)
}

// parquet is how the rows are written.
func (p *plan) parquet() string {
	return fmt.Sprintf("FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d, STRING_DICTIONARY_PAGE_SIZE_LIMIT %d", p.rowGroup(), p.dictionary())
}

// The bounds of a group of rows. The engine holds a group until it is full, and in it
// each value of each column, there or not, takes cellMemory at least: many columns
// make for short groups.
const (
	groupMemory = 24 << 20
	cellMemory  = 16
	mostRows    = 122_880 // the engine's own
	fewestRows  = 2_048   // what the engine handles at once
)

// rowGroup is how many rows a group has.
func (p *plan) rowGroup() int {
	rows := groupMemory / (cellMemory * p.cells())
	return min(max(rows-rows%fewestRows, fewestRows), mostRows)
}

// dictionary is how many bytes the dictionary of a column of texts may have. The engine takes
// them for each column at once.
func (p *plan) dictionary() int {
	const most = 1 << 20 // the engine's own
	return min(groupMemory/p.cells(), most)
}

// tableCells is how many values a row may have for the rows of a chunk to be a table, of which
// the engine holds a block for each column. Wider rows are read from the lines again for each
// day.
const tableCells = 128

// cells is about how many values a row has: one for each column, and for each field
// inside of one, whose names are quoted.
func (p *plan) cells() int {
	n := len(p.Columns)
	for _, c := range p.Columns {
		n += strings.Count(c.Type, `"`) / 2
	}
	return max(n, 1)
}

// untimed gives the numbers of the records, from 1, of which a row has no time,
// in order.
func (p *plan) untimed(ctx context.Context, engine *loaders.Engine, lines string) ([]int64, error) {
	rows, err := p.rowsSQL([]string{lines}, true)
	if err != nil {
		return nil, err
	}
	found, err := engine.Query(ctx, fmt.Sprintf(`SELECT DISTINCT "__line" FROM (%s) WHERE %s IS NULL ORDER BY 1`, rows, quoteName(dayColumn)))
	if err != nil {
		return nil, err
	}
	var numbers []int64
	for _, r := range found.Cells {
		numbers = append(numbers, r[0].(int64))
	}
	return numbers, nil
}

// epochs are the units of numbers since 1970.
var epochs = []string{"s", "ms", "us", "ns"}

// guessEpoch finds the unit in which most times of the first chunk lie between
// the years 2000 and 2100; empty where none does. The bounds of one unit are
// outside those of the others.
func (c *conversion) guessEpoch(ctx context.Context) (epoch string, err error) {
	err = c.onFirstChunk(ctx, func(engine *loaders.Engine, lines string) error {
		most := int64(0)
		for _, unit := range epochs {
			try := *c.plan
			try.Epoch, try.numbersOnly = unit, true
			rows, err := try.rowsSQL([]string{lines}, false)
			if err != nil {
				return err
			}
			found, err := engine.Query(ctx, fmt.Sprintf("SELECT count(*) FROM (%s) WHERE %s BETWEEN DATE '2000-01-01' AND DATE '2099-12-31'", rows, quoteName(dayColumn)))
			if err != nil {
				return err
			}
			if n := found.Cells[0][0].(int64); n > most {
				most, epoch = n, unit
			}
		}
		return nil
	})
	return epoch, err
}

// timeColumns are the columns among which that of the time may be.
func (p *plan) timeColumns() []loaders.NewColumn {
	columns, err := p.rowColumns()
	if err != nil {
		return p.Columns
	}
	return columns
}

// guessTime finds the time of the rows by the names of columns: that of the elements of the
// list of rows, where there is one. A record without the list is a row, so that its own time
// stands in for that of an element.
func (p *plan) guessTime(found *look) string {
	all := slices.Clone(p.timeColumns())
	for i, c := range all {
		if c.Type == jsonType && found.rows.numbersAndTexts(c.Name) {
			all[i].Type = "VARCHAR"
		}
	}
	list := p.Options.Rows
	i := slices.IndexFunc(all, func(c loaders.NewColumn) bool { return c.Name == list })
	if list == "" || i < 0 {
		return loaders.GuessTime(all)
	}
	record := loaders.GuessTime(slices.Delete(slices.Clone(all), i, i+1))
	at := found.rows.byName[list]
	element := loaders.GuessTime(found.rows.members[at].shape.elementColumns())
	if element == "" {
		return record
	}
	element = list + "." + element
	if both := element + " ?? " + record; aPath.MatchString(element) && aPath.MatchString(record) && p.readsTime(both, all) {
		return both
	}
	return element
}

// readsTime reports whether a path or expression can be read as a time, or as a number of a unit
// that is found later.
func (p *plan) readsTime(path string, columns []loaders.NewColumn) bool {
	_, err := loaders.InstantSQL(path, p.Epoch, columns)
	if err != nil && p.Epoch == "" {
		_, err = loaders.InstantSQL(path, epochs[0], columns)
	}
	return err == nil
}

// firstNames lists some columns.
func firstNames(columns []loaders.NewColumn) string {
	const shown = 12
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	if len(names) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}
