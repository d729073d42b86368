package export

import (
	"testing"

	"github.com/metricsjob/metricsjob/metrics"
)

// An empty text is a value of a property as any other, and is not the row of all.
func TestTitleOfSplit(t *testing.T) {
	shoes, empty := "shoes", ""
	for _, c := range []struct {
		split *string
		want  string
	}{
		{nil, "orders · higher is better"},
		{&shoes, "orders, shoes · higher is better"},
		{&empty, `orders, "" · higher is better`},
	} {
		b := block{metric: metrics.MetricRow{Key: "orders", Better: "higher"}, split: c.split}
		if got := b.title(); got != c.want {
			t.Errorf("title %q, want %q", got, c.want)
		}
	}
}
