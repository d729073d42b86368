package loaders

import (
	"context"
	"fmt"
	"strings"
)

// NewColumn is a column of a file to be written.
type NewColumn struct {
	Name string
	Type string // as the engine spells it, e.g. TIMESTAMP or DECIMAL(18, 2)
}

// NewCell is a value of a row to be written: nil is NULL, text is read as the
// type of its column, and pairs of text make a MAP.
type NewCell any

// Pairs are the entries of a MAP of texts.
type Pairs [][2]string

// WriteParquet writes rows as a Parquet file, in a folder that the engine may
// read. It is for a few rows that somebody wrote down.
func (e *Engine) WriteParquet(ctx context.Context, path string, columns []NewColumn, rows [][]NewCell) error {
	var b strings.Builder
	b.WriteString("COPY (")
	if len(rows) == 0 {
		b.WriteString(selectCells(columns, make([]NewCell, len(columns))) + " WHERE false")
	}
	for i, row := range rows {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		b.WriteString(selectCells(columns, row))
	}
	fmt.Fprintf(&b, ") TO %s (FORMAT parquet)", quoteText(path))
	if err := e.Exec(ctx, b.String()); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// selectCells is a SELECT of one row.
func selectCells(columns []NewColumn, row []NewCell) string {
	var items []string
	for i, c := range columns {
		items = append(items, fmt.Sprintf(`CAST(%s AS %s) AS "%s"`, cellLiteral(row[i]), c.Type, strings.ReplaceAll(c.Name, `"`, `""`)))
	}
	return "SELECT " + strings.Join(items, ", ")
}

func cellLiteral(cell NewCell) string {
	switch cell := cell.(type) {
	case nil:
		return "NULL"
	case string:
		return quoteText(cell)
	case Pairs:
		var entries []string
		for _, p := range cell {
			entries = append(entries, quoteText(p[0])+": "+quoteText(p[1]))
		}
		return "MAP {" + strings.Join(entries, ", ") + "}"
	}
	panic(fmt.Sprintf("loaders: no case for %T", cell))
}
