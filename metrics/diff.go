package metrics

import (
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// Difference is what two sets of definitions do not share.
type Difference struct {
	Metrics, Experiments Changes
}

// Meaning reports whether anything else is computed: something was added or
// removed, or means something else.
func (d *Difference) Meaning() bool {
	return d.Metrics.meaning() || d.Experiments.meaning()
}

// Changes are the differences of metrics, or of experiments. Every list is in
// the order of keys.
type Changes struct {
	Added, Removed []Entry
	// Meaning has those that mean something else: their version differs.
	Meaning []MeaningChange
	// Text has those that mean the same and are written in another way.
	Text      []TextChange
	Unchanged int
}

func (c *Changes) meaning() bool { return len(c.Added)+len(c.Removed)+len(c.Meaning) > 0 }

// Entry is a metric or an experiment on one side alone.
type Entry struct {
	Key, Version string
	Pos          diag.Pos
	// SameAs is the key of one on the other side alone that means the same: it
	// may be the same under another name.
	SameAs string
}

// MeaningChange is a metric or an experiment that means something else.
type MeaningChange struct {
	Key                    string
	OldVersion, NewVersion string
	Pos                    diag.Pos // of the new one
	Fields                 []FieldChange
}

// FieldChange is what means something else about it.
type FieldChange struct {
	// Field is a path with points: window, analysis.alpha, ratio.numerator.where;
	// in an experiment metrics.KEY; events.KEY.… in the registry.
	Field string
	// Old and New are the values as YAML; empty: there is none.
	Old, New string
}

// TextChange is a metric or an experiment that means the same.
type TextChange struct {
	Key string
	Pos diag.Pos // of the new one
	// Fields are the fields that are written in another way, or layout alone:
	// the order of keys, comments, blanks.
	Fields []string
}

// Layout stands in TextChange.Fields for what no field has.
const Layout = "layout"

// Diff compares two sets of definitions that have no errors. What experiments
// read, the sources, is no part of it.
func Diff(before, after *Definitions) *Difference {
	return &Difference{
		Metrics:     changesOf(metricSubjects(before), metricSubjects(after)),
		Experiments: changesOf(experimentSubjects(before), experimentSubjects(after)),
	}
}

// subject is a metric or an experiment, as it is compared.
type subject struct {
	key, version string
	pos          diag.Pos
	definition   string
	written      string // in its file
	meaning      *meaning
	fields       []string // in the order of the language
	// value writes what a field says, as YAML; empty: it is not given.
	value func(field string) string
}

func metricSubjects(defs *Definitions) []subject {
	var out []subject
	lines := linesOfFiles(defs.Files)
	for _, m := range defs.Metrics {
		out = append(out, subject{
			key: m.Key.V, version: m.Version, pos: m.Pos, definition: m.Definition,
			written: entryLines(lines[m.Pos.File], m.Pos),
			meaning: metricMeaning(m, defs.Registry),
			fields:  metricObject.names(),
			value:   metricValues(m),
		})
	}
	return out
}

func experimentSubjects(defs *Definitions) []subject {
	var out []subject
	lines := linesOfFiles(defs.Files)
	for _, e := range defs.Experiments {
		out = append(out, subject{
			key: e.Key.V, version: e.Version, pos: e.Pos, definition: e.Definition,
			written: entryLines(lines[e.Pos.File], e.Pos),
			meaning: experimentMeaning(e),
			fields:  experimentObject.names(),
			value:   experimentValues(e),
		})
	}
	return out
}

// changesOf compares metrics with metrics, or experiments with experiments.
func changesOf(before, after []subject) Changes {
	olds, news := byKey(before), byKey(after)
	removed, added := alone(olds, news), alone(news, olds)
	var c Changes
	for _, key := range sortedKeys(olds) {
		if b := olds[key]; news[key] == nil {
			c.Removed = append(c.Removed, Entry{Key: key, Version: b.version, Pos: b.pos, SameAs: added[b.version]})
		}
	}
	for _, key := range sortedKeys(news) {
		b, a := olds[key], news[key]
		switch {
		case b == nil:
			c.Added = append(c.Added, Entry{Key: key, Version: a.version, Pos: a.pos, SameAs: removed[a.version]})
		case b.version != a.version:
			c.Meaning = append(c.Meaning, MeaningChange{
				Key: key, OldVersion: b.version, NewVersion: a.version, Pos: a.pos, Fields: fieldChanges(b, a),
			})
		case b.definition != a.definition:
			c.Text = append(c.Text, TextChange{Key: key, Pos: a.pos, Fields: writtenOtherwise(b, a)})
		case b.written != a.written:
			c.Text = append(c.Text, TextChange{Key: key, Pos: a.pos, Fields: []string{Layout}})
		default:
			c.Unchanged++
		}
	}
	return c
}

func byKey(subjects []subject) map[string]*subject {
	out := map[string]*subject{}
	for i := range subjects {
		out[subjects[i].key] = &subjects[i]
	}
	return out
}

// alone gives the first key, by version, of those that the others do not have.
func alone(own, others map[string]*subject) map[string]string {
	out := map[string]string{}
	for _, key := range sortedKeys(own) {
		if version := own[key].version; others[key] == nil && out[version] == "" {
			out[version] = key
		}
	}
	return out
}

func linesOfFiles(files []SourceFile) map[string][]string {
	out := map[string][]string{}
	for _, f := range files {
		out[f.Path] = linesOf(string(f.Text))
	}
	return out
}

// entryLines gives the lines in which an entry of a list stands, with the
// comments above it. An entry that does not start a line has none.
func entryLines(lines []string, pos diag.Pos) string {
	first := pos.Line - 1
	before := string([]rune(lines[first])[:pos.Col-1])
	if strings.TrimSpace(before) != "-" {
		return ""
	}
	column := strings.IndexByte(before, '-')
	last := first
	for i := first + 1; i < len(lines) && (strings.TrimSpace(lines[i]) == "" || indentOf(lines[i]) > column); i++ {
		if strings.TrimSpace(lines[i]) != "" {
			last = i
		}
	}
	for first > 0 && indentOf(lines[first-1]) == column && strings.HasPrefix(lines[first-1][column:], "#") {
		first--
	}
	return strings.Join(lines[first:last+1], "\n")
}
