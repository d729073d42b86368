package oracle

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// TestGolden counts a real export. The numbers are the vendor's own published
// observations (optimizely/labs, computing-experiment-metrics, window of 48
// hours), browsers and sample variances from DuckDB over the same files.
func TestGolden(t *testing.T) {
	defs := goldenDefinitions()
	in := goldenInput(t)
	got := Run(defs, in).Experiments[0]

	type golden struct {
		units, purchases, views, cents int64
		variance                       float64
	}
	variations := map[string]golden{
		"18802093142": {3304, 163, 1799, 14499837, 3.7612396092993e8},
		"18818611832": {3367, 169, 2414, 14959831, 3.7858064179068e8},
		"18817551468": {3329, 223, 2900, 19899777, 5.0450878045540e8},
	}
	for key, want := range variations {
		purchases, views, revenue := cellOf(t, got, "purchases", "all", key), cellOf(t, got, "views", "all", key), cellOf(t, got, "revenue", "all", key)
		if purchases.Units != want.units || purchases.Exposed != want.units {
			t.Errorf("%s: %d units of %d, want %d", key, purchases.Units, purchases.Exposed, want.units)
		}
		for name, pair := range map[string][2]int64{
			"purchases": {purchases.X.Num().Int64(), want.purchases}, "views": {views.X.Num().Int64(), want.views}, "cents": {revenue.X.Num().Int64(), want.cents},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %d %s, want %d", key, pair[0], name, pair[1])
			}
		}
		n := ratOf(want.units) // s² = (Σxx − (Σx)²/n) / (n − 1)
		squares := product(revenue.X, revenue.X)
		squares.Sub(revenue.XX, squares.Quo(squares, n))
		variance, _ := squares.Quo(squares, ratOf(want.units-1)).Float64()
		if math.Abs(variance/want.variance-1) > 1e-13 {
			t.Errorf("%s: variance %v, want %v", key, variance, want.variance)
		}
	}

	browsers := map[string]map[string][2]int64{ // units, purchases
		"18802093142": {"chrome": {1651, 87}, "firefox": {1094, 47}, "safari": {559, 29}},
		"18818611832": {"chrome": {1723, 76}, "firefox": {1085, 64}, "safari": {559, 29}},
		"18817551468": {"chrome": {1695, 115}, "firefox": {1121, 79}, "safari": {513, 29}},
	}
	for key, want := range browsers {
		for browser, numbers := range want {
			c := cellOf(t, got, "purchases", browser, key)
			if c.Units != numbers[0] || c.X.Num().Int64() != numbers[1] {
				t.Errorf("%s on %s: %d units, %s purchases, want %v", key, browser, c.Units, c.X.RatString(), numbers)
			}
		}
	}
}

func cellOf(t *testing.T, x ExperimentResult, metric, value, variation string) Cell {
	t.Helper()
	for _, m := range x.Metrics {
		for _, c := range m.Cells {
			if m.Key == metric && c.SegmentValue == value && c.Variation == variation {
				return c
			}
		}
	}
	t.Fatalf("no cell for %s, %s, %s", metric, value, variation)
	return Cell{}
}

func goldenDefinitions() *metrics.Definitions {
	days2 := metrics.Window{HasTo: true, To: 48 * time.Hour}
	purchases, views, revenue := metric("purchases", metrics.Occurrence), metric("views", metrics.Count), metric("revenue", metrics.Value)
	purchases.Event, views.Event, revenue.Event = events("purchase"), events("detail_page_view"), events("purchase")
	purchases.Window, views.Window, revenue.Window = days2, days2, days2
	revenue.Where = src(`category == "electronics"`)
	defs := definitions(purchases, views, revenue)
	defs.Registry.Events = []*metrics.EventType{{Key: text("purchase"), Properties: []*metrics.Property{{Name: text("category"), Type: set(metrics.TypeString)}}}}
	x := defs.Experiments[0]
	x.Start = set(time.Date(2020, 9, 14, 0, 0, 0, 0, time.UTC))
	x.Segments = []*metrics.Segment{{Key: text("browser")}}
	x.Variations = []*metrics.Variation{{Key: text("18802093142"), Baseline: true}, {Key: text("18818611832")}, {Key: text("18817551468")}}
	return defs
}

func goldenInput(t *testing.T) Input {
	midnight := time.Date(2020, 9, 14, 0, 0, 0, 0, time.UTC)
	instant := func(ms string) *time.Time { return new(midnight.Add(time.Duration(atoi(t, ms)) * time.Millisecond)) }
	in := Input{Now: midnight.AddDate(1, 0, 0), Columns: map[string]Columns{"orders": {Value: ColumnType{Kind: IntegerColumn}}}}
	for _, r := range readCSV(t, "decisions.csv") {
		in.Impressions = append(in.Impressions, Impression{
			Source: "decisions", Units: map[string]string{"user": r[0]}, Experiment: new("exp"), Variation: new(r[1]), Time: instant(r[2]),
			Attributes: map[string]string{"browser": r[3]},
		})
	}
	for _, r := range readCSV(t, "events.csv") {
		in.Events = append(in.Events, Event{
			Source: "orders", Units: map[string]string{"user": r[0]}, Event: new(r[1]), Time: instant(r[2]), Value: atoi(t, r[3]),
			Properties: map[string]Value{"category": r[4]},
		})
	}
	return in
}

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "optimizely_e3", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func atoi(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
