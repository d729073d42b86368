package job

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// percentileKey is a cell of a tally of a percentile.
type percentileKey struct {
	tally *compiler.Tally
	cell
}

// quantilesOf interpolates between the columns of a ResultPercentiles behind
// the segment value: the percentile exactly, its bounds at the positions given.
func quantilesOf(t *compiler.Tally, columns []any) *stats.Quantiles {
	unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.X.Decimals())), nil))
	between := func(i int, rest *big.Rat) *big.Rat {
		below, above := new(big.Rat).SetInt(whole(columns[i])), new(big.Rat).SetInt(whole(columns[i+1]))
		step := new(big.Rat).Sub(above, below)
		return below.Add(below, step.Mul(step, rest)).Mul(below, unit)
	}
	q := &stats.Quantiles{N: whole(columns[0]).Int64(), Z: t.Percentile.Z}
	h := new(big.Rat).Mul(new(big.Rat).SetInt64(q.N-1), t.Percentile.Share)
	floor := new(big.Int).Div(h.Num(), h.Denom())
	q.Value = between(1, h.Sub(h, new(big.Rat).SetInt(floor)))
	bound := func(i, at int) float64 {
		position := columns[at].(float64)
		rest := new(big.Rat).SetFloat64(position - math.Floor(position))
		f, _ := between(i, rest).Float64()
		return f
	}
	q.Lower, q.Upper = bound(3, 7), bound(5, 8)
	return q
}

// addQuantiles puts order statistics into a row of moments.
func addQuantiles(row *metrics.MomentRow, t *compiler.Tally, q *stats.Quantiles) {
	share := decimal(t.Percentile.Share)
	row.Quantile = &share
	n := int64(0)
	if q != nil {
		n = q.N
		value := decimal(q.Value)
		lower, upper := strconv.FormatFloat(q.Lower, 'f', -1, 64), strconv.FormatFloat(q.Upper, 'f', -1, 64)
		row.QuantileValue, row.QuantileLower, row.QuantileUpper = &value, &lower, &upper
	}
	row.QuantileN = &n
}

// decimal is a fraction with a power of ten below as decimal text.
func decimal(r *big.Rat) string {
	s := r.FloatString(40)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// partNumber is a number that a percentile is of, and how many units or groups of a
// part of the units of a variation have it.
type partNumber struct {
	experiment, variation, part string
	unit                        int64 // whose groups they are; of numbers of units 0
	value                       float64
	count                       int64
}

// partNumberOf reads a row of a ResultNumbers.
func partNumberOf(t *compiler.Tally, row []any) partNumber {
	n := partNumber{experiment: text(row[0]), variation: text(row[1]), part: text(row[2])}
	rest := row[3:]
	if t.Percentile.Groups != nil {
		n.unit, rest = whole(rest[0]).Int64(), rest[1:]
	}
	n.value = stats.NewSum(whole(rest[0]), t.X.Decimals()).Float64()
	n.count = whole(rest[1]).Int64()
	return n
}

// numbersOf are the numbers of some variations of an experiment, in the parts that
// are named in their order.
func (c *collected) numbersOf(t *compiler.Tally, experiment string, names []string, of func(variation string) bool) *stats.Numbers {
	parts, units := map[string]int{}, map[int64]int{}
	for i, name := range names {
		parts[name] = i
	}
	var list []stats.Number
	for _, n := range c.numbers[t] {
		if n.experiment != experiment || !of(n.variation) {
			continue
		}
		unit, known := units[n.unit]
		if !known {
			unit = len(units)
			units[n.unit] = unit
		}
		list = append(list, stats.Number{Value: n.value, Part: parts[n.part], Unit: unit, Count: n.count})
	}
	return stats.NewNumbers(list, len(names), t.Percentile.Share, t.Percentile.Groups != nil)
}
