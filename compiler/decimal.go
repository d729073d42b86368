package compiler

import (
	"math/big"

	"github.com/metricsjob/metricsjob/metrics"
)

// decimals decides how many digits of a value are kept: what the metric says,
// else what the columns hold, else 6; the largest over the metric's sources, also
// those without rows of the units: so a metric keeps the same digits in all
// experiments, whatever their unit kinds and whichever of them join ids.
func (p *planner) decimals(m *metrics.Metric, n *Measure) int {
	if !n.numeric() {
		return 0
	}
	if m.Decimals.Set {
		return m.Decimals.V
	}
	const inexact = 6
	ref, bare := n.Value.Bare()
	if !bare || ref.Kind == RefElapsed {
		return inexact
	}
	sources := n.Sources
	if !m.Event.Impression {
		sources = p.ownSources(m)
	}
	digits := 0
	for _, s := range sources {
		field, ok := s.field(ref)
		switch {
		case !ok:
		case !field.Type.Exact():
			digits = max(digits, inexact)
		default:
			for _, scale := range p.scales(ref, n.Events) {
				digits = max(digits, field.Type.Scale+fractionDigits(scale))
			}
		}
	}
	if n.Averaged {
		digits = max(digits, inexact)
	}
	return min(digits, maxDecimals)
}

// maxDecimals is the largest number of digits that a value can keep.
const maxDecimals = 9

// scales are the scales that the registry gives a name, by event.
func (p *planner) scales(ref Ref, events []string) map[string]metrics.Number {
	return scalesOf(p.defs.Registry, ref, events)
}

func scalesOf(registry metrics.Registry, ref Ref, events []string) map[string]metrics.Number {
	out := map[string]metrics.Number{}
	for _, e := range events {
		out[e] = "1"
		t := registry.Event(e)
		if t == nil {
			continue
		}
		switch ref.Kind {
		case RefValue:
			if t.ValueScale.Set {
				out[e] = t.ValueScale.V
			}
		case RefProperty:
			if p := t.Property(ref.Name); p != nil && p.Scale.Set {
				out[e] = p.Scale.V
			}
		}
	}
	return out
}

// maxWhole is the largest absolute whole number of 10^-decimals that a row or
// a unit may have; beyond it the metric overflows.
var maxWhole = pow10(15)

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// fractionDigits is the number of digits behind the point that a decimal number needs.
func fractionDigits(n metrics.Number) int {
	digits := 0
	for r := n.Rat(); !r.IsInt(); digits++ {
		r = new(big.Rat).Mul(r, big.NewRat(10, 1))
	}
	return digits
}

// roundHalfAway rounds to a whole number, half away from zero.
func roundHalfAway(r *big.Rat) *big.Int {
	num := new(big.Int).Abs(r.Num())
	num.Mul(num, big.NewInt(2)).Add(num, r.Denom())
	q := num.Quo(num, new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	if r.Sign() < 0 {
		q.Neg(q)
	}
	return q
}

// clamped is a whole number, or where it is beyond ±most, that.
func clamped(k, most *big.Int) *big.Int {
	if k.CmpAbs(most) <= 0 {
		return k
	}
	if k.Sign() < 0 {
		return new(big.Int).Neg(most)
	}
	return most
}

// decimalText is a whole number of 10^-digits as plain decimal text.
func decimalText(whole *big.Int, digits int) string {
	return new(big.Rat).SetFrac(whole, pow10(digits)).FloatString(digits)
}
