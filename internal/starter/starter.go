// Package starter writes the first definitions file of somebody who has an
// export and no definitions yet: what a survey found, as definitions that can
// be checked and run, and the rest as comments.
package starter

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// How much of what was found is written as definitions; the rest is comments.
const (
	listedEvents       = 50 // in the registry
	occurrenceMetrics  = 5
	valueMetrics       = 5
	writtenExperiments = 20
	segmentValues      = 20 // distinct values up to which an attribute is offered as segment
)

// Text gives the definitions for a survey of the folder, which will stand in
// the file, in their canonical layout. The paths of the sources are written as
// the survey has them, so they must start at the folder of the file.
func Text(s *metrics.Survey, folder, file string) string {
	w := &writer{survey: s}
	w.comment("", fmt.Sprintf("A starter file: what metricsjob init found below %s. What it had to guess is marked with CHECK.", shown(folder)))
	w.line("#")
	w.line("#   metricsjob check %s", shown(file))
	w.line("#   metricsjob run %s", shown(file))
	w.line("version: 1")
	w.sources()
	w.events()
	w.metrics()
	w.experiments()
	w.rest()
	// A text that could not be formatted would be a mistake of this package; as
	// it is, it is still of use, and a check says what is wrong with it.
	text := w.b.String()
	if formatted, _ := metrics.Format(metrics.SourceFile{Path: file, Text: []byte(text)}); formatted != nil {
		text = string(formatted)
	}
	return text
}

// writer writes one file.
type writer struct {
	survey *metrics.Survey
	b      strings.Builder
	// rates and values are the keys of the metrics written, the first rate
	// being of an event that has values, where there is one.
	rates, values []string
}

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(&w.b, format, args...)
	w.b.WriteByte('\n')
}

// comment writes a text as comment lines of a readable width.
func (w *writer) comment(indent, text string) {
	const width = 100
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && len(line) > len(indent)+1 {
			w.line("%s", line)
			line = indent + "#"
		}
		line += " " + word
	}
	w.line("%s", line)
}

func (w *writer) sources() {
	w.line("")
	w.line("sources:")
	for _, role := range []metrics.SourceRole{metrics.RoleImpressions, metrics.RoleEvents, metrics.RoleUnits} {
		of := func(s *metrics.SurveyedSource) bool { return s.Def.Role == role }
		if role == metrics.RoleUnits && !slices.ContainsFunc(w.survey.Sources, of) {
			continue
		}
		w.line("  %s:", role)
		for _, s := range w.survey.Sources {
			if of(s) {
				w.source(s)
			}
		}
	}
}

func (w *writer) source(s *metrics.SurveyedSource) {
	w.comment("    ", fmt.Sprintf("%s, %s.", amount(int64(s.Files), "file"), amount(s.Rows, "row")))
	for _, n := range s.Notes {
		w.comment("    ", sentence(n))
	}
	if !s.Def.Preset.Set {
		w.comment("    ", "CHECK: the columns were guessed by their names and types.")
	}
	if len(s.Unmapped) > 0 {
		w.comment("    ", "Not mapped: "+list(s.Unmapped)+".")
	}
	w.line("    - name: %s", scalar(s.Def.Name.V))
	if s.Def.Preset.Set {
		w.line("      preset: %s", scalar(s.Def.Preset.V))
	}
	w.environments(s)
	if len(s.Def.Paths) == 1 {
		w.line("      path: %s", quoted(s.Def.Paths[0].V))
	} else {
		w.line("      path:")
		for _, p := range s.Def.Paths {
			w.line("        - %s", quoted(p.V))
		}
	}
	if s.Def.Where.IsSet() {
		w.line("      where: %s", quoted(s.Def.Where.Src))
	}
	if !s.Def.Preset.Set {
		w.columns(&s.Def.Columns)
	}
	if s.EqualAreOne {
		w.line("      dedupe: row # rows that are equal count once")
	}
	if p := s.Def.Partition; p != nil {
		w.line("      partition: {column: %s} # files of days that cannot count are not read", scalar(p.Column.V))
	}
}

// environments says of which environments the rows are, and how to take those of the
// most frequent one alone.
func (w *writer) environments(s *metrics.SurveyedSource) {
	var conds []string
	for _, e := range s.Environments {
		var parts []string
		for _, v := range e.Values {
			name := shown(v.Name)
			if v.Name == "" {
				name = "(none)"
			}
			parts = append(parts, fmt.Sprintf("%s in %s (%s)", name, amount(v.Rows, "row"), share(v.Rows, e.Rows())))
		}
		w.comment("      ", fmt.Sprintf("CHECK: the rows have several values of %s: %s. For those of one alone:", shown(e.Column), list(parts)))
		if i := slices.IndexFunc(e.Values, func(v metrics.SurveyedEnvironment) bool { return v.Name != "" }); i >= 0 {
			conds = append(conds, operand(e.Column)+" == "+e.Values[i].Literal)
		}
	}
	if len(conds) > 0 {
		w.line("      # where: %s", quoted(strings.Join(conds, " and ")))
	}
}

// operand is an expression as it can stand before ==.
func operand(expression string) string {
	if strings.Contains(expression, " ") {
		return "(" + expression + ")"
	}
	return expression
}

func (w *writer) columns(c *metrics.Columns) {
	w.line("      columns:")
	w.line("        %s", unitsFlow(c))
	for _, f := range []struct {
		name   string
		column metrics.Expr
	}{
		{"experiment", c.Experiment}, {"flag", c.Flag}, {"variation", c.Variation}, {"event", c.Event},
	} {
		if f.column.IsSet() {
			w.line("        %s: %s", f.name, scalar(f.column.Src))
		}
	}
	if c.Timestamp.Epoch == "" {
		w.line("        timestamp: %s", scalar(c.Timestamp.Column.Src))
	} else {
		w.line("        timestamp: {column: %s, epoch: %s}", scalar(c.Timestamp.Column.Src), c.Timestamp.Epoch)
	}
	if c.Value.IsSet() {
		w.line("        value: %s", scalar(c.Value.Src))
	}
	w.bag("properties", c.Properties)
	w.bag("attributes", c.Attributes)
	if len(c.ID) > 0 {
		w.line("        id: %s # rows with the same id count once", scalar(c.ID[0].Src))
	}
	if c.Holdback.IsSet() {
		w.line("        holdback: %s", scalar(c.Holdback.Src))
	}
}

// unitsFlow are the ids of units as a key with its value.
func unitsFlow(c *metrics.Columns) string {
	var units []string
	for _, u := range c.Units {
		units = append(units, scalar(u.Kind.V)+": "+scalar(u.Column.Src))
	}
	return "units: {" + strings.Join(units, ", ") + "}"
}

func (w *writer) bag(name string, b metrics.Bag) {
	switch {
	case !b.IsSet():
	case len(b.Named) == 0:
		w.line("        %s: %s", name, scalar(b.From.Src))
	default:
		w.line("        %s:", name)
		if b.From.IsSet() {
			w.line("          from: %s", scalar(b.From.Src))
		}
		for _, n := range b.Named {
			w.line("          %s: %s", scalar(n.Name.V), scalar(n.Column.Src))
		}
	}
}

func (w *writer) events() {
	w.line("")
	w.comment("", "The event keys, the most frequent first, and the properties with their types: what does not fit its type is missing. With registry: closed, a key that is not listed is an error in a metric.")
	w.line("events:")
	w.line("  registry: open")
	w.line("  list:")
	var further []string
	for i, e := range w.survey.Events {
		if i >= listedEvents {
			further = append(further, fmt.Sprintf("%s (%s)", scalar(e.Key), amount(e.Rows, "row")))
			continue
		}
		if reserved(e.Key) {
			w.comment("    ", fmt.Sprintf("%s, %s: a metric cannot name it, because the word has a meaning of its own in event", scalar(e.Key), amount(e.Rows, "row")))
			continue
		}
		w.line("    - key: %s # %s", scalar(e.Key), amount(e.Rows, "row"))
		if len(e.Properties) == 0 {
			continue
		}
		w.line("      properties:")
		for _, p := range e.Properties {
			w.line("        %s: %s%s", scalar(p.Name), p.Type, remark(p, e.Rows))
		}
	}
	if len(further) > 0 {
		w.comment("    ", "Further event keys: "+list(further)+".")
	}
}

// remark is the comment behind a property.
func remark(p metrics.SurveyedProperty, rows int64) string {
	var parts []string
	switch {
	case p.NumberLike && p.Type == metrics.TypeString:
		parts = append(parts, "text that is a number in every row; number would read it as one")
	case p.NumberLike:
		parts = append(parts, "text that is a number in every row")
	}
	if p.Rows < rows {
		parts = append(parts, "in "+amount(p.Rows, "row"))
	}
	if len(parts) == 0 {
		return ""
	}
	return " # " + strings.Join(parts, "; ")
}

func (w *writer) metrics() {
	w.line("")
	w.line("metrics:")
	w.comment("  ", "The share of units that did it at least once. CHECK: better says which direction is good.")
	keys := names{taken: map[string]bool{}}
	var worth []string // rates of events that have values
	for _, e := range w.survey.Events {
		if len(w.rates) == occurrenceMetrics {
			break
		}
		if reserved(e.Key) {
			continue
		}
		key := keys.of(e.Key, "event", "_rate")
		w.rates = append(w.rates, key)
		if e.Values > 0 {
			worth = append(worth, key)
		}
		w.line("  - key: %s", key)
		w.line("    event: %s", scalar(e.Key))
		w.line("    measure: occurrence")
		w.line("    better: higher")
	}
	if len(worth) > 0 {
		w.rates = slices.Insert(slices.DeleteFunc(w.rates, func(k string) bool { return k == worth[0] }), 0, worth[0])
	}
	said := false
	for _, e := range w.survey.Events {
		value, from, ok := w.valueOf(e)
		if len(w.values) == valueMetrics || !ok || reserved(e.Key) {
			continue
		}
		if !said {
			w.line("")
			w.comment("  ", "The sum for each unit; units without such an event count as 0. CHECK the currency: where it is counted in cents, value: {scale: 0.01} at the event key makes it whole.")
			said = true
		}
		key := keys.of(e.Key, "event", "_value")
		w.values = append(w.values, key)
		w.line("  - key: %s # %s", key, from)
		w.line("    event: %s", scalar(e.Key))
		w.line("    measure: value")
		if value != "" {
			w.line("    value: %s", quoted(value))
		}
		w.line("    better: higher")
	}
}

// reserved reports whether an event key has a meaning of its own as the event
// of a metric.
func reserved(key string) bool { return key == "any" || key == "impression" }

// valueOf says what the value of an event is: that of the source, or else a
// property that is called like one, as an expression.
func (w *writer) valueOf(e *metrics.SurveyedEvent) (expression, from string, ok bool) {
	if e.Values > 0 {
		return "", amount(e.Values, "row") + " have a value other than 0", true
	}
	for _, s := range w.survey.Sources {
		if s.Def.Columns.Value.IsSet() && slices.Contains(e.Sources, s.Def.Name.V) {
			return "", "", false // it is 0 or missing in all rows
		}
	}
	if p := valueProperty(e.Properties); p != nil {
		return fmt.Sprintf("properties[%q]", p.Name), amount(p.Rows, "row") + " have the property " + shown(p.Name), true
	}
	return "", "", false
}

// valueProperty is the number among properties that is called like a value, else the
// only one whose name ends so, as that of cartValue does.
func valueProperty(properties []metrics.SurveyedProperty) *metrics.SurveyedProperty {
	var ending []*metrics.SurveyedProperty
	words := []string{"revenue", "$revenue", "value", "amount", "order_value", "total"}
	best := len(words)
	for i := range properties {
		p := &properties[i]
		if p.Type != metrics.TypeNumber && p.Type != metrics.TypeInteger {
			continue
		}
		if at := slices.Index(words, p.Name); at >= 0 && at < best {
			best = at
		}
		if slices.ContainsFunc(words, func(word string) bool { return strings.HasSuffix(strings.ToLower(p.Name), word) }) {
			ending = append(ending, p)
		}
	}
	switch i := slices.IndexFunc(ending, func(p *metrics.SurveyedProperty) bool { return best < len(words) && p.Name == words[best] }); {
	case i >= 0:
		return ending[i]
	case len(ending) == 1:
		return ending[0]
	}
	return nil
}

func (w *writer) experiments() {
	w.line("")
	w.line("experiments:")
	w.unitAdvice()
	keys := names{taken: map[string]bool{}}
	for i, x := range w.survey.Experiments {
		if i < writtenExperiments {
			w.experiment(x, keys.of(cmp.Or(x.Experiment, x.Flag), "experiment", ""))
			continue
		}
		if i == writtenExperiments {
			w.comment("  ", "Further experiments, with fewer units:")
		}
		w.comment("  ", fmt.Sprintf("%s: %s in %s since %s", scalar(cmp.Or(x.Experiment, x.Flag)),
			amount(x.Units, "unit"), amount(int64(len(x.Variations)), "variation"), x.First.Format("2006-01-02")))
	}
}

// unitAdvice says of the unit that it is a guess, where impressions have ids of several
// kinds, and what the others are like.
func (w *writer) unitAdvice() {
	if len(w.survey.Units) < 2 {
		return
	}
	var parts []string
	for _, u := range w.survey.Units {
		part := fmt.Sprintf("by %s %s (%s)", scalar(u.Kind), amount(u.Several, "unit"), share(u.Several, u.Units))
		if !u.InEvents {
			part += ", and events have no ids of it"
		}
		parts = append(parts, part)
	}
	w.comment("  ", "CHECK the unit, which is a guess: it is what was randomised, and impressions have ids of several kinds. By how many units several variations of an experiment were seen: "+
		strings.Join(parts, "; ")+". There should be next to none.")
}

func (w *writer) experiment(x *metrics.SurveyedExperiment, key string) {
	held := ""
	if x.Holdback > 0 {
		held = fmt.Sprintf("; left out as held back: %s", amount(x.Holdback, "row"))
	}
	w.comment("  ", fmt.Sprintf("%s, %s in %s%s.", amount(x.Rows, "impression"), amount(x.Units, "unit"), amount(int64(len(x.Variations)), "variation"), held))
	w.line("  - key: %s", key)
	if x.Flag == "" {
		w.line("    flag: %s # CHECK: the export does not tell the flag", scalar(key))
	} else {
		w.line("    flag: %s", scalar(x.Flag))
	}
	variations, ignored := w.withoutFallback(x.Variations)
	isTest := len(variations) > 1
	if !isTest {
		w.line("    rule: rollout # one variation is no test")
	}
	check := ""
	if len(w.survey.Units) > 1 {
		check = " # CHECK"
	}
	w.line("    unit: %s%s", scalar(x.Unit), check)
	if x.Experiment != "" && x.Experiment != key {
		w.line("    match: {experiment: %s}", scalar(x.Experiment))
	}
	w.line("    start: %s # the day of the first impression", x.First.Format("2006-01-02"))
	if ignored != "" {
		w.line("    ignore_variations: [%s] # CHECK: what the SDK serves before it is ready", scalar(ignored))
	}
	w.comment("    ", variationsAdvice(isTest))
	w.line("    variations:")
	baseline := baselineOf(variations)
	shown := int64(0) // a unit that saw several counts with each
	for _, v := range x.Variations {
		shown += v.Units
	}
	taken := map[string]bool{}
	for i, v := range variations {
		var fields []string
		fields = append(fields, "key: "+scalar(v.Value.Text))
		if v.Value.JSON {
			name := variationName(v.Value.Text, taken)
			fields = []string{"key: " + scalar(name), "match: {value: " + v.Value.Text + "}"}
		}
		if i == baseline && isTest {
			fields = append(fields, "baseline: true")
		}
		w.line("      - {%s} # %s, %s", strings.Join(fields, ", "), amount(v.Units, "unit"), share(v.Units, shown))
	}
	w.line("    metrics:")
	primary, secondary := w.rates, []string(nil)
	if len(w.rates) > 1 {
		primary, secondary = w.rates[:1], w.rates[1:]
	}
	secondary = slices.Concat(secondary, w.values)
	if len(primary) == 0 && len(secondary) > 0 {
		primary, secondary = secondary[:1], secondary[1:]
	}
	w.line("      primary: [%s] # CHECK: the one that decides", strings.Join(primary, ", "))
	if len(secondary) > 0 {
		w.line("      secondary: [%s]", strings.Join(secondary, ", "))
	}
	if segments := w.segments(); len(segments) > 0 {
		w.line("    # segments: [%s]", strings.Join(segments, ", "))
	}
}

// fallbacks are the values that the SDKs of an export show in place of a variation
// until they know it.
var fallbacks = map[string]string{"flagsync": "control"}

// withoutFallback takes away the value that is no variation, where there are
// others, and gives it.
func (w *writer) withoutFallback(variations []metrics.SurveyedVariation) (rest []metrics.SurveyedVariation, ignored string) {
	for _, s := range w.survey.Sources {
		value := fallbacks[s.Def.Preset.V]
		i := slices.IndexFunc(variations, func(v metrics.SurveyedVariation) bool { return !v.Value.JSON && v.Value.Text == value })
		if value != "" && i >= 0 && len(variations) > 1 {
			return slices.Delete(slices.Clone(variations), i, i+1), value
		}
	}
	return variations, ""
}

func variationsAdvice(isTest bool) string {
	if !isTest {
		return "A key may be any name, with match: the value in the export."
	}
	return "CHECK the baseline. A key may be any name, with match: the value in the export. The sample ratio is tested once all have their planned weight (weight: 1 for equal shares)."
}

// baselineOf chooses the baseline: the variation that is called so, else the
// first by name.
func baselineOf(variations []metrics.SurveyedVariation) int {
	for _, word := range []string{"control", "baseline", "original", "off", "old"} {
		if i := slices.IndexFunc(variations, func(v metrics.SurveyedVariation) bool { return strings.EqualFold(v.Value.Text, word) }); i >= 0 {
			return i
		}
	}
	return 0
}

// variationName makes a name of a JSON value.
func variationName(json string, taken map[string]bool) string {
	name := strings.Trim(json, `"`)
	for i := 2; taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", strings.Trim(json, `"`), i)
	}
	taken[name] = true
	return name
}

// segments are the attributes that divide units into a few parts.
func (w *writer) segments() []string {
	var out []string
	for _, a := range w.survey.Attributes {
		if a.Values > 1 && a.Values <= segmentValues {
			out = append(out, scalar(a.Name))
		}
	}
	return out
}

// word is a name that can stand behind a point in an expression.
var word = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*$`)

// rest lists what was found and is used nowhere.
func (w *writer) rest() {
	if len(w.survey.Attributes) > 0 {
		w.line("")
		var all []string
		for _, a := range w.survey.Attributes {
			all = append(all, fmt.Sprintf("%s (%s)", shown(a.Name), amount(a.Values, "value")))
		}
		how := "exposure.NAME"
		if slices.ContainsFunc(w.survey.Attributes, func(a metrics.SurveyedAttribute) bool { return !word.MatchString(a.Name) }) {
			how += ` or exposure["NAME"]`
		}
		w.comment("", "Attributes of impressions, for segments and as "+how+" in where: "+list(all)+".")
	}
	w.others()
	w.notRead()
}
