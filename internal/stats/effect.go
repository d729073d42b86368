package stats

import (
	"fmt"
	"math"
)

// Effect is what the variation does compared with the baseline. A number that
// cannot be given is nil, and Status and Reason say why; the open end of a
// one-sided interval is nil too.
type Effect struct {
	Absolute     *float64 // mean of the variation less mean of the baseline
	AbsoluteLow  *float64
	AbsoluteHigh *float64
	Relative     *float64 // Absolute as a share of the baseline's absolute mean
	RelativeLow  *float64
	RelativeHigh *float64
	PValue       *float64 // of the absolute effect
	Significant  *bool    // PValue < alpha; but for tests of counts exactly when the absolute interval excludes zero
	// VarianceReduction is the share of the variance of the difference that
	// Options.CUPED took away; nil without it.
	VarianceReduction *float64
	// Detectable is the relative effect that these units would find with
	// Options.Power, as DetectableEffect has it; nil where no power was asked for.
	Detectable *float64
	Method     string // the test and the relative interval
	Status     Status
	Reason     string
}

// Comparison is a variation and its baseline, ready to be asked about.
type Comparison struct {
	kind   Kind
	opt    Options // with the test of means that is done
	a, b   estimate
	counts countTest
	// rates are the counts of a metric of 0 and 1, else nil.
	rates *table
	// reduction is the share of the variance that covariates took away.
	reduction  *float64
	stratified bool
	// spread is that of the means, where both have one.
	spread spread
}

// NewComparison prepares the comparison of the variation with the baseline. The
// two must be disjoint sets of units.
func NewComparison(kind Kind, baseline, variation Moments, opt Options) Comparison {
	if kind == Percentile {
		opt.Test, opt.CUPED = Z, false
	}
	c := Comparison{kind: kind, a: estimateOf(kind, baseline), b: estimateOf(kind, variation)}
	if t, ok := tableOf(kind, baseline, variation); ok {
		c.rates = &t
	}
	c.counts, opt.Test = countTestOf(c.rates, opt)
	c.opt = opt
	if adjusts(kind, opt) {
		c.reduction = adjust(kind, baseline, variation, &c.a, &c.b)
	}
	c.measure()
	return c
}

// measure finds how far apart chance alone puts the means.
func (c *Comparison) measure() {
	if c.a.hasVariance && c.b.hasVariance {
		c.spread = spreadOf(c.a, c.b, c.opt)
	}
}

// Compare gives the effect of the variation against the baseline. The two must
// be disjoint sets of units.
func Compare(kind Kind, baseline, variation Moments, opt Options) Effect {
	return NewComparison(kind, baseline, variation, opt).Effect()
}

// Effect gives the effect, its interval and its test.
func (c Comparison) Effect() Effect {
	e := Effect{Method: methodOf(c.kind, c.opt, c.counts), VarianceReduction: c.reduction}
	if c.stratified {
		e.Method += ", post-stratified"
	}
	v := both(c.a, c.b)
	if c.a.hasMean && c.b.hasMean {
		e.compare(c, &v)
	}
	if c.counts != noCountTest {
		e.PValue, e.Significant = nil, nil
		if p, ok := c.counts.pValue(*c.rates, c.opt.Alternative); ok {
			e.PValue, e.Significant = &p, new(p < c.opt.Alpha)
		}
	}
	e.Status, e.Reason = v.settle()
	return e
}

// adjusts reports whether covariates adjust the effects of the kind.
func adjusts(kind Kind, opt Options) bool { return opt.CUPED && kind.HasCovariates() }

// methodOf names the test and the relative interval, and first the test of counts
// if that gives the p-value.
func methodOf(kind Kind, opt Options, counts countTest) string {
	name := testName(kind, opt)
	if counts != noCountTest {
		name = counts.String() + ", interval by " + name
	}
	return name + ", relative by " + relativeName(opt.Relative)
}

// testName names the test of means.
func testName(kind Kind, opt Options) string {
	var name string
	switch opt.Test {
	case Welch:
		name = "Welch t"
	case Z:
		name = "z"
	case Student:
		name = "Student t"
	default:
		panic(fmt.Sprintf("stats: no case for test %q", opt.Test))
	}
	if opt.TunedAt > 0 {
		name = alwaysValidName(opt)
	}
	if opt.MSPRT {
		name = "mixture SPRT"
	}
	if opt.Untested != "" {
		name = "group sequential, between looks"
	}
	if opt.Look != nil {
		name = fmt.Sprintf("group sequential, look %d", opt.Look.Number())
	}
	switch kind {
	case Ratio:
		name += " of linearised ratios"
	case Percentile:
		name += " of percentiles"
	}
	if adjusts(kind, opt) {
		name += ", adjusted by CUPED"
	}
	return name
}

// alwaysValidName names the sequence, and the variances it uses where they are
// not those of the variations.
func alwaysValidName(opt Options) string {
	name := fmt.Sprintf("always valid, tuned at %d units", opt.TunedAt)
	if opt.Test == Student {
		name += ", pooled variance"
	}
	return name
}

// both joins what stands in the way of either estimate.
func both(a, b estimate) verdict {
	var v verdict
	switch {
	case a.status != "" && a.status == b.status:
		v.add(a.status, "baseline and variation: "+a.reason)
	default:
		if a.status != "" {
			v.add(a.status, "baseline: "+a.reason)
		}
		if b.status != "" {
			v.add(b.status, "variation: "+b.reason)
		}
	}
	return v
}

// compare fills e with what two means, and their variances where they have
// one, allow.
func (e *Effect) compare(c Comparison, v *verdict) {
	a, b := c.a, c.b
	difference := b.mean.sub(a.mean)
	e.Absolute = v.number(difference.float64())
	hasShare := a.mean.sign() != 0
	if hasShare {
		share := difference.quo(a.mean.abs())
		e.Relative = v.number(share.float64())
	}
	if a.hasVariance && b.hasVariance {
		e.test(a, b, c.spread, c.opt, v)
	}
	if !hasShare {
		v.add(ZeroBaseline, "the baseline's mean is zero, so there is no relative effect")
	}
}

// test fills in the detectable effect, the p-value and the intervals.
func (e *Effect) test(a, b estimate, s spread, opt Options, v *verdict) {
	if s.zero {
		v.add(ZeroVariance, "no unit differs from another of its variation, so chance cannot be measured")
		return
	}
	if s.baseline+s.variation == 0 {
		v.add(OutOfRange, "the variance is too small for a float64")
		return
	}
	if status, why := notNow(a, b, opt); status != OK {
		v.add(status, why)
		return
	}
	quantile := quantileOf(s.reference, opt)
	if opt.Power > 0 && a.mean.sign() != 0 {
		e.Detectable = v.number(s.detectable(quantile, opt) / math.Abs(a.mean.float64()))
	}
	if e.Absolute != nil {
		e.absolute(s, quantile, opt, v)
	}
	if e.Relative != nil {
		e.relative(a, b, s, quantile, opt, v)
	}
}

// absolute fills in the p-value and the interval of the absolute effect, and
// makes the two tell the same where rounding would part them.
func (e *Effect) absolute(s spread, quantile float64, opt Options, v *verdict) {
	se := math.Sqrt(s.baseline + s.variation)
	p := v.number(pValue(*e.Absolute/se, s.reference, opt.Alternative))
	d := quantile * se
	low, high := ends(*e.Absolute-d, *e.Absolute+d, opt.Alternative, v)
	if p == nil {
		return
	}
	significant := *p < opt.Alpha
	low, high = agree(significant, *e.Absolute, opt.Alternative, low, high)
	e.PValue, e.Significant = p, &significant
	e.AbsoluteLow, e.AbsoluteHigh = low, high
}

// pValue is the probability of a statistic at least as far out as t. Tails are
// always computed as tails, never as 1 − CDF, so that small ones keep their
// digits.
func pValue(t float64, ref distribution, alt Alternative) float64 {
	switch alt {
	case TwoSided:
		return math.Min(1, 2*ref.tail(math.Abs(t)))
	case Greater:
		return ref.tail(t)
	case Less:
		return ref.tail(-t)
	}
	panic(fmt.Sprintf("stats: no case for alternative %q", alt))
}

// quantileOf is how many standard errors the ends of an interval lie away.
func quantileOf(ref distribution, opt Options) float64 {
	switch opt.Alternative {
	case TwoSided:
		return ref.quantile(opt.Alpha / 2)
	case Greater, Less:
		return ref.quantile(opt.Alpha)
	}
	panic(fmt.Sprintf("stats: no case for alternative %q", opt.Alternative))
}

// ends are those of the ends that the alternative closes.
func ends(from, to float64, alt Alternative, v *verdict) (low, high *float64) {
	if alt != Less {
		low = v.number(from)
	}
	if alt != Greater {
		high = v.number(to)
	}
	return low, high
}

// agree moves the end of the interval that faces zero, if rounding put it on
// the wrong side. Test and interval are one comparison, of the statistic
// against a quantile; only their roundings differ, in the last digits.
func agree(significant bool, estimate float64, alt Alternative, low, high *float64) (_, _ *float64) {
	end, sign := low, 1.0
	if alt == Less || alt == TwoSided && estimate < 0 {
		end, sign = high, -1.0
	}
	if end == nil || (*end*sign > 0) == significant {
		return low, high
	}
	to := 0.0
	if significant {
		to = sign * math.SmallestNonzeroFloat64
	}
	if sign > 0 {
		return &to, high
	}
	return low, &to
}

// spread is the variance of both means and the distribution that their
// difference is compared with.
type spread struct {
	baseline, variation float64
	zero                bool // exactly: no unit differs from another
	reference           distribution
}

func spreadOf(a, b estimate, opt Options) spread {
	s := spread{
		baseline:  a.varianceOfMean(),
		variation: b.varianceOfMean(),
		zero:      a.variance.sign() == 0 && b.variance.sign() == 0,
	}
	na, nb := float64(a.units), float64(b.units)
	switch opt.Test {
	case Z:
		s.reference = normal{}
	case Welch:
		s.reference = welchOf(s.baseline, s.variation, a.units, b.units)
	case Student:
		ka, kb := SumOf(a.units-1), SumOf(b.units-1)
		pooled := a.variance.times(ka).add(b.variance.times(kb)).over(ka.Add(kb))
		s.baseline, s.variation = pooled.over(SumOf(a.units)).float64(), pooled.over(SumOf(b.units)).float64()
		s.reference = student{na + nb - 2}
	default:
		panic(fmt.Sprintf("stats: no case for test %q", opt.Test))
	}
	if opt.TunedAt > 0 {
		s.reference = alwaysValidOf(na+nb, opt)
	}
	if opt.MSPRT {
		s.reference = mixtureOf(a, s.baseline+s.variation, opt)
	}
	if opt.Look != nil {
		s.reference = opt.Look.under(opt)
	}
	return s
}

// welchOf has Welch's (1947) degrees of freedom for two means with these
// variances, in shares of their sum, so that nothing overflows.
func welchOf(va, vb float64, na, nb int64) student {
	share := va / (va + vb)
	return student{1 / (share*share/float64(na-1) + (1-share)*(1-share)/float64(nb-1))}
}
