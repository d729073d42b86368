package metrics

import (
	"slices"
	"strings"
)

// expandGroups replaces groups inside groups by their metrics.
func (r *resolver) expandGroups() {
	done := map[string]bool{}
	var expand func(g *Group, chain []string)
	expand = func(g *Group, chain []string) {
		if done[g.Key.V] {
			return
		}
		chain = append(chain, g.Key.V)
		var out []Text
		seen := map[string]bool{}
		add := func(t Text) {
			if !seen[t.V] {
				seen[t.V] = true
				out = append(out, t)
			}
		}
		written := map[string]bool{}
		for _, t := range g.Metrics {
			if written[t.V] {
				r.diags.Errorf(t.Pos, "duplicate-name", "metric %s is listed twice in group %s", quoted(t.V), quoted(g.Key.V)).
					WithHint("leave one of them out")
				continue
			}
			written[t.V] = true
			inner := r.groups[t.V]
			switch {
			case r.byKey[t.V] != nil:
				add(t)
			case inner == nil:
				r.noMetric(t)
			case slices.Contains(chain, t.V):
				r.diags.Errorf(t.Pos, "cycle", "metric group %s is a part of itself: %s", quoted(t.V), strings.Join(append(chain, t.V), " → ")).
					WithHint("take one group out of the other")
			default:
				expand(inner, slices.Clone(chain))
				for _, k := range inner.Metrics {
					add(At[string]{V: k.V, Pos: t.Pos, Set: true})
				}
			}
		}
		g.Metrics = out
		done[g.Key.V] = true
	}
	for _, g := range r.defs.Groups {
		expand(g, nil)
	}
}
