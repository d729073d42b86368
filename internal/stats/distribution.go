package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// distribution is a symmetric distribution around zero that a statistic is
// compared with.
type distribution interface {
	// tail is the probability of a value above t.
	tail(t float64) float64
	// quantile is the t whose tail is p.
	quantile(p float64) float64
}

// normal is the standard normal distribution.
type normal struct{}

func (normal) tail(t float64) float64 { return 0.5 * math.Erfc(t/math.Sqrt2) }

func (normal) quantile(p float64) float64 { return -mathext.NormalQuantile(p) }

// student is Student's t with nu degrees of freedom, at least 1. It is computed
// here, for every nu, because a difference of two large log-gammas loses as many
// digits as nu has, and an inverse by 1 − 2p those of small p.
type student struct{ nu float64 }

func (s student) tail(t float64) float64 {
	switch {
	case math.IsNaN(t) || math.IsNaN(s.nu):
		return math.NaN()
	case t < 0:
		return 1 - s.tail(-t)
	case t == 0:
		return 0.5
	case math.IsInf(s.nu, 1):
		return normal{}.tail(t)
	}
	a := s.nu / 2
	w := t / s.nu * t // x = 1/(1+w)
	switch {
	case w > 1.0/9:
		return 0.5 * betaSeries(a, 0.5, s.logX(t))
	case a >= 15:
		return 0.5 * betaLargeA(a, s.logX(t))
	default:
		// Here the tail is above 0.04, and nothing is lost.
		return 0.5 - 0.5*betaSeries(0.5, a, math.Log(w)-math.Log1p(w))
	}
}

// logX is the logarithm of nu/(nu+t²).
func (s student) logX(t float64) float64 {
	if w := t / s.nu * t; !math.IsInf(w, 1) {
		return -math.Log1p(w)
	}
	return math.Log(s.nu) - 2*math.Log(t)
}

// slope is t times the probability density at t > 0, which stays in range
// where the density alone would not.
func (s student) slope(t float64) float64 {
	return gammaRatio(s.nu/2) / math.Sqrt(s.nu*math.Pi) * math.Exp(math.Log(t)+(s.nu+1)/2*s.logX(t))
}

func (s student) quantile(p float64) float64 {
	switch {
	case !(p > 0 && p < 1):
		return math.NaN()
	case p > 0.5:
		return -s.quantile(1 - p)
	case p == 0.5:
		return 0
	case math.IsInf(s.nu, 1):
		return normal{}.quantile(p)
	}
	// From the normal quantile, which is too small, Newton's method climbs: in
	// t where the tail is convex and large, else in log t against log tail,
	// where a power law is a straight line.
	t := normal{}.quantile(p)
	for range 200 {
		tail := s.tail(t)
		var next float64
		if p > 0.1 {
			next = t + t*(tail-p)/s.slope(t)
		} else {
			next = t * math.Exp(math.Log(tail/p)*tail/s.slope(t))
		}
		if math.IsNaN(next) || math.Abs(next-t) <= 1e-9*t {
			return next // each step doubles the digits
		}
		t = next
	}
	return t
}

// betaSeries is the regularised incomplete beta function I_x(a, b) by its power
// series (DLMF 8.17.7), for x away from 1:
//
//	x^a/B(a,b) · Σ (1−b)(2−b)…(n−b)/n! · xⁿ/(a+n)
//
// One of a and b is 1/2, so that 1/B is gammaRatio of the other over √π.
func betaSeries(a, b, logX float64) float64 {
	x := math.Exp(logX)
	term, sum := 1.0, 1/a
	for n := 1.0; ; n++ {
		term *= (n - b) / n * x
		d := term / (a + n)
		sum += d
		if math.Abs(d) <= 1e-17*math.Abs(sum) {
			break
		}
	}
	return math.Exp(a*logX) * sum * gammaRatio(math.Max(a, b)) / math.Sqrt(math.Pi)
}

// betaLargeA is I_x(a, 1/2) for large a and x near 1, by the expansion in
// incomplete gamma functions of DiDonato and Morris (1992), section 9: their
// BGRAT with b = 1/2, where Q(1/2, u) is erfc(√u).
func betaLargeA(a, logX float64) float64 {
	const b = 0.5
	t := a + (b-1)/2
	u := -t * logX
	if u > 745 {
		return 0
	}
	kernel := math.Sqrt(u/math.Pi) * math.Exp(-u) // u^b·e^−u/Γ(b)
	if kernel == 0 {
		return math.Erfc(math.Sqrt(u))
	}
	j := math.Erfc(math.Sqrt(u)) / kernel
	sum := j
	var p [40]float64
	p[0] = 1
	power := 1.0 // (log x / 2)^2n
	for n := 1; n < len(p); n++ {
		k := float64(2*n - 2)
		j = ((b+k)*(b+k+1)*j + (u+b+k+1)*power) / (4 * t * t)
		power *= logX * logX / 4
		p[n] = (b - 1) * inverseFactorial[2*n+1]
		for m := 1; m < n; m++ {
			p[n] += (float64(m)*b - float64(n)) / float64(n) * inverseFactorial[2*m+1] * p[n-m]
		}
		d := p[n] * j
		sum += d
		if math.Abs(d) <= 1e-17*math.Abs(sum) {
			break
		}
	}
	return kernel * gammaRatio(a) / math.Sqrt(t) * sum
}

// inverseFactorial[n] is 1/n!.
var inverseFactorial = func() (inv [82]float64) {
	inv[0] = 1
	for n := 1; n < len(inv); n++ {
		inv[n] = inv[n-1] / float64(n)
	}
	return inv
}()

// gammaRatio is Γ(a+½)/Γ(a), for large a by its asymptotic series (DLMF 5.11.13).
func gammaRatio(a float64) float64 {
	if a < 20 {
		return math.Gamma(a+0.5) / math.Gamma(a)
	}
	r := 1 / a
	r2 := r * r
	log := -r * (1.0/8 - r2*(1.0/192-r2*(1.0/640-r2*(17.0/14336-r2*31.0/18432))))
	return math.Sqrt(a) * math.Exp(log)
}

// chiSquaredTail is the probability of a χ² with df degrees of freedom above x.
func chiSquaredTail(x, df float64) float64 {
	return mathext.GammaIncRegComp(df/2, x/2)
}
