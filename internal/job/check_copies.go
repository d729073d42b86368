package job

import (
	"context"
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
)

// copies counts the copies of rows, and warns of rows with the same id that are
// not alike, and of ids that occur on several dates (semantics 2.4).
func (c *checker) copies(ctx context.Context) error {
	c.tell("looking at copies of rows")
	for _, s := range slices.Concat(c.catalog.Impressions, c.catalog.Events) {
		probe, every, ok := compiler.ProbeCopies(s)
		if !ok || s.Rows == 0 {
			continue
		}
		rows, err := c.query(ctx, probe)
		if err != nil {
			return err
		}
		where := "source " + s.Def.Name.V
		if every > 1 {
			where += fmt.Sprintf(", of one in %d ids", every)
		}
		copies, differing, several := whole(rows[0][0]).Int64(), whole(rows[0][1]).Int64(), whole(rows[0][2]).Int64()
		if s.Def.Dedupe.V == metrics.DedupeRow { // alike in all that is mapped, the date too
			if copies > 0 {
				c.fact("%s: %s", where, counted("%d {rows are copies|row is a copy} of others by row", copies))
			}
			continue
		}
		pos := s.Def.Columns.ID[0].Pos
		if copies > 0 {
			c.fact("%s: %s", where, counted("%d {rows are copies|row is a copy} of others by id", copies))
		}
		if differing > 0 {
			c.found.Warnf(pos, "copies-differ", "%s: %s", where, counted("%d {rows have copies|row has copies} by id that are not alike", differing)).
				WithHint("the smallest value of each column counts; if these are rows of their own, name a further column that tells them apart: id: [event_id, line]")
		}
		if several > 0 {
			c.found.Warnf(pos, "copies-on-other-dates", "%s: %s", where, counted("%d {ids occur|id occurs} on several dates, and {count|counts} on each", several)).
				WithHint("only rows of one date (in UTC) are copies of each other; see whether the export has rows again with a later timestamp")
		}
	}
	return nil
}
