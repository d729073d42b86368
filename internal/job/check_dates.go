package job

import (
	"context"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
)

const day = 24 * time.Hour

// dates warns of an end that was meant to be included, and of a start in another
// time zone: of impressions on the day that begins at the end, if none come
// later, and of impressions in the hours before the start, if none come earlier.
func (c *checker) dates(ctx context.Context, x *compiler.ExperimentPlan) error {
	start, end := x.Def.Start, x.Def.End
	var early, after, late int64
	first := x.Starts
	for _, s := range x.Sources {
		rows, err := c.query(ctx, compiler.ProbeDates(x, s, c.asOf))
		if err != nil {
			return err
		}
		early += whole(rows[0][0]).Int64()
		after += whole(rows[0][2]).Int64()
		late += whole(rows[0][3]).Int64()
		if us := wholeOrNone(rows[0][1]); us != nil && time.UnixMicro(us.Int64()).Before(first) {
			first = time.UnixMicro(us.Int64()).UTC()
		}
	}
	const widestZone = 14 * time.Hour
	isMidnight := func(t time.Time) bool { return t.Equal(t.Truncate(day)) }
	if early > 0 && isMidnight(start.V) && start.V.Sub(first) <= widestZone {
		c.found.Warnf(start.Pos, "starts-before", "experiment %s has %s in the hours before its start, the first at %s, and none earlier", x.Def.Key.V, amount(early, "impression"), minute(first)).
			WithHint("a date is its midnight in UTC; if it began at midnight elsewhere, write the time with its zone, such as %s+02:00", start.V.Format("2006-01-02T15:04:05"))
	}
	const stragglers = 20 // of so many impressions of the last day one may come later
	if after > stragglers*late && isMidnight(end.V) {
		c.found.Warnf(end.Pos, "end-not-included", "experiment %s ends when %s begins, and has %s on that day", x.Def.Key.V, end.V.Format(time.DateOnly), amount(after, "impression")).
			WithHint("end is not included: to count that day too, write end: %s", end.V.Add(day).Format(time.DateOnly))
	}
	return nil
}
