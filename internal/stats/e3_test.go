package stats

import (
	"strconv"
	"testing"
)

// The numbers that Optimizely publishes for its E3 example data: units, totals,
// and for revenue (in cents) the mean. The variances are those of Python's
// fractions.Fraction, (n·Σxx − (Σx)²)/(n(n−1)), rounded to 20 digits by decimal.
func TestOptimizelyE3(t *testing.T) {
	fixture := readJSON[struct {
		Metrics map[string]map[string]armJSON
	}](t, "testdata/e3.json").Metrics
	for _, c := range []struct {
		variation        string
		units            int64
		purchases, views float64
		rate             string
		revenue, mean    float64
		variance         float64
	}{
		{"18802093142", 3304, 163, 1799, "0.04933414", 14499837, 4388.570520581114, 376123960.92993300170},
		{"18818611832", 3367, 169, 2414, "0.05019305", 14959831, 4443.07425007425, 378580641.79068255539},
		{"18817551468", 3329, 223, 2900, "0.06698708", 19899777, 5977.704115349955, 504508780.45539471746},
	} {
		purchase := fixture["purchase"][c.variation]
		if purchase.Units != c.units {
			t.Errorf("%s: %d units, want %d", c.variation, purchase.Units, c.units)
		}
		s := Describe(Mean, purchase.moments(t))
		if *s.Total != c.purchases || strconv.FormatFloat(*s.Mean, 'f', 8, 64) != c.rate {
			t.Errorf("%s: %v purchases, rate %v, want %v and %s", c.variation, *s.Total, *s.Mean, c.purchases, c.rate)
		}
		if s := Describe(Mean, fixture["detail_page_views"][c.variation].moments(t)); *s.Total != c.views {
			t.Errorf("%s: %v detail page views, want %v", c.variation, *s.Total, c.views)
		}
		revenue := fixture["electronics_revenue_cents"][c.variation].moments(t)
		s = Describe(Mean, revenue)
		if *s.Total != c.revenue || *s.Mean != c.mean {
			t.Errorf("%s: revenue %v, mean %v, want %v and %v", c.variation, *s.Total, *s.Mean, c.revenue, c.mean)
		}
		if got := meanOf(revenue).variance.float64(); got != c.variance {
			t.Errorf("%s: variance %v, want %v", c.variation, got, c.variance)
		}
	}
}
