package convert

import (
	"context"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// extendPlan looks at further inputs, and plans chunks of theirs after those that are
// there. The parts of these get the types of their own values: a run reads parts
// of types that one type holds together.
func (c *conversion) extendPlan(ctx context.Context, format metrics.FileFormat) error {
	p := c.plan
	if format != p.Format {
		return mistakef("%s is %s, and the folder holds a conversion of %s", c.added[0].Path, format, p.Format).withHint("convert it into a folder of its own")
	}
	found, err := c.look(ctx, c.added, format)
	if err != nil {
		return err
	}
	columns, err := found.columns(c.added, format, p.Options.Rows)
	if err != nil {
		return err
	}
	if columns, err = p.settle(columns, found.rows); err != nil {
		return err
	}
	if err := p.nameOfDays(columns); err != nil {
		return err
	}
	for _, chunk := range found.chunks {
		for i := range chunk.Segments {
			chunk.Segments[i].Input += len(p.Inputs)
		}
		chunk.Columns = columns
	}
	inBatches(found.chunks, p.Chunks[len(p.Chunks)-1].Batch+1, c.batchSize())
	p.Inputs = append(p.Inputs, c.added...)
	p.Chunks = append(p.Chunks, found.chunks...)
	if len(found.chunks) > 0 {
		if _, err := p.of(len(p.Chunks) - 1).timeSQL(); err != nil {
			return err
		}
	}
	return c.savePlan(ctx)
}

// settle gives the columns of further rows their types: those of earlier parts where
// they say nothing of their own, or where these hold every value. The error names
// a column that would be something else than before.
func (p *plan) settle(columns []loaders.NewColumn, rows *shape) ([]loaders.NewColumn, error) {
	anything := jsonType
	if p.Format == metrics.FormatCSV {
		anything = "VARCHAR"
	}
	before := p.typesBefore()
	columns = append(columns, missing(columns, p.Columns)...) // so that the time is a column of all
	for i, c := range columns {
		was, known := before[c.Name]
		if !known {
			continue
		}
		at, seen := rows.byName[c.Name]
		if was == anything || !seen || rows.members[at].shape.kinds == 0 {
			columns[i].Type = was
		}
	}
	for _, earlier := range p.columnSets() {
		if name, was, is, ok := loaders.Clash(earlier, columns); ok {
			return nil, mistakef("%s is %s in the further files, and %s in those that were converted before", name, is, was).
				withHint("convert them into a folder of their own, or all of them again with --anew")
		}
	}
	return columns, nil
}

// missing are the columns of all that some lack, in whatever case.
func missing(some, all []loaders.NewColumn) (lacking []loaders.NewColumn) {
	for _, c := range all {
		if !slices.ContainsFunc(some, func(o loaders.NewColumn) bool { return strings.EqualFold(o.Name, c.Name) }) {
			lacking = append(lacking, c)
		}
	}
	return lacking
}

// columnSets are the columns of the parts that are planned.
func (p *plan) columnSets() [][]loaders.NewColumn {
	sets := [][]loaders.NewColumn{p.Columns}
	for _, chunk := range p.Chunks {
		if chunk.Columns != nil && !slices.Equal(chunk.Columns, sets[len(sets)-1]) {
			sets = append(sets, chunk.Columns)
		}
	}
	return sets
}

// typesBefore are the types that columns had last.
func (p *plan) typesBefore() map[string]string {
	types := map[string]string{}
	for _, columns := range p.columnSets() {
		for _, c := range columns {
			types[c.Name] = c.Type
		}
	}
	return types
}

// nameOfDays makes sure that the days have a name of their own.
func (p *plan) nameOfDays(columns []loaders.NewColumn) error {
	name := p.Options.Partition
	if slices.ContainsFunc(columns, func(c loaders.NewColumn) bool { return strings.EqualFold(c.Name, name) }) {
		return mistakef("the rows have a column %s already, and one more would be the days of the folders", name).withHint("give the days another name: --partition day")
	}
	return nil
}
