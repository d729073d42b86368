package compiler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// Derived are measures whose rows depend on other rows of the same unit: the
// steps of a funnel, or a numerator within some time of its denominator. The
// rows of the measures that they are made of are kept for each unit.
type Derived struct {
	Name string
	From []*Measure
	// Measures are what comes out: one for each step, or one.
	Measures []*Measure
	// Funnel are the steps; nil for a numerator within some time.
	Funnel []FunnelStep
	// Groups is the number of each group of rows; nil where it is none of groups.
	// Two measures come of them: the sum over the groups of a unit, and how many
	// they are.
	Groups *GroupValue
	// Kept: the numbers of groups are kept until those of all units are there.
	Kept bool
	// AnyOrder is for funnels whose steps may come in any order.
	AnyOrder bool
	// Within is how long after a row of the denominator a row of the numerator counts.
	Within time.Duration
	id     string
}

// FunnelStep says how a step follows the one before it.
type FunnelStep struct {
	// Later: at a later instant; else the same one will do.
	Later bool
	// Within is how long after the step before; 0: however long.
	Within time.Duration
}

// Follows reports whether a row at an instant may come after one, at another, of the
// step before the step of the index; of a numerator, after one of the denominator.
func (d *Derived) Follows(step int, at, before time.Time) bool {
	if d.AnyOrder {
		return true
	}
	within, later := d.Within, false
	if d.Funnel != nil {
		within, later = d.Funnel[step].Within, d.Funnel[step].Later
	}
	if at.Before(before) || later && at.Equal(before) {
		return false
	}
	return within == 0 || at.Before(before.Add(within))
}

// Lack says why a row of the step does not count, where it follows no other.
func (d *Derived) Lack(step int) string {
	switch {
	case d.Funnel == nil:
		return "no row of the denominator that counts is at its time, or less than " + durationText(d.Within) + " before it"
	case d.AnyOrder:
		return fmt.Sprintf("step %d is not reached", step)
	case d.Funnel[step].Within > 0:
		return fmt.Sprintf("step %d is not reached less than %s before it", step, durationText(d.Funnel[step].Within))
	}
	return fmt.Sprintf("step %d is not reached before it", step)
}

// keepsRows reports whether the rows of the measures that it is made of are needed.
func (d *Derived) keepsRows() bool { return !d.AnyOrder }

func (d *Derived) describe() string {
	var from []string
	for _, n := range d.From {
		from = append(from, n.Name)
	}
	switch {
	case d.Groups != nil:
		return d.Groups.describe()
	case d.Funnel == nil:
		return fmt.Sprintf("rows of %s within %s after one of %s", from[0], durationText(d.Within), from[1])
	case d.AnyOrder:
		return "steps " + strings.Join(from, ", ") + " in any order"
	}
	text := from[0]
	for i, step := range d.Funnel[1:] {
		text += ", then "
		if step.Later {
			text += "later "
		}
		text += from[i+1]
		if step.Within > 0 {
			text += " within " + durationText(step.Within)
		}
	}
	return text
}

// addDerived plans derived measures, those of an earlier metric where they are
// the same. Their names, and that of their table, become ones that no other has:
// a metric may be the numerator of several ratios.
func (u *UnitPlan) addDerived(d *Derived) *Derived {
	var ids []string
	for _, n := range d.From {
		ids = append(ids, n.id)
	}
	d.id = d.describe() + " of " + strings.Join(ids, " | ")
	for _, have := range u.Derived {
		if have.id == d.id {
			return have
		}
	}
	tables, columns := sqlast.Names{}, sqlast.Names{}
	for _, have := range u.Derived {
		tables.Add(have.Name)
		for _, n := range have.Measures {
			columns.Add(n.Name)
		}
	}
	d.Name = keyed(tables, d.Name)
	for i, n := range d.Measures {
		n.id = fmt.Sprintf("%d of %s", i+1, d.id)
		n.Name = keyed(columns, n.Name)
	}
	u.Derived = append(u.Derived, d)
	return d
}

// steps plans the steps of a funnel; nil where it has a mistake.
func (p *planner) steps(u *UnitPlan, m *metrics.Metric, name string) []*Measure {
	d := &Derived{Name: name, AnyOrder: m.Funnel.AnyTime}
	var earlier []metrics.EventSelector
	failed := false
	for i, step := range m.Funnel.Steps {
		of := &metrics.Metric{
			Event: step.Event, Where: step.Where, Source: m.Source, Window: m.Window, After: m.After,
			Measure: metrics.At[metrics.Measure]{V: metrics.Occurrence}, Pos: step.Pos,
		}
		stepName := fmt.Sprintf("%s step %d", name, i+1)
		n := p.measure(u, of, stepName)
		if n == nil {
			failed = true
			continue
		}
		d.From = append(d.From, n)
		follows := FunnelStep{Within: step.Within.V}
		follows.Later = slices.ContainsFunc(earlier, func(e metrics.EventSelector) bool { return shareEvent(e, step.Event) })
		d.Funnel = append(d.Funnel, follows)
		reached := *n
		reached.Name, reached.Metric, reached.derived = stepName+" reached", of, true
		d.Measures = append(d.Measures, &reached)
		earlier = append(earlier, step.Event)
	}
	if failed {
		return nil
	}
	return u.addDerived(d).Measures
}

// shareEvent reports whether an event may fit both selectors.
func shareEvent(a, b metrics.EventSelector) bool {
	switch {
	case a.Impression || b.Impression:
		return a.Impression && b.Impression
	case a.Any || b.Any:
		return true
	}
	return slices.ContainsFunc(a.Keys, func(key metrics.Text) bool { return containsText(b.Keys, key.V) })
}

// within plans the numbers of a numerator of which only rows soon after one of
// the denominator count; nil where it has a mistake.
func (p *planner) within(u *UnitPlan, m *metrics.Metric, y *UnitValue) *UnitValue {
	side, d := m.Ratio.Numerator, m.Ratio.NumeratorWithin
	name := sideName(m, side, "numerator")
	x := p.measure(u, side, name)
	if x == nil || y == nil {
		return nil
	}
	near := *x
	near.Name, near.derived = name+" within "+durationText(d.V), true
	derived := u.addDerived(&Derived{Name: name, From: []*Measure{x, y.Measure}, Measures: []*Measure{&near}, Within: d.V})
	return p.valueOf(u, side, derived.Measures[0], name)
}
