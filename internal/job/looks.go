package job

import (
	"fmt"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// A group-sequential design has its looks at the first midnight at or after each
// of so many equal parts of the time from start to end; the last is at the end and
// stays. A run is at a look if its as-of is within the day that begins there.

// looks are the instants of n planned looks of an experiment.
func looks(e *metrics.Experiment, n int) []time.Time {
	const day = 24 * time.Hour
	out := make([]time.Time, n)
	whole := e.End.V.Sub(e.Start.V)
	for i := range out[:n-1] {
		at := e.Start.V.Add(whole / time.Duration(n) * time.Duration(i+1)).UTC()
		out[i] = at.Truncate(day)
		if out[i].Before(at) {
			out[i] = out[i].Add(day)
		}
	}
	out[n-1] = e.End.V.UTC()
	return out
}

// looksSoFar is where the group-sequential design of a metric stands now; nil where it
// has none.
func (r *reporter) looksSoFar(x *compiler.ExperimentPlan, a metrics.Analysis) *metrics.MomentLooks {
	if _, ok := stats.GroupDesignOf(a); !ok {
		return nil
	}
	n := a.Peeking.V.Looks
	planned := looks(x.Def, n)
	now := 0 // the number of looks so far
	for now < n && !planned[now].After(r.asOf) {
		now++
	}
	if now < n && (now == 0 || !r.asOf.Before(planned[now-1].Add(24*time.Hour))) {
		return &metrics.MomentLooks{Untested: fmt.Sprintf("nothing is tested between looks: look %d of %d is on %s", now+1, n, planned[now].Format(time.DateOnly))}
	}
	out := &metrics.MomentLooks{}
	for i, at := range planned[:now] {
		if i+1 < now && !planned[i+1].After(at) {
			continue // in a short experiment two looks may be one
		}
		out.Units, out.Times = append(out.Units, r.exposedBefore(x, at)), append(out.Times, float64(i+1)/float64(n))
	}
	return out
}

// lookAt puts into the options of a design where it stands.
func lookAt(l metrics.MomentLooks, a metrics.Analysis, opt *stats.Options) error {
	if l.Untested != "" {
		opt.Look, opt.Untested = nil, l.Untested
		return nil
	}
	design, ok := stats.GroupDesignOf(a)
	if !ok {
		return fmt.Errorf("the analysis plans no looks")
	}
	look, err := stats.NewGroupLookAt(design, l.Units, l.Times)
	if err != nil {
		return fmt.Errorf("find the boundary of a look: %w", err)
	}
	opt.Look, opt.Untested = look, ""
	return nil
}

// exposedBefore counts the units of all variations that were exposed on days
// before the instant.
func (r *reporter) exposedBefore(x *compiler.ExperimentPlan, at time.Time) int64 {
	n := int64(0)
	for k, counts := range r.days {
		if k.experiment == x.Def.Key.V && k.segment == metrics.Overall && k.date.Before(at) {
			n += counts.units
		}
	}
	return n
}
