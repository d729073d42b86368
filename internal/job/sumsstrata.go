package job

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// stratumKey names a stratum: the cell of the column stratum, or what a run's column
// strata says.
type stratumKey struct {
	phase int
	name  string
}

// sumsStratum is a part of the units of a variation.
type sumsStratum struct {
	key     stratumKey
	moments stats.Moments
	// weight is the planned weight of the variation in the phase; nil where it is not
	// known.
	weight  *big.Rat
	exposed int64
}

// strata are the parts that the column strata of a run's table has.
func (r sumsRow) strata(kind stats.Kind, opt stats.Options) ([]sumsStratum, error) {
	if r.text("strata") == "" {
		return nil, nil
	}
	if r.text("stratum") != "" {
		return nil, r.errorf("leave one of them out", "columns strata and stratum both have a value")
	}
	var list []metrics.MomentStratum
	if err := json.Unmarshal([]byte(r.text("strata")), &list); err != nil {
		return nil, r.errorf("leave the column as the run wrote it, or write parts as rows with a column stratum", "column strata: %v", err)
	}
	var out []sumsStratum
	for _, part := range list {
		s := sumsStratum{key: stratumKey{part.Phase, part.Name}, exposed: part.Exposed, weight: ratOf(part.Weight), moments: stats.Moments{Units: part.Units}}
		for _, term := range stats.NeedOf(kind, opt).Terms()[1:] {
			if kind == stats.Percentile {
				break // phases of percentiles have units alone
			}
			sum, err := stats.ParseSum(part.Sums[term.Column()])
			if err != nil {
				return nil, r.errorf("leave the column as the run wrote it", "column strata: %s of stratum %q: %v", term.Column(), part.Name, err)
			}
			s.moments.Set(term, sum)
		}
		out = append(out, s)
	}
	return out, nil
}

// phased reports whether the strata of an arm are phases of its experiment.
func (a *sumsArm) phased() bool { return len(a.strata) > 0 && a.strata[0].key.phase > 0 }

// stratum is the one of that name; its zero where the arm has none.
func (a *sumsArm) stratum(key stratumKey) sumsStratum {
	if at := slices.IndexFunc(a.strata, func(s sumsStratum) bool { return s.key == key }); at >= 0 {
		return a.strata[at]
	}
	return sumsStratum{key: key}
}

// strataKeys are the strata of some arms, by phase and name.
func strataKeys(arms ...*sumsArm) []stratumKey {
	seen := map[stratumKey]bool{}
	var out []stratumKey
	for _, a := range arms {
		for _, s := range a.strata {
			if !seen[s.key] {
				seen[s.key] = true
				out = append(out, s.key)
			}
		}
	}
	slices.SortFunc(out, func(a, b stratumKey) int { return cmp.Or(a.phase-b.phase, strings.Compare(a.name, b.name)) })
	return out
}

// pooled is the arm without the names of its strata: phases alone.
func (a *sumsArm) pooled() *sumsArm {
	out := *a
	out.strata = nil
	for _, s := range a.strata {
		s.key.name = ""
		at := slices.IndexFunc(out.strata, func(o sumsStratum) bool { return o.key == s.key })
		if at < 0 {
			out.strata = append(out.strata, s)
			continue
		}
		out.strata[at].moments = out.strata[at].moments.Add(s.moments)
		out.strata[at].exposed += s.exposed
	}
	return &out
}

// strataOf are the strata that two variations are compared in; nil where there are not
// several. A phase in which one of them was planned to have no units compares nothing.
// Who gives strata asks for them, but where a file says stratify: [].
func (g *sumsGroup) strataOf(baseline, variation *sumsArm) []stats.Stratum {
	if g.kind == stats.Percentile {
		return nil
	}
	if s := g.by.Stratify; s.Set && len(s.V) == 0 {
		baseline, variation = baseline.pooled(), variation.pooled()
	}
	keys := strataKeys(baseline, variation)
	if len(keys) < 2 && !baseline.phased() {
		return nil
	}
	out := []stats.Stratum{}
	for _, key := range keys {
		a, b := baseline.stratum(key), variation.stratum(key)
		if isZero(a.weight) || isZero(b.weight) {
			continue
		}
		out = append(out, stats.Stratum{Baseline: a.moments, Variation: b.moments})
	}
	return out
}

func isZero(weight *big.Rat) bool { return weight != nil && weight.Sign() == 0 }

// phases are the sets of units by phase, whose planned ratios may differ; none where the
// group has no phases, or its units are no random sample by their weights.
func (g *sumsGroup) phases() []stats.RatioSet {
	var out []stats.RatioSet
	planned := false
	for _, key := range strataKeys(g.arms...) {
		if key.phase == 0 {
			return nil
		}
		if len(out) < key.phase {
			out = append(out, make([]stats.RatioSet, key.phase-len(out))...)
		}
		set := &out[key.phase-1]
		if set.Units == nil {
			set.Units, set.Weights = make([]int64, len(g.arms)), make([]*big.Rat, len(g.arms))
		}
		for i, a := range g.arms {
			s := a.stratum(key)
			set.Units[i] += s.exposed
			if s.weight != nil {
				set.Weights[i] = s.weight
				planned = planned || s.weight.Sign() > 0
			}
		}
	}
	if !planned {
		return nil
	}
	return out
}
