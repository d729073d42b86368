package oracle

import (
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// A declared property has its type and scale by either name; what is not declared is text.
func TestPropertyByEitherName(t *testing.T) {
	price := &metrics.Property{Name: text("price"), Type: metrics.At[metrics.PropertyType]{V: metrics.TypeNumber}, Scale: set(metrics.Number("0.01"))}
	for name, total := range map[string]string{"price": "3/2", `properties["price"]`: "3/2", `number(properties["cost"])`: "150"} {
		m := metric("sum", metrics.Value)
		m.Value = src(name)
		defs := definitions(m)
		defs.Registry.Events = []*metrics.EventType{{Key: text("buy"), Properties: []*metrics.Property{price}}}
		row := func(amount string) Event {
			e := bought("a", 1, nil)
			e.Properties = map[string]Value{"price": amount, "cost": amount}
			return e
		}
		got := run(t, defs, input([]Impression{shows("a", "control", 0)}, []Event{row("100"), row("50")}))
		if line, _, _ := strings.Cut(got.Metrics[0].String(), "\n"); !strings.Contains(line, " x "+total+" ") {
			t.Errorf("%s: %s, want %s", name, line, total)
		}
	}
}
