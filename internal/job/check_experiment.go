package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// experiment says what the impressions of an experiment show.
func (c *checker) experiment(ctx context.Context, x *compiler.ExperimentPlan, got *collected) error {
	if c.notBegun(x) {
		return nil
	}
	shown := map[string]int64{}
	for _, s := range x.Sources {
		values, err := c.values(ctx, compiler.ProbeVariations(x, s))
		if err != nil {
			return err
		}
		for _, v := range values {
			shown[v.text] += v.rows
		}
	}
	if len(shown) == 0 {
		return c.noImpressions(ctx, x)
	}
	c.unusedHoldback(x)
	c.unusedIgnored(x, shown)
	if c.unknownVariations(x, shown) {
		c.noUnits(x, got)
	}
	for _, v := range x.Def.Variations {
		n := got.exposed[overall(x.Def.Key.V, v.Key.V)]
		c.fact("experiment %s: %s in %s", x.Def.Key.V, amount(n, "unit"), v.Key.V)
	}
	return nil
}

// noUnits warns of an experiment with impressions that leaves out every unit,
// and says why.
func (c *checker) noUnits(x *compiler.ExperimentPlan, got *collected) {
	if got.exposedUnits(x) > 0 || c.doubtedAudiences[x] {
		return
	}
	pos := x.Def.Pos
	var why []string
	for _, r := range []struct {
		reason, text string
		at           diag.Pos
	}{
		{"no_impression", "%s have no impression that counts", diag.Pos{}},
		{"several_variations", "%s saw several variations", x.Def.Multiple.Pos},
		{"other_experiment", "%s are in another experiment", diag.Pos{}},
		{"audience", "%s are not in the audience", x.Def.Where.Pos},
		{"not_activated", "%s were not activated", diag.Pos{}},
		{"phase", "%s are of phases before the last", diag.Pos{}},
	} {
		n := got.units[reason{x.Def.Key.V, r.reason}]
		if n == 0 {
			continue
		}
		if why = append(why, fmt.Sprintf(r.text, amount(n, "unit"))); r.at.IsValid() {
			pos = r.at
		}
	}
	if n := got.rows[reason{x.Def.Key.V, "holdback"}]; n > 0 {
		why = append(why, amount(n, "impression")+" of holdbacks")
	}
	if len(why) == 0 {
		why = []string{"none of its impressions counts"}
	}
	c.found.Warnf(pos, "no-units", "no unit of experiment %s is left: %s", x.Def.Key.V, strings.Join(why, ", "))
}

// exposedUnits are the units of all variations of an experiment.
func (c *collected) exposedUnits(x *compiler.ExperimentPlan) int64 {
	n := int64(0)
	for _, v := range x.Def.Variations {
		n += c.exposed[overall(x.Def.Key.V, v.Key.V)]
	}
	return n
}

// unknownVariations warns of values in the data that the file does not know,
// and of values in the file that the data does not know. It reports whether a
// variation is shown at all.
func (c *checker) unknownVariations(x *compiler.ExperimentPlan, shown map[string]int64) bool {
	var inFile []string
	var matches []metrics.MatchValue
	for _, v := range x.Def.Variations {
		for _, m := range v.Match {
			inFile = append(inFile, m.Text)
			matches = append(matches, m)
		}
	}
	for _, v := range x.Def.IgnoreVariations {
		matches = append(matches, metrics.MatchValue{Text: v.V})
	}
	known := func(value string) bool {
		return slices.ContainsFunc(matches, func(m metrics.MatchValue) bool { return m.Means(value) })
	}
	var inData, unknown []string
	for value := range shown {
		if inData = append(inData, value); !known(value) {
			unknown = append(unknown, value)
		}
	}
	slices.Sort(inData)
	slices.Sort(unknown)
	var missing []*metrics.Variation
	for _, v := range x.Def.Variations {
		isShown := func(m metrics.MatchValue) bool { return slices.ContainsFunc(inData, m.Means) }
		if !slices.ContainsFunc(v.Match, isShown) {
			missing = append(missing, v)
		}
	}
	// A misspelt match is one mistake: the variation is never shown, and what is
	// shown instead is not in the file.
	for _, v := range missing {
		instead, ok := diag.Nearest(v.Match[0].Text, unknown)
		if len(missing) == 1 && len(unknown) == 1 {
			instead, ok = unknown[0], true
		}
		if !ok {
			c.found.Warnf(v.Pos, "variation-never-shown", "no impression of experiment %s shows variation %q", x.Def.Key.V, v.Key.V).
				Hint = nearestOrList(v.Match[0].Text, inData)
			continue
		}
		unknown = slices.DeleteFunc(unknown, func(value string) bool { return value == instead })
		c.found.Warnf(v.Match[0].Pos, "variation-never-shown", "no impression of experiment %s shows variation %q, but %s show %q, which is not in the file",
			x.Def.Key.V, v.Key.V, amount(shown[instead], "impression"), instead).
			WithHint("did you mean match: %s?", instead)
	}
	for _, value := range unknown {
		show := "show"
		if shown[value] == 1 {
			show = "shows"
		}
		c.found.Warnf(x.Def.Pos, "unknown-variation", "%s of experiment %s %s the variation %q, which is not in the file", amount(shown[value], "impression"), x.Def.Key.V, show, value).
			Hint = nearestOrList(value, inFile)
	}
	return len(missing) < len(x.Def.Variations)
}

// unusedHoldback warns of what is said of holdbacks where no row can be one.
func (c *checker) unusedHoldback(x *compiler.ExperimentPlan) {
	if !x.Def.HoldbackAs.Set || slices.ContainsFunc(x.Sources, func(s *compiler.Source) bool { return s.Holdback != nil }) {
		return
	}
	c.foundIn(x, x.Def.HoldbackAs.Pos, "no-effect", "holdback changes nothing in experiment %s: none of its sources maps holdback", x.Def.Key.V).
		hint = "map a column of true and false under columns: holdback of the source, or leave it out"
}

// unusedIgnored warns of values that are ignored and never occur. FlagSync's SDKs serve
// control where they have no variant, which may never have happened.
func (c *checker) unusedIgnored(x *compiler.ExperimentPlan, shown map[string]int64) {
	byDefault := func(value string) bool {
		return value == "control" && slices.ContainsFunc(x.Sources, func(s *compiler.Source) bool { return s.Def.Preset.V == "flagsync" })
	}
	var inData []string
	for value := range shown {
		inData = append(inData, value)
	}
	slices.Sort(inData)
	for _, v := range x.Def.IgnoreVariations {
		if _, ok := shown[v.V]; !ok && !byDefault(v.V) {
			c.foundIn(x, v.Pos, "no-effect", "ignore_variations: no impression of experiment %s shows %q", x.Def.Key.V, v.V).hint = nearestOrList(v.V, inData)
		}
	}
}

// notBegun warns of an experiment that begins after the data; there is nothing
// else to say of it then.
func (c *checker) notBegun(x *compiler.ExperimentPlan) bool {
	if x.Starts.Before(c.asOf) {
		return false
	}
	when := "which is after the data"
	if x.Starts.After(c.opts.Now) {
		when = "which is in the future"
	}
	c.found.Warnf(x.Def.Start.Pos, "not-begun", "experiment %s starts at %s, %s: as of %s there is nothing to compute", x.Def.Key.V, minute(x.Starts), when, minute(c.asOf)).
		WithHint("correct start, or leave the experiment out until then with status: draft")
	return true
}

// noImpressions says which experiments and flags there are instead.
func (c *checker) noImpressions(ctx context.Context, x *compiler.ExperimentPlan) error {
	byExperiment := len(x.Def.Match.Flag) == 0
	var have []string
	for _, s := range x.Sources {
		if probe, ok := compiler.ProbeKeys(s, byExperiment && s.Experiment != nil); ok {
			texts, err := c.texts(ctx, probe)
			if err != nil {
				return err
			}
			have = append(have, texts...)
		}
	}
	if !holdRows(x.Sources) {
		return nil
	}
	want, pos := x.Def.Key, x.Def.Key.Pos
	switch {
	case len(x.Def.Match.Experiment) > 0:
		want = x.Def.Match.Experiment[0]
	case len(x.Def.Match.Flag) > 0:
		want = x.Def.Match.Flag[0]
	}
	if want.Pos.IsValid() {
		pos = want.Pos
	}
	d := c.found.Warnf(pos, "no-impressions", "no impression of experiment %s between %s and %s",
		x.Def.Key.V, x.Starts.Format("2006-01-02 15:04"), x.Ends.Format("2006-01-02 15:04"))
	if slices.Contains(have, want.V) {
		d.WithHint("there are impressions of %q outside these dates: start is included, end is not", want.V)
	} else {
		d.Hint = nearestOrList(want.V, have)
	}
	return nil
}
