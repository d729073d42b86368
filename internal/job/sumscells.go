package job

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// sumsColumns are the columns that a file of sums may have: those of the table
// moments, in place of the sums what other tools print, and what is known of the
// metric beyond its sums.
var sumsColumns = func() []string {
	out := []string{"stratum", "quantile_z", "quantile_bounds_n"}
	moments, _ := new(metrics.Tables).Table("moments")
	for _, c := range moments.Columns {
		out = append(out, c.Name)
	}
	for t := stats.X; t <= stats.PQ; t++ {
		out = append(out, otherColumns[t]...)
	}
	return out
}()

// otherColumns are, by term, those that may stand in for the sum of a term: of a sum the
// mean, of squares the variance or the standard deviation, of products the
// covariance, all with n − 1.
var otherColumns = func() map[stats.Term][]string {
	out := map[stats.Term][]string{}
	for t := stats.X; t <= stats.PQ; t++ {
		column := t.Column()
		switch factors := t.Factors(); {
		case len(factors) == 1:
			out[t] = []string{strings.Replace(column, "sum", "mean", 1)}
		case factors[0] == factors[1]:
			side := strings.TrimSuffix(column, "sum_sq")
			out[t] = []string{side + "variance", side + "std_dev"}
		default:
			out[t] = []string{strings.Replace(column, "sum", "cov", 1)}
		}
		if t == stats.XX {
			out[t] = append(out[t], "std_error")
		}
	}
	return out
}()

// known refuses words that mean nothing.
func (r sumsRow) known() error {
	for _, c := range []struct {
		column string
		words  []string
	}{
		{"better", []string{string(metrics.Higher), string(metrics.Lower)}},
		{"role", []string{string(metrics.Primary), string(metrics.Secondary), string(metrics.Guardrail)}},
	} {
		if text := r.text(c.column); text != "" && !slices.Contains(c.words, text) {
			return r.errorf("write one of "+strings.Join(c.words, ", "), "column %s: %q", c.column, text)
		}
	}
	if text := r.text("baseline"); text != "" {
		if _, err := strconv.ParseBool(text); err != nil {
			return r.errorf("write true or false", "column baseline: %q", text)
		}
	}
	if text := r.text("weight"); text != "" {
		if w := ratOf(text); w == nil || w.Sign() < 0 {
			return r.errorf("a weight is a number from 0, such as 50 or 1/3", "column weight: %q", text)
		}
	}
	return nil
}

// margin is that of a guardrail, nil where the row has none: a share such as 2%,
// or a number in the metric's unit, 2pp being 0.02.
func (r sumsRow) margin() (*metrics.Margin, error) {
	text := r.text("margin")
	if text == "" {
		return nil, nil
	}
	if r.text("role") != string(metrics.Guardrail) {
		return nil, r.errorf("write guardrail in the column role", "metric %q has a margin and is no guardrail", r.text("metric"))
	}
	m, ok := metrics.ParseMargin(text)
	if !ok || m.Value.Rat().Sign() <= 0 {
		return nil, r.errorf("write a share such as 2%, points such as 2pp, or a number in the metric's unit", "column margin: %q", text)
	}
	return &m, nil
}

// moments are the sums of a row, with those that the kind needs.
func (r sumsRow) moments(kind stats.Kind, opt stats.Options) (stats.Moments, error) {
	units, err := r.count("units")
	if err != nil {
		return stats.Moments{}, err
	}
	m := stats.Moments{Units: units}
	if kind == stats.Percentile {
		if err := r.isShare("quantile"); err != nil {
			return m, err
		}
		if m.Quantiles, err = r.quantiles(opt); err != nil || r.text("den_sum") != "" {
			return m, err // of clusters the sums are those of shares
		}
		total, ok, err := r.sum(stats.X.Column())
		if ok {
			m.Set(stats.X, total)
		}
		return m, err
	}
	for _, term := range stats.NeedOf(kind, opt).Terms()[1:] {
		s, err := r.term(&m, term, kind)
		if err != nil {
			return m, err
		}
		m.Set(term, s)
	}
	if kind == stats.Proportion {
		err = r.countsUnits(m, stats.NeedOf(kind, opt))
	}
	return m, err
}

// isShare refuses what is no share between 0 and 1.
func (r sumsRow) isShare(column string) error {
	s, ok, err := r.sum(column)
	if err == nil && ok && !(s.Sign() > 0 && s.Cmp(stats.SumOf(1)) < 0) {
		err = r.errorf("write a share between 0 and 1, such as 0.95", "column %s: %s is no share", column, r.text(column))
	}
	return err
}

// rounded is by how much, as a share, numbers may differ that other tools rounded.
const rounded = 1e-4

// countsUnits refuses sums of a proportion, and of its covariate if it has one, that no
// units of 0 and 1 have.
func (r sumsRow) countsUnits(m stats.Moments, need stats.Need) error {
	const hint = "a proportion counts the units that have something; write kind mean for other values than 0 and 1"
	units := float64(m.Units)
	for _, term := range []stats.Term{stats.X, stats.P} {
		if !need.Has(stats.NeedTerms(term)) {
			continue
		}
		if s := m.Sum(term).Float64(); s < -1e-9*units || s > units*(1+1e-9) {
			return r.errorf(hint, "column %s: %v of %d units", term.Column(), s, m.Units)
		}
	}
	squares, ok, err := r.sum(stats.XX.Column())
	if err != nil || !ok {
		return err
	}
	x := m.Sum(stats.X).Float64()
	if math.Abs(squares.Float64()-x) > math.Max(0.5, rounded*x) {
		return r.errorf(hint, "column sum_sq: %v, and the sum of a proportion is that of its squares, %v", squares.Float64(), x)
	}
	return nil
}

// isFractional reports whether a row of a proportion has a sum that counts no units.
func (r sumsRow) isFractional(kind stats.Kind) bool {
	s, ok, err := r.sum(stats.X.Column())
	if kind != stats.Proportion || !ok || err != nil {
		return false
	}
	x := s.Float64()
	return math.Abs(x-math.Round(x)) > 1e-9*math.Max(1, x)
}

// term is the sum of one term: as it is, or from what stands in for it. The terms
// that it is made with are in m.
func (r sumsRow) term(m *stats.Moments, t stats.Term, kind stats.Kind) (stats.Sum, error) {
	given := t.Column()
	s, ok, err := r.sum(given)
	if err != nil {
		return s, err
	}
	for _, column := range otherColumns[t] {
		v, has, err := r.sum(column)
		switch {
		case err != nil:
			return s, err
		case !has:
			continue
		case ok:
			return s, r.errorf("leave one of them out", "columns %s and %s say the same thing twice", given, column)
		}
		if s, err = r.madeOf(m, t, column, v); err != nil {
			return s, err
		}
		given, ok = column, true
	}
	if !ok {
		return s, r.errorf("a "+kind.String()+" needs it, or "+strings.Join(otherColumns[t], " or ")+"; covariates are needed with cuped", "column %s is empty", t.Column())
	}
	return s, nil
}

// madeOf is the sum of a term from a mean, a variance, a standard deviation, a
// standard error or a covariance: Σuv = (n−1)·cov + Σu·Σv/n.
func (r sumsRow) madeOf(m *stats.Moments, t stats.Term, column string, v stats.Sum) (stats.Sum, error) {
	n := stats.SumOf(m.Units)
	factors := t.Factors()
	if len(factors) == 1 {
		return v.Mul(n), nil
	}
	if strings.HasSuffix(column, "std_dev") || column == "std_error" {
		if v.Sign() < 0 {
			return v, r.errorf("a standard deviation is 0 or more", "column %s is negative", column)
		}
		v = v.Mul(v)
	}
	if column == "std_error" {
		v = v.Mul(n)
	}
	if factors[0] == factors[1] && v.Sign() < 0 {
		return v, r.errorf("a variance is 0 or more", "column %s is negative", column)
	}
	if m.Units == 0 {
		return stats.Sum{}, nil
	}
	product := m.Sum(sumOfLetter(factors[0])).Mul(m.Sum(sumOfLetter(factors[1])))
	return v.Mul(stats.SumOf(m.Units - 1)).Add(quotient(product, m.Units)), nil
}

// sumOfLetter is the sum of one factor of a term.
func sumOfLetter(letter byte) stats.Term {
	for _, t := range []stats.Term{stats.X, stats.Y, stats.P, stats.Q} {
		if t.Factors()[0] == letter {
			return t
		}
	}
	panic("job: no sum of " + string(letter))
}

// quotient is s / n to 60 digits after the point, where it has no end.
func quotient(s stats.Sum, n int64) stats.Sum {
	q := new(big.Rat).Quo(s.Rat(), new(big.Rat).SetInt64(n))
	out, err := stats.ParseSum(q.FloatString(60))
	if err != nil {
		panic(fmt.Sprintf("job: a quotient is no number: %v", err))
	}
	return out
}

// quantiles are the order statistics of a row. Its bounds are those at quantile_z
// standard errors of the share, else at the alpha of the analysis.
func (r sumsRow) quantiles(opt stats.Options) (*stats.Quantiles, error) {
	column := "quantile_n"
	if r.text(column) == "" {
		column = "units"
	}
	n, err := r.count(column)
	if err != nil {
		return nil, err
	}
	value, ok, err := r.sum("quantile_value")
	switch {
	case err != nil:
		return nil, err
	case !ok && n > 0:
		return nil, r.errorf("a quantile needs its value, and both bounds or std_error", "column quantile_value is empty, and column %s is %d", column, n)
	case !ok:
		return nil, nil
	}
	q := &stats.Quantiles{Value: value.Rat(), Z: stats.PercentileZ(opt.Alpha), N: n}
	if se, ok, err := r.sum("std_error"); err != nil {
		return nil, err
	} else if ok {
		if r.text("quantile_lower") != "" || r.text("quantile_upper") != "" {
			return nil, r.errorf("leave the bounds or the standard error out", "the standard error of a quantile is given twice")
		}
		if se.Sign() < 0 {
			return nil, r.errorf("a standard error is 0 or more", "column std_error is negative")
		}
		half := se.Float64()
		q.Lower, q.Upper, q.Z = -half, half, 1
		return q, nil
	}
	if z, ok, err := r.sum("quantile_z"); err != nil {
		return nil, err
	} else if ok {
		if q.Z = z.Float64(); !(q.Z > 0) {
			return nil, r.errorf("write 1.959964 for bounds at 95%", "column quantile_z is not above 0")
		}
	}
	for _, bound := range []struct {
		column string
		to     *float64
	}{{"quantile_lower", &q.Lower}, {"quantile_upper", &q.Upper}} {
		s, ok, err := r.sum(bound.column)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, r.errorf("a quantile needs its value, and both bounds or std_error", "column %s is empty", bound.column)
		}
		*bound.to = s.Float64()
	}
	// The value is exact and the bounds are not: where they are one, they differ by rounding.
	v := value.Float64()
	rounding := 1e-9 * math.Abs(v)
	if q.Lower > v+rounding || v-rounding > q.Upper {
		return nil, r.errorf("the value lies between quantile_lower and quantile_upper", "column quantile_value: %s is not between %s and %s",
			r.text("quantile_value"), r.text("quantile_lower"), r.text("quantile_upper"))
	}
	widen, err := r.quantileScale(q.N)
	if err != nil {
		return nil, err
	}
	q.Z /= widen
	return q, nil
}

// quantileScale is what the standard error of a quantile is more than its bounds
// say: bounds that were found for another number of values, and values that
// belong to clusters. Of clusters sum and den_sum are those of the values up to
// the quantile and of all, over units as clusters.
func (r sumsRow) quantileScale(n int64) (float64, error) {
	scale := 1.0
	if r.text("quantile_bounds_n") != "" {
		bounds, err := r.count("quantile_bounds_n")
		if err != nil {
			return 0, err
		}
		if n > 0 {
			scale *= math.Sqrt(float64(bounds) / float64(n))
		}
	}
	if r.text("den_sum") == "" {
		return scale, nil
	}
	share, ok, err := r.sum("quantile")
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, r.errorf("write a share such as 0.95", "column quantile is empty, and clusters need the share")
	}
	nu := share.Float64()
	clusters, err := r.moments(stats.Ratio, stats.Options{})
	if err != nil {
		return 0, err
	}
	d := stats.Describe(stats.Ratio, clusters)
	if d.StdDev == nil {
		return 0, r.errorf("check the sums over clusters", "the clusters have no variance: %s", d.Reason)
	}
	spread := *d.StdDev / math.Sqrt(float64(clusters.Units))
	return scale * spread / math.Sqrt(nu*(1-nu)/float64(n)), nil
}
