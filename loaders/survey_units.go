package loaders

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// What a unit kind needs so that experiments can be of it.
const (
	kindInImpressions = 0.9  // the share of the impressions that have its id
	kindInEvents      = 0.5  // the share of the events; the others count for nobody
	kindSeveral       = 0.01 // how much larger the share of units in several variations may be than that of the best kind
)

// unitKind chooses the unit kind of the experiments. What was randomised saw one
// variation: of the kinds that most impressions and many events have it is one of those
// with the fewest units in several, and of these the one that fewest rows lack.
func (s *surveyor) unitKind(ctx context.Context) (string, error) {
	impressions, events := idsOf(s.impressions), idsOf(s.events)
	var common []kindIDs
	for _, k := range impressions {
		in := slices.IndexFunc(events, func(e kindIDs) bool { return e.kind == k.kind })
		u := metrics.SurveyedUnit{Kind: k.kind, InEvents: in >= 0}
		if len(impressions) > 1 {
			if err := s.several(ctx, &u); err != nil {
				return "", fmt.Errorf("count the units by %s: %w", k.kind, err)
			}
		}
		if u.Units > 0 || len(impressions) == 1 {
			s.out.Units = append(s.out.Units, u)
		}
		if in >= 0 {
			k.several, k.lost, k.inEvents = u.Share(), k.lost+events[in].lost, events[in].share
			common = append(common, k)
		}
	}
	if len(common) == 0 {
		var list diag.List
		list.Errorf(diag.Pos{}, "no-common-unit", "impressions have ids of %s, and events ids of %s, so nothing tells which events are whose",
			unitKinds(s.impressions), unitKinds(s.events)).WithHint("both need a column with the id of the same kind of unit")
		return "", list
	}
	// Kinds that many rows lack are rather of units that some rows are of.
	if wide := slices.DeleteFunc(slices.Clone(common), func(k kindIDs) bool { return k.share < kindInImpressions || k.inEvents < kindInEvents }); len(wide) > 0 {
		fewest := slices.MinFunc(wide, func(a, b kindIDs) int { return cmp.Compare(a.several, b.several) })
		common = slices.DeleteFunc(wide, func(k kindIDs) bool { return k.several > fewest.several+kindSeveral })
	}
	best := slices.MinFunc(common, func(a, b kindIDs) int { return cmp.Compare(a.lost, b.lost) })
	if at := slices.IndexFunc(s.out.Units, func(u metrics.SurveyedUnit) bool { return u.Kind == best.kind }); at > 0 {
		chosen := s.out.Units[at]
		s.out.Units = slices.Insert(slices.Delete(s.out.Units, at, at+1), 0, chosen)
	}
	return best.kind, nil
}

// kindIDs is a unit kind with how many rows have an id of it.
type kindIDs struct {
	kind  string
	lost  int64   // rows without one, of the sources that map the kind
	share float64 // of the rows of all sources that have one
	// inEvents is the share of the events.
	inEvents float64
	// several is the share of the units that saw several variations of an experiment.
	several float64
}

// idsOf are the unit kinds of sources, in the order in which they are mapped.
func idsOf(sources []*surveyed) []kindIDs {
	var out []kindIDs
	var rows int64
	have := map[string]int64{}
	for _, src := range sources {
		of := src.Rows - src.lost.Where
		rows += of
		for _, u := range src.Units {
			i := slices.IndexFunc(out, func(k kindIDs) bool { return k.kind == u.Kind })
			if i < 0 {
				i, out = len(out), append(out, kindIDs{kind: u.Kind})
			}
			out[i].lost += src.lost.NoUnit[u.Kind]
			have[u.Kind] += of - src.lost.NoUnit[u.Kind]
		}
	}
	for i := range out {
		if rows > 0 {
			out[i].share = float64(have[out[i].kind]) / float64(rows)
		}
	}
	return out
}

// several counts the units of a kind, and those that saw several variations of an experiment.
func (s *surveyor) several(ctx context.Context, u *metrics.SurveyedUnit) error {
	by := []sqlast.Expr{column("is flag"), column("key"), column("id")}
	each := sqlast.Select{
		Items:   []sqlast.Item{{X: sqlast.Aggregate{Fn: sqlast.Count, X: column("same"), Distinct: true}, As: "variations"}},
		From:    s.shown(u.Kind),
		GroupBy: by,
	}
	rows, err := s.query(ctx, sqlast.Select{
		Why: "the units that saw several variations",
		Items: []sqlast.Item{
			{X: sqlast.Aggregate{Fn: sqlast.Count}, As: "units"},
			tally(binary(sqlast.Greater, column("variations"), sqlast.Int(1)), "several"),
		},
		From: sqlast.Subquery{Query: each, Alias: "u"},
	})
	if err != nil {
		return err
	}
	u.Units, u.Several = rows[0][0].(int64), rows[0][1].(int64)
	return nil
}

func unitKinds(sources []*surveyed) string {
	var kinds []string
	for _, k := range idsOf(sources) {
		kinds = append(kinds, k.kind)
	}
	slices.Sort(kinds)
	return some(kinds, 5)
}
