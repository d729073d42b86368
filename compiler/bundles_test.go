package compiler

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sumsOf plans one tally for each measure: for each event the given number of
// measures of its rows.
func sumsOf(counts map[string]int, events ...string) *UnitPlan {
	u := &UnitPlan{Scans: []*Scan{{Source: &Source{}}}}
	for _, e := range events {
		for i := range counts[e] {
			n := &Measure{Name: fmt.Sprintf("%s %d", e, i+1), Events: []string{e}}
			u.Scans[0].Measures = append(u.Scans[0].Measures, n)
			v := &UnitValue{Name: n.Name, Measure: n}
			u.Values = append(u.Values, v)
			u.Tallies = append(u.Tallies, &Tally{Name: n.Name, X: v})
		}
	}
	return u
}

// ratio adds a ratio of the first measures of two events.
func (u *UnitPlan) ratio(x, y string) {
	value := func(event string) *UnitValue {
		for _, v := range u.Values {
			if v.Name == event+" 1" {
				return v
			}
		}
		panic("no measure of " + event)
	}
	u.Tallies = append(u.Tallies, &Tally{Name: x + " per " + y, X: value(x), Y: value(y)})
}

func bundleTexts(u *UnitPlan) []string {
	var out []string
	for _, b := range u.Bundles {
		out = append(out, fmt.Sprintf("%s: %d measures, %d tallies", b.eventsText(), len(b.Plan.measures()), len(b.Plan.Tallies)))
	}
	return out
}

func TestBundles(t *testing.T) {
	few := sumsOf(map[string]int{"a": 20, "b": 20}, "a", "b")
	few.inBundles(0)
	if few.Bundles != nil {
		t.Errorf("40 measures are in %d bundles, want them beside each other", len(few.Bundles))
	}

	one := sumsOf(map[string]int{"a": 41}, "a")
	one.inBundles(0)
	if one.Bundles != nil {
		t.Errorf("the measures of one event are in %d bundles", len(one.Bundles))
	}

	// Together they would cost 2·3 + 2·(40 + 10·42), more than 2·3 + 40 + 10·22
	// and 2·3 + 40 + 10·20. The ratio costs 2·3 + 2·(40 + 10·2), less than what
	// either would cost more with it.
	many := sumsOf(map[string]int{"a": 20, "b": 22}, "a", "b")
	many.ratio("a", "b")
	many.inBundles(0)
	want := []string{"b: 22 measures, 22 tallies", "a: 20 measures, 20 tallies", "a, b: 2 measures, 1 tallies"}
	if diff := cmp.Diff(want, bundleTexts(many)); diff != "" {
		t.Errorf("bundles (-want +got):\n%s", diff)
	}

	// One of ten events alone costs 10·3 + 40 + 10 = 80, two together cost
	// 10·3 + 2·(40 + 20) = 150, which is less than twice as much; a third adds
	// 10·3 + 3·(40 + 30) - 150 = 90.
	rare, each := map[string]int{}, []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	for _, e := range each {
		rare[e] = 1
	}
	pairs := sumsOf(rare, each...)
	pairs.inBundles(5)
	want = nil
	for i := 0; i < len(each); i += 2 {
		want = append(want, fmt.Sprintf("%s, %s: 2 measures, 2 tallies", each[i], each[i+1]))
	}
	if diff := cmp.Diff(want, bundleTexts(pairs)); diff != "" {
		t.Errorf("bundles (-want +got):\n%s", diff)
	}
}
