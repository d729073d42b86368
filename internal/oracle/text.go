package oracle

import (
	"fmt"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// String gives everything that was counted, a line for each row.
func (o Output) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "as of %s\n", instant(o.AsOf))
	for _, x := range o.Experiments {
		fmt.Fprintf(&b, "experiment %s\n%s", x.Key, x)
	}
	return b.String()
}

func (x ExperimentResult) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dropped %+v\n", x.Counts)
	for _, e := range x.Exposures {
		fmt.Fprintln(&b, e)
	}
	for _, m := range x.Metrics {
		b.WriteString(m.String())
	}
	return b.String()
}

func (e Exposure) String() string {
	return fmt.Sprintf("exposures %s%s %s: units %d impressions %d several %d",
		place(e.Segment, e.SegmentValue), e.Variation, e.Date.Format(time.DateOnly), e.Units, e.Impressions, e.SeveralVariations)
}

func (m MetricResult) String() string {
	if m.Overflow {
		return m.Key + " overflow\n"
	}
	var b strings.Builder
	for _, c := range m.Cells {
		fmt.Fprintf(&b, "%s %s\n", m.Key, c)
	}
	return b.String()
}

func (c Cell) String() string {
	sums := fmt.Sprintf("x %s xx %s", c.X.RatString(), c.XX.RatString())
	if c.Y != nil {
		sums += fmt.Sprintf(" y %s yy %s xy %s", c.Y.RatString(), c.YY.RatString(), c.XY.RatString())
	}
	if c.P != nil {
		sums += fmt.Sprintf(" p %s pp %s xp %s", c.P.RatString(), c.PP.RatString(), c.XP.RatString())
	}
	if c.Q != nil {
		sums += fmt.Sprintf(" q %s qq %s xq %s yp %s yq %s pq %s", c.Q.RatString(), c.QQ.RatString(), c.XQ.RatString(), c.YP.RatString(), c.YQ.RatString(), c.PQ.RatString())
	}
	if c.Quantile != nil {
		sums += fmt.Sprintf(" quantile %s of %d in [%v, %v]", c.Quantile.RatString(), c.QuantileN, c.QuantileLow, c.QuantileHigh)
	}
	part := ""
	if c.Step > 0 {
		part = fmt.Sprintf("step %d ", c.Step)
	}
	if c.Split != nil {
		part += fmt.Sprintf("split %q ", *c.Split)
	}
	return part + fmt.Sprintf("%s%s: exposed %d units %d with %d events %d %s",
		place(c.Segment, c.SegmentValue), c.Variation, c.Exposed, c.Units, c.UnitsWithEvent, c.Events, sums)
}

// place names a segment value; rows over everybody need none.
func place(segment, value string) string {
	if segment == metrics.Overall {
		return ""
	}
	return segment + "=" + value + " "
}

// Explain says what a unit came to in every experiment and metric, for a
// reader who looks for a difference.
func Explain(defs *metrics.Definitions, in Input, unitID string) string {
	var b strings.Builder
	for _, def := range defs.Experiments {
		x := newExperiment(defs, in, def)
		for _, u := range x.exposures {
			if u.id != unitID {
				continue
			}
			fmt.Fprintf(&b, "%s: %s exposed to %s at %s, counting from %s until %s, as of %s, attributes %q\n",
				def.Key.V, u.id, u.variation, instant(u.exposed), instant(u.start), instant(x.until), instant(x.asOf), u.attributes)
			for _, r := range u.impressions {
				fmt.Fprintf(&b, "  impression %s %s\n", instant(*r.Time), r.key)
			}
			for _, em := range def.Metrics {
				x.explain(&b, em.Metric, u)
			}
		}
	}
	return b.String()
}

func (x *experiment) explain(b *strings.Builder, m *metrics.Metric, u *unit) {
	if m.Ratio != nil {
		fmt.Fprintf(b, "  %s, a ratio of\n", m.Label())
		x.explain(b, m.Ratio.Numerator, u)
		x.explain(b, m.Ratio.Denominator, u)
		return
	}
	s := x.newSide(m)
	start, ok := s.start(u)
	if !ok {
		fmt.Fprintf(b, "  %s: left out by after\n", m.Label())
		return
	}
	from, to := s.window(start)
	rows := s.rows(u, start, nil)
	fmt.Fprintf(b, "  %s: window [%s, %s), over %t, %d rows", m.Label(), instant(from), instant(to), s.windowOver(start), len(rows))
	if len(rows) > 0 {
		fmt.Fprintf(b, ", number %s", s.reduce(rows, start).RatString())
	}
	fmt.Fprintln(b)
	for _, r := range rows {
		fmt.Fprintf(b, "    %s k=%v %s\n", instant(r.at), r.k, r.text)
	}
}

func instant(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000Z") }
