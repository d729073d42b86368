package imports

import (
	"maps"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// dispensable are the fields that a metric can do without, in the order in which they
// are given up where the language refuses them beside others.
var dispensable = []string{"analysis", "winsorize", "wait_for_window", "split_by", "units_without_events", "window"}

// fit takes from metrics what the language refuses beside what else they say, and lists
// it; a metric that is refused even so is listed as a whole.
func (d *draft) fit() {
	if len(d.metrics) == 0 || len(refusals(d.metrics...)) == 0 {
		return
	}
	d.metrics = slices.DeleteFunc(d.metrics, func(m *definition) bool {
		for wrong := refusals(m); len(wrong) > 0; {
			fewer, ok := m.giveUp(wrong)
			if !ok {
				d.lose("metric %s: %s", m.key, wrong[0])
				maps.DeleteFunc(d.theirs, func(_, key string) bool { return key == m.key })
				return true
			}
			wrong = fewer
		}
		return false
	})
}

// giveUp leaves out the first dispensable field without which the language refuses less
// of the metric, and lists it. It gives the refusals that are left.
func (d *definition) giveUp(wrong []string) (fewer []string, ok bool) {
	type part struct {
		name string
		*fields
	}
	parts := []part{{"", &d.fields}}
	for _, f := range d.fields {
		for i := range f.sides {
			parts = append(parts, part{sideNames[i] + ".", &f.sides[i]})
		}
	}
	for _, name := range dispensable {
		for _, p := range parts {
			before := slices.Clone(*p.fields)
			at := slices.IndexFunc(before, func(f field) bool { return f.name == name })
			if at < 0 {
				continue
			}
			p.drop(name)
			if fewer := refusals(d); len(fewer) < len(wrong) {
				solved := slices.IndexFunc(wrong, func(text string) bool { return !slices.Contains(fewer, text) })
				d.lose("%s%s: %s: %s", p.name, name, before[at].yaml, wrong[max(0, solved)])
				return fewer, true
			}
			*p.fields = before
		}
	}
	return nil, false
}

// refusals are what the language has against metrics, in sentences.
func refusals(all ...*definition) []string {
	w := &strings.Builder{}
	w.WriteString("version: 1\nmetrics:\n")
	for _, m := range all {
		m.write(w)
	}
	_, list := metrics.Decode([]metrics.SourceFile{{Path: "import.yaml", Text: []byte(w.String())}}, metrics.LoadOptions{})
	var out []string
	for _, said := range list {
		if said.Severity == diag.Error {
			out = append(out, said.Message)
		}
	}
	return out
}
