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
