package metrictest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// suite is a file of tests with the definitions that it is about.
type suite struct {
	file *metrics.TestFile
	// sources are the texts of the definitions, defs what they say.
	sources []metrics.SourceFile
	defs    *metrics.Definitions
	load    metrics.LoadOptions
}

// newSuite reads the definitions of a file of tests; nil where they are wrong, or the
// file is.
func newSuite(f *metrics.TestFile, opts Options) (*suite, diag.List, error) {
	s := &suite{file: f, load: metrics.LoadOptions{Env: func(name string) (string, bool) {
		if opts.Env != nil {
			if v, ok := opts.Env(name); ok {
				return v, true
			}
		}
		return name, true
	}}}
	if f.Wrong.HasErrors() {
		return nil, f.Wrong, nil
	}
	var list diag.List
	var err error
	if s.sources, list, err = metrics.ReadFiles(f.DefinitionPaths()); err != nil {
		at := diag.Pos{File: f.Path, Line: 1, Col: 1}
		for i, path := range f.DefinitionPaths() {
			if _, missing := os.Stat(path); missing != nil && i < len(f.Definitions) {
				at = f.Definitions[i].Pos
				break
			}
		}
		list.Errorf(at, "no-definitions", "%s", err).WithHint("definitions: names files and folders, from the folder of this file")
		return nil, list, nil
	}
	defs, more := metrics.Decode(s.sources, s.load)
	list = append(list, more...)
	if !list.HasErrors() {
		_, more, err = job.Load(job.Options{Definitions: defs, AllowSQL: true}) // which fills in presets
		if err != nil {
			return nil, nil, err
		}
		list = append(list, more...)
	}
	if list.HasErrors() {
		return nil, list, nil
	}
	s.defs = defs
	return s, nil, nil
}

// testCase is a test whose rows are understood.
type testCase struct {
	suite *suite
	test  *metrics.Test
	// defs are the definitions with the experiment of the test among them.
	defs        *metrics.Definitions
	experiment  *metrics.Experiment
	impressions []*row
	events      []*row
	units       []*row // about units
	// warnings are what may be a mistake in the test.
	warnings diag.List
}

// row is a row of a test, understood by the definitions.
type row struct {
	*metrics.TestRow
	source     *metrics.Source
	at         time.Time
	units      map[string]string // ids by kind
	properties []metrics.TestValue
	experiment string // of an impression
	variation  string // the key of an impression's variation
}

// newCase understands the rows of a test; what is wrong with them is added to
// the list, and then the case is not to be run.
func (s *suite) newCase(t *metrics.Test, list *diag.List) *testCase {
	c := &testCase{suite: s, test: t, defs: s.defs}
	before := len(*list)
	c.checkNames(list)
	if len(*list) > before {
		return c
	}
	c.withSources()
	for _, r := range t.Impressions {
		c.impressions = append(c.impressions, c.newRow(r, c.defs.Sources.Impressions, list))
	}
	for _, r := range t.Events {
		c.events = append(c.events, c.newRow(r, c.defs.Sources.Events, list))
	}
	for _, r := range t.Units {
		c.units = append(c.units, c.newRow(r, c.defs.Sources.Units, list))
	}
	if len(*list) > before {
		return c
	}
	if c.findExperiment(list); len(*list) > before {
		return c
	}
	c.checkEventKeys(list)
	c.setVariations(list)
	c.setInstants(list)
	return c
}

// checkNames checks the metrics and experiments that the test names.
func (c *testCase) checkNames(list *diag.List) {
	var keys, experiments []string
	for _, m := range c.defs.Metrics {
		keys = append(keys, m.Key.V)
	}
	for _, e := range c.defs.Experiments {
		experiments = append(experiments, e.Key.V)
	}
	for _, x := range c.test.Expect {
		if c.defs.Metric(x.Metric.V) == nil {
			list.Errorf(x.Metric.Pos, "unknown-name", "no metric has the key %q", x.Metric.V).
				Hint = diag.Suggest("metrics", x.Metric.V, keys)
		} else if len(x.Splits) > 0 && !c.defs.Metric(x.Metric.V).SplitBy.Set {
			list.Errorf(x.Splits[0].Value.Pos, "unknown-name", "metric %s is not split", x.Metric.V).
				WithHint("split_by: and a property in the metric")
		}
	}
	named := []metrics.Text{c.test.Experiment}
	for _, r := range c.test.Impressions {
		named = append(named, r.Experiment)
	}
	for _, e := range named {
		if e.Set && c.defs.Experiment(e.V) == nil {
			list.Errorf(e.Pos, "unknown-name", "no experiment has the key %q", e.V).
				Hint = diag.Suggest("experiments", e.V, experiments)
		}
	}
}

// withSources gives definitions that have no sources one of each role.
func (c *testCase) withSources() {
	defs := *c.defs
	made := func(role metrics.SourceRole) []*metrics.Source {
		src := &metrics.Source{Role: role, Name: metrics.Text{V: string(role), Set: true}, Pos: c.test.Pos}
		for _, kind := range c.likelyKinds() {
			src.Columns.Units = append(src.Columns.Units, metrics.UnitColumn{Kind: metrics.Text{V: kind, Set: true}})
		}
		return []*metrics.Source{src}
	}
	if len(defs.Sources.Impressions) == 0 {
		defs.Sources.Impressions = made(metrics.RoleImpressions)
	}
	if len(defs.Sources.Events) == 0 {
		defs.Sources.Events = made(metrics.RoleEvents)
	}
	if len(defs.Sources.Units) == 0 && len(c.test.Units) > 0 {
		defs.Sources.Units = made(metrics.RoleUnits)
	}
	c.defs = &defs
}

// likelyKinds are the unit kinds that definitions without sources speak of, and
// the usual ones.
func (c *testCase) likelyKinds() []string {
	kinds := []string{"user", "device", "account"}
	add := func(kind string) {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	for _, e := range c.defs.Experiments {
		add(e.Unit.V)
	}
	for _, m := range c.defs.Metrics {
		for _, kind := range m.RandomizationUnits {
			add(kind.V)
		}
	}
	return kinds
}

// declared reports whether an event has a declared property.
func (c *testCase) declared(event, name string) bool {
	t := c.defs.Registry.Event(event)
	return t != nil && t.Property(name) != nil
}

// newRow finds the source of a row and says what its names mean.
func (c *testCase) newRow(r *metrics.TestRow, sources []*metrics.Source, list *diag.List) *row {
	out := &row{TestRow: r, units: map[string]string{}, properties: slices.Clone(r.Properties), experiment: r.Experiment.V, variation: r.Variation.V}
	var names []string
	for _, s := range sources {
		names = append(names, s.Name.V)
		if s.Name.V == r.Source.V || !r.Source.Set && len(sources) == 1 {
			out.source = s
		}
	}
	switch {
	case out.source != nil:
	case r.Source.Set:
		list.Errorf(r.Source.Pos, "unknown-name", "there is no source %q of such rows", r.Source.V).
			Hint = diag.Suggest("sources", r.Source.V, names)
		return out
	default:
		list.Errorf(r.Pos, "missing-field", "the row says no source, and there are %s", strings.Join(names, ", ")).
			WithHint("write source: %s", names[0])
		return out
	}
	kinds := kindsOf(out.source)
	for _, v := range r.Named {
		switch {
		case slices.Contains(kinds, v.Name.V):
			out.units[v.Name.V] = v.Value.V
		case c.declared(r.Event.V, v.Name.V):
			out.properties = append(out.properties, v)
		default:
			c.unknownName(r, v.Name, kinds, list)
		}
	}
	if len(out.units) == 0 {
		list.Errorf(r.Pos, "missing-field", "the row has no id of a unit").WithHint("write %s: …", append(kinds, "user")[0])
	}
	return out
}

// unknownName says that a name of a row is no word, no unit kind and no declared property.
func (c *testCase) unknownName(r *metrics.TestRow, name metrics.Text, kinds []string, list *diag.List) {
	words := append([]string{"at", "attributes", "source"}, kinds...)
	what := "a row about a unit"
	hint := fmt.Sprintf("ids of units are %s; an attribute is written attributes.%s", strings.Join(kinds, ", "), name.V)
	switch {
	case r.Event.Set:
		words, what = append(words, "event", "value", "properties", "id", "weight"), "an event"
		hint = fmt.Sprintf("a property that is not declared for %s is written properties.%s; ids of units are %s", r.Event.V, name.V, strings.Join(kinds, ", "))
		if t := c.defs.Registry.Event(r.Event.V); t != nil {
			for _, p := range t.Properties {
				words = append(words, p.Name.V)
			}
		}
	case r.Variation.Set:
		words, what = append(words, "variation", "experiment", "id", "holdback", "weight"), "an impression"
	}
	said := list.Errorf(name.Pos, "unknown-key", "unknown key %q in %s", name.V, what)
	if said.Hint = diag.DidYouMean(name.V, words); said.Hint == "" {
		said.Hint = hint
	}
}

func kindsOf(s *metrics.Source) []string {
	var out []string
	for _, u := range s.Columns.Units {
		out = append(out, u.Kind.V)
	}
	return out
}

// findExperiment finds the experiment of the test, or makes it.
func (c *testCase) findExperiment(list *diag.List) {
	if !c.test.Experiment.Set {
		c.makeExperiment(list)
		return
	}
	c.experiment = c.defs.Experiment(c.test.Experiment.V)
	for _, x := range c.test.Expect {
		if !slices.ContainsFunc(c.experiment.Metrics, func(m *metrics.ExperimentMetric) bool { return m.Metric.Key.V == x.Metric.V }) {
			list.Errorf(x.Metric.Pos, "unknown-name", "metric %s is none of experiment %s", x.Metric.V, c.experiment.Key.V).
				WithHint("without experiment: the test makes one of its impressions, with every metric")
		}
		for _, s := range x.Segments {
			c.checkSegment(s.Segment, list)
		}
	}
}

// checkSegment checks that the experiment has a segment.
func (c *testCase) checkSegment(key metrics.Text, list *diag.List) {
	var keys []string
	for _, s := range c.experiment.Segments {
		keys = append(keys, s.Key.V)
	}
	if slices.Contains(keys, key.V) {
		return
	}
	d := list.Errorf(key.Pos, "unknown-name", "experiment %s has no segment %q", c.experiment.Key.V, key.V)
	if d.Hint = diag.Suggest("segments", key.V, keys); len(keys) == 0 {
		d.WithHint("without experiment: the test makes one of its impressions, with the segments that it names")
	}
}

// makeExperiment makes an experiment of the impressions: its variations in the
// order in which they appear, the first as baseline, and the metrics that are
// tested. It goes through the decoder, so that defaults hold for it.
func (c *testCase) makeExperiment(list *diag.List) {
	key := "test"
	for i := 2; c.defs.Experiment(key) != nil; i++ {
		key = fmt.Sprintf("test_%d", i)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	found := false
	var variations, tested, segments []string
	for _, r := range c.impressions {
		if !r.When.Relative && (!found || r.When.Time.Before(start)) {
			start, found = r.When.Time.Truncate(24*time.Hour), true
		}
		if v := quotedKey(r.Variation.V); !slices.Contains(variations, v) && r.experiment == "" {
			variations = append(variations, v)
		}
	}
	for _, x := range c.test.Expect {
		tested = append(tested, x.Metric.V)
		for _, s := range x.Segments {
			if key := quotedKey(s.Segment.V); !slices.Contains(segments, key) {
				segments = append(segments, key)
			}
		}
	}
	for i := range variations {
		entry := "{key: " + variations[i] + ", weight: 1}"
		if i == 0 {
			entry = "{key: " + variations[i] + ", weight: 1, baseline: true}"
		}
		variations[i] = entry
	}
	rule := "test"
	if len(variations) < 2 {
		rule = "rollout"
	}
	unit := ""
	for _, kind := range kindsOf(c.impressions[0].source) {
		if c.impressions[0].units[kind] != "" {
			unit = kind
			break
		}
	}
	text := fmt.Sprintf("version: 1\nexperiments:\n  - {key: %s, flag: %s, rule: %s, unit: %s, start: %s, variations: [%s], segments: [%s], metrics: {primary: [%s]}}\n",
		key, key, rule, quotedKey(unit), start.Format(time.RFC3339), strings.Join(variations, ", "), strings.Join(segments, ", "), strings.Join(tested, ", "))
	file := metrics.SourceFile{Path: c.suite.file.Path + " (the experiment of a test)", Text: []byte(text)}
	sources := c.defs.Sources
	defs, said := metrics.Decode(append(slices.Clone(c.suite.sources), file), c.suite.load)
	for _, d := range said {
		if d.Severity != diag.Error {
			continue
		}
		if d.Pos.File == file.Path {
			d.Pos = c.test.Pos
		}
		*list = append(*list, d)
	}
	defs.Sources = sources
	c.defs = defs
	c.experiment = defs.Experiment(key)
}

// quotedKey is a text as YAML that is text whatever stands in it.
func quotedKey(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// setInstants finds when the rows are.
func (c *testCase) setInstants(list *diag.List) {
	kind := c.experiment.Unit.V
	first := map[string]time.Time{}
	for _, r := range c.impressions {
		r.at = r.When.Time
		if r.When.Relative {
			of := c.experiment
			if r.experiment != "" {
				of = c.defs.Experiment(r.experiment)
			}
			r.at = of.Start.V.Add(r.When.Offset)
		}
		if r.experiment == "" || r.experiment == c.experiment.Key.V {
			r.experiment = c.experiment.Key.V
			if at, ok := first[r.units[kind]]; !ok || r.at.Before(at) {
				first[r.units[kind]] = r.at
			}
		}
	}
	for _, r := range c.units {
		r.at = r.When.Time
		if r.When.Relative {
			r.at = c.experiment.Start.V.Add(r.When.Offset)
		}
	}
	for _, r := range c.events {
		r.at = r.When.Time
		if !r.When.Relative {
			continue
		}
		at, ok := first[r.units[kind]]
		if !ok {
			list.Errorf(r.When.Pos, "bad-date", "there is no impression of %s %s to count from", kind, r.units[kind]).
				WithHint("write the time itself, e.g. 2026-03-02T10:00:00Z")
			continue
		}
		r.at = at.Add(r.When.Offset)
	}
}

// last is the instant of the newest row.
func (c *testCase) last() time.Time {
	var out time.Time
	for _, r := range slices.Concat(c.impressions, c.events, c.units) {
		if r.at.After(out) {
			out = r.at
		}
	}
	return out
}
