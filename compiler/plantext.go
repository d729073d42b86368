package compiler

import (
	"fmt"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// String prints the plan as a tree, the same for the same plan.
func (p *Plan) String() string {
	var b strings.Builder
	for _, kind := range p.excludedKinds() {
		fmt.Fprintf(&b, "rows of an excluded %s do not exist\n", kind)
	}
	for _, u := range p.Units {
		u.print(&b)
	}
	return b.String()
}

func (u *UnitPlan) print(b *strings.Builder) {
	fmt.Fprintf(b, "unit %s\n", u.Kind)
	fmt.Fprintf(b, "  exposures, from one pass over %s\n", sourceNames(u.Impressions))
	for _, x := range u.Experiments {
		x.print(b)
	}
	for _, s := range u.TraitSources {
		var names []string
		for _, name := range u.Traits {
			if _, ok := s.Attributes.Lookup(name); ok {
				names = append(names, unitPrefix+name)
			}
		}
		if len(names) > 0 {
			fmt.Fprintf(b, "  %s at the exposure, from source %s\n", strings.Join(names, ", "), s.Def.Name.V)
		}
	}
	if u.Identity != nil {
		fmt.Fprintf(b, "  events without an id of %s joined by others, %s\n", u.Kind, u.Identity.describe())
	}
	if u.Activation != nil {
		for _, s := range u.Activation.Plan.Scans {
			fmt.Fprintf(b, "  activations, from a pass of their own over %s\n", sourceNames([]*Source{s.Source}))
			for _, n := range s.Measures {
				fmt.Fprintf(b, "    %s: %s\n", n.Name, n.describe())
			}
		}
	}
	if u.Following != nil {
		for _, s := range u.Following.Plan.Scans {
			fmt.Fprintf(b, "  events that windows are counted from, from a pass of their own over %s\n", sourceNames([]*Source{s.Source}))
			for _, n := range s.Measures {
				fmt.Fprintf(b, "    %s: %s\n", n.Name, n.describe())
			}
		}
	}
	for _, s := range u.Scans {
		if s.Source.Kept != "" {
			b.WriteString("  rows that count, from the impressions that were kept\n")
		} else {
			fmt.Fprintf(b, "  rows that count, from one pass over %s\n", sourceNames([]*Source{s.Source}))
		}
		for _, n := range s.Measures {
			fmt.Fprintf(b, "    %s: %s\n", n.Name, n.describe())
		}
	}
	for i, bundle := range u.Bundles {
		if i == 0 {
			fmt.Fprintf(b, "  they are many, so rows are kept, and counted in bundles of the same events\n")
		}
		fmt.Fprintf(b, "    bundle %d: %d of %s\n", i+1, len(bundle.Plan.measures()), bundle.eventsText())
	}
	for i, d := range u.Derived {
		if i == 0 {
			b.WriteString("  derived from those rows, unit by unit\n")
		}
		fmt.Fprintf(b, "    %s: %s\n", d.Name, d.describe())
	}
	b.WriteString("  number of each unit\n")
	for _, v := range u.Values {
		fmt.Fprintf(b, "    %s: %s of %s", v.Name, v.Op, v.Measure.Name)
		if v.Threshold != nil {
			fmt.Fprintf(b, "; 1 where that is %s, else 0", v.Threshold.text)
		}
		if v.Caps != nil {
			fmt.Fprintf(b, "; %s", v.Caps.text)
		}
		b.WriteString("\n")
	}
	b.WriteString("  sums over units\n")
	for _, t := range u.Tallies {
		fmt.Fprintf(b, "    %s: %s\n", t.Name, t.describe())
	}
	for _, s := range u.EventSegments {
		fmt.Fprintf(b, "  the same of %s by attributes.%s of its rows, which are kept until the %d values with most units are known\n", s.Name, s.Segment.Key, maxSegmentValues)
		for _, t := range s.Plan.Tallies {
			fmt.Fprintf(b, "    %s: %s\n", t.Name, t.describe())
		}
	}
	for _, s := range u.Splits {
		fmt.Fprintf(b, "  the same of %s by %s, from rows that are kept until the %d values with most rows are known\n", s.Name, s.Property, maxSplitValues)
		for _, t := range s.Plan.Tallies {
			fmt.Fprintf(b, "    %s: %s\n", t.Name, t.describe())
		}
	}
}

func (x *ExperimentPlan) print(b *strings.Builder) {
	e := x.Def
	end := "running"
	if e.End.Set {
		end = stamp(e.End.V)
	}
	fmt.Fprintf(b, "    experiment %s: %s, from %s until %s\n", e.Key.V, matchText(e), stamp(e.Start.V), end)
	if e.ObserveUntil.Set {
		fmt.Fprintf(b, "      events until %s\n", stamp(e.ObserveUntil.V))
	}
	if e.CutWindows.V {
		b.WriteString("      windows end there too\n")
	}
	for _, v := range e.Variations {
		fmt.Fprintf(b, "      variation %s%s: %s\n", v.Key.V, baselineMark(v), matchValues(v.Match))
	}
	fmt.Fprintf(b, "      units in several variations: %s\n", e.Multiple.V)
	for _, other := range e.ExcludeUnitsIn {
		fmt.Fprintf(b, "      without the units of experiment %s\n", other.V)
	}
	if e.HoldbackAs.Set {
		fmt.Fprintf(b, "      holdback is %s\n", e.HoldbackAs.V)
	}
	if x.Audience != nil {
		fmt.Fprintf(b, "      where %s\n", x.Audience)
	}
	if last := x.Def.LastPhase(); last != nil {
		fmt.Fprintf(b, "      only units of the last phase, from %s\n", stamp(last.Start.V))
	}
	for i, phase := range x.Strata() {
		fmt.Fprintf(b, "      phase %d from %s: statistics are post-stratified by phase\n", i+1, stamp(phase.Start.V))
	}
	if x.Def.Activation != nil {
		b.WriteString("      only units that were activated, counting from there\n")
	}
	for _, s := range x.Segments {
		fmt.Fprintf(b, "      segment %s\n", s.describe())
	}
	for _, s := range x.EventSegments {
		fmt.Fprintf(b, "      segment %s\n", s.describe())
	}
	for _, m := range x.Metrics {
		fmt.Fprintf(b, "      %s %s: %s of %s\n", m.Def.Role, m.Def.Metric.Key.V, m.Kind, m.Tally.Name)
	}
}

func (n *Measure) describe() string {
	var parts []string
	parts = append(parts, n.EventsText())
	if n.Value != nil {
		parts = append(parts, n.valueText())
	}
	if n.Where != nil {
		parts = append(parts, "where "+n.Where.String())
	}
	if n.Group != nil {
		parts = append(parts, "in groups "+n.Group.text())
	}
	return strings.Join(append(parts, n.window().text()), "; ")
}

func (n *Measure) valueText() string {
	if n.numeric() {
		return fmt.Sprintf("value %s to %d digits", n.Value, n.Decimals)
	}
	return fmt.Sprintf("value %s", n.Value)
}

func (t *Tally) describe() string {
	s := t.X.Name
	if t.Y != nil {
		s += " over " + t.Y.Name
	}
	switch {
	case t.Y != nil && t.Exclude:
		s += "; only units with a denominator"
	case t.Exclude:
		s += "; only units with events"
	case t.WithoutX.Sign() != 0:
		s += fmt.Sprintf("; units without events are %s", decimalText(t.WithoutX, t.X.Decimals()))
	}
	for _, w := range t.Waits {
		if w.Over {
			s += "; only units whose " + w.text() + " is over"
		} else {
			s += "; only units with " + w.After.Name
		}
	}
	var terms []string
	for _, term := range t.Need.Terms() {
		terms = append(terms, term.String())
	}
	return s + "; sums of " + strings.Join(terms, ", ")
}

func matchText(e *metrics.Experiment) string {
	switch {
	case !e.Match.Set:
		return fmt.Sprintf("experiment = %q where mapped, else flag = %q", e.Key.V, e.Flag.V)
	case len(e.Match.Flag) == 0:
		return "experiment in " + joinTexts(e.Match.Experiment)
	case len(e.Match.Experiment) == 0:
		return "flag in " + joinTexts(e.Match.Flag)
	}
	return "experiment in " + joinTexts(e.Match.Experiment) + " and flag in " + joinTexts(e.Match.Flag)
}

func baselineMark(v *metrics.Variation) string {
	if v.Baseline {
		return " (baseline)"
	}
	return ""
}

func matchValues(list []metrics.MatchValue) string {
	var out []string
	for _, m := range list {
		if m.JSON {
			out = append(out, "the JSON value "+m.Text)
			continue
		}
		out = append(out, fmt.Sprintf("%q", m.Text))
	}
	return strings.Join(out, " or ")
}

func windowText(w metrics.Window) string {
	switch {
	case w.Open():
		return "window open"
	case w.HasLookback:
		return "window of the last " + durationText(w.Lookback)
	case !w.HasTo:
		return "window from " + durationText(w.From)
	}
	if w.From == 0 {
		return "window of " + durationText(w.To)
	}
	return "window from " + durationText(w.From) + " to " + durationText(w.To)
}

// durationText spells a duration in the language's units, the largest that divides it.
func durationText(d time.Duration) string {
	for _, u := range []struct {
		unit string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d != 0 && d%u.size == 0 {
			return fmt.Sprintf("%d%s", d/u.size, u.unit)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999") }
