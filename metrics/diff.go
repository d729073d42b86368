package metrics

import (
	"slices"
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
	for _, m := range defs.Metrics {
		out = append(out, subject{
			key: m.Key.V, version: m.Version, pos: m.Pos, definition: m.Definition, written: defs.written(m.Pos),
			meaning: metricMeaning(m, defs.Registry),
			fields:  metricObject.names(),
			value:   m.fieldValue,
		})
	}
	return out
}

func experimentSubjects(defs *Definitions) []subject {
	var out []subject
	for _, e := range defs.Experiments {
		out = append(out, subject{
			key: e.Key.V, version: e.Version, pos: e.Pos, definition: e.Definition, written: defs.written(e.Pos),
			meaning: experimentMeaning(e),
			fields:  experimentObject.names(),
			value:   e.fieldValue,
		})
	}
	return out
}

// changesOf compares metrics with metrics, or experiments with experiments.
func changesOf(before, after []subject) Changes {
	olds, news := byKey(before), byKey(after)
	var c Changes
	for _, key := range sortedKeys(olds) {
		if _, stays := news[key]; !stays {
			c.Removed = append(c.Removed, entryOfSubject(olds[key], news, olds))
		}
	}
	for _, key := range sortedKeys(news) {
		b, a := olds[key], news[key]
		switch {
		case b == nil:
			c.Added = append(c.Added, entryOfSubject(a, olds, news))
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

// entryOfSubject is a subject that has no counterpart among the others. One of
// them that has none either, and means the same, may be it.
func entryOfSubject(s *subject, others, own map[string]*subject) Entry {
	e := Entry{Key: s.key, Version: s.version, Pos: s.pos}
	for _, key := range sortedKeys(others) {
		if own[key] == nil && others[key].version == s.version {
			e.SameAs = key
			break
		}
	}
	return e
}

// written gives the lines in which an entry of a list stands, with the comments
// above it. An entry that does not start a line has none.
func (d *Definitions) written(pos diag.Pos) string {
	at := slices.IndexFunc(d.Files, func(f SourceFile) bool { return f.Path == pos.File })
	if at < 0 {
		return ""
	}
	lines := linesOf(string(d.Files[at].Text))
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
