package metrics

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// The grammar of a file is data: an object is a table of fields, a field has
// a name, a sentence and a kind, and a kind knows how to read one YAML value,
// how to describe itself in JSON Schema and how to write itself in canonical
// order. The tables are in the files fields_*.go; the decoder, the schema and
// the canonical form all walk them, so they cannot disagree.

// kind is a sort of value.
type kind[T any] struct {
	// want says what is wanted, for messages: "a list of texts".
	want string
	// decode reads a value. If it returns false it has said why (or an earlier
	// pass has), and the value is as much as could be understood.
	decode func(d *decoder, n *yaml.Node) (T, bool)
	schema func(b *schemaBuilder) schema
	// canon puts the keys of a value into the order of the tables, and quotes
	// around what is quoted by rule; nil: there is nothing to do.
	canon func(n *yaml.Node)
}

// field is one row of a table.
type field[T any] struct {
	name string
	doc  string
	// required fields are missed by the decoder itself.
	required bool
	// example is a value to show, for hints and editors; one with … is for hints alone.
	example string
	// further are more examples, for editors.
	further []string
	read    func(d *decoder, n *yaml.Node, into *T) bool
	copy    func(dst, src *T)
	schema  func(b *schemaBuilder) schema
	canon   func(n *yaml.Node)
}

// row makes the field called name, of kind k, that is stored where at says.
func row[T, V any](name string, k kind[V], at func(*T) *V, doc string) field[T] {
	return field[T]{
		name: name,
		doc:  doc,
		read: func(d *decoder, n *yaml.Node, into *T) bool {
			v, ok := k.decode(d, n)
			*at(into) = v
			return ok
		},
		copy:   func(dst, src *T) { *at(dst) = *at(src) },
		schema: k.schema,
		canon:  k.canon,
	}
}

// needed makes the field required; example shows how it is given.
func (f field[T]) needed(example string) field[T] {
	f.required, f.example = true, example
	return f
}

// shown gives the field an example without requiring it, and further ones.
func (f field[T]) shown(example string, further ...string) field[T] {
	f.example, f.further = example, further
	return f
}

// also gives the field further examples.
func (f field[T]) also(further ...string) field[T] {
	f.further = further
	return f
}

// lift makes the fields of a part into fields of the whole.
func lift[T, Part any](fields []field[Part], at func(*T) *Part) []field[T] {
	var out []field[T]
	for _, f := range fields {
		out = append(out, field[T]{
			name: f.name, doc: f.doc, required: f.required, example: f.example, further: f.further,
			read:   func(d *decoder, n *yaml.Node, into *T) bool { return f.read(d, n, at(into)) },
			copy:   func(dst, src *T) { f.copy(at(dst), at(src)) },
			schema: f.schema,
			canon:  f.canon,
		})
	}
	return out
}

// object is a mapping with a closed set of keys.
type object[T any] struct {
	name   string // "metric"
	doc    string
	fields []field[T]
	// foreign are words of other tools and of neighbouring objects.
	foreign vocabulary
	// label is how messages call one that was read; nil: its name.
	label func(*T) string
	// keep stores what was given and where the mapping starts; nil: not needed.
	keep func(into *T, pos diag.Pos, given fieldSet)
	// flow is an example of the whole, for hints.
	flow string
	// rules are what the schema says beyond the fields, as the decoder does.
	rules []schema
}

// fieldSet is what one mapping gave.
type fieldSet map[string]givenField

// givenField is one key that was given.
type givenField struct {
	pos   diag.Pos   // of the key
	value *yaml.Node // what stands there
	at    diag.Pos   // of the value
	bad   bool       // the value could not be understood
	via   string     // "defaults" or "like", where it was taken over
}

// mergeKey stands in a fieldSet for a merge key, which may have given anything.
const mergeKey = "<<"

// has reports whether the key was given, understood or not.
func (s fieldSet) has(name string) bool {
	_, ok := s[name]
	return ok
}

// lacks reports whether the key is surely missing.
func (s fieldSet) lacks(name string) bool { return !s.has(name) && !s.has(mergeKey) }

// good reports whether the key was given and understood.
func (s fieldSet) good(name string) bool {
	g, ok := s[name]
	return ok && !g.bad
}

// clean reports whether none of the names was given and not understood.
func (s fieldSet) clean(names ...string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return s[n].bad })
}

// decoder reads one file.
type decoder struct {
	file  string
	lines []string // as YAML counts them, without their ends
	env   func(string) (string, bool)
	diags *diag.List
	// spoilt holds the nodes that the structural pass refused; nothing more is said about them.
	spoilt map[*yaml.Node]bool
	// grown means that an entry of a list stands in the one before it, for want of a dash.
	grown bool
	// cutAtComma is the last expression that YAML ended at a comma. What is left
	// of it became keys, of which nothing more is said.
	cutAtComma *yaml.Node
	// field is the key whose value is being read, for messages.
	field string
}

func (d *decoder) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: d.file, Line: n.Line, Col: n.Column}
}

func (d *decoder) errorf(n *yaml.Node, code, format string, args ...any) *diag.Diagnostic {
	return d.diags.Errorf(d.pos(n), code, format, args...)
}

// quietly runs f and drops what it says.
func (d *decoder) quietly(f func()) {
	said := d.diags
	d.diags = new(diag.List)
	f()
	d.diags = said
}

// wrongKind says that a value is not what its key wants.
func (d *decoder) wrongKind(n *yaml.Node, want string) *diag.Diagnostic {
	return d.errorf(n, "wrong-kind", "%s wants %s, not %s", d.subject(), want, describe(n))
}

// subject is the key whose value is being read, as messages call it.
func (d *decoder) subject() string {
	if d.field == "" {
		return "the file"
	}
	return quoted(d.field)
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return quoted(n.Value)
	}
}

func quoted(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return `"` + strings.ReplaceAll(s, "\n", " ") + `"`
}

// isEmpty reports whether nothing stands where a value should.
func isEmpty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == ""
}

// pairs calls f for each key and value of a mapping.
func pairs(n *yaml.Node, f func(key, value *yaml.Node)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i], n.Content[i+1])
	}
}

// present reports whether n can be looked at at all: it is not an alias or
// tagged (which was reported) and not empty (which is reported here).
func (d *decoder) present(n *yaml.Node, want string) bool {
	if d.spoilt[n] {
		return false
	}
	if isEmpty(n) {
		d.errorf(n, "empty-value", "%s has no value", d.subject()).WithHint("it wants %s; without one, leave it out", want)
		return false
	}
	return true
}

// read reads a mapping into into; false means that something in it was wrong.
func (o *object[T]) read(d *decoder, n *yaml.Node, into *T) bool {
	if !d.present(n, o.wants()) {
		return false
	}
	if n.Kind != yaml.MappingNode {
		said := d.wrongKind(n, o.wants())
		switch {
		case d.field == "":
			said.WithHint("a file starts with version: 1")
		case n.Kind == yaml.SequenceNode && o.field("list") != nil:
			said.WithHint("write the items under list:")
		}
		return false
	}
	given := fieldSet{}
	ok := true
	var unknown []*yaml.Node
	outer := d.field
	cut := false // the value before was an expression that a comma ended
	pairs(n, func(k, v *yaml.Node) {
		f := o.field(k.Value)
		switch {
		case f == nil && cut && isEmpty(v):
			return
		case d.spoilt[k]:
			ok = false
			if k.Tag == "!!merge" {
				given[mergeKey] = givenField{bad: true}
			}
			return
		case f == nil:
			unknown = append(unknown, k, v)
			ok = false
			return
		}
		d.field = f.name
		good := f.read(d, v, into)
		cut = d.cutAtComma == v
		given[f.name] = givenField{pos: d.pos(k), value: v, at: d.pos(v), bad: !good}
		ok = ok && good
	})
	d.field = outer
	for i := 0; i < len(unknown); i += 2 {
		o.unknown(d, unknown[i], unknown[i+1], into, given)
	}
	if o.keep != nil {
		o.keep(into, d.pos(n), given)
	}
	return o.required(d.diags, d.pos(n), into, given) && ok
}

// required reports the required fields that are missing.
func (o *object[T]) required(diags *diag.List, pos diag.Pos, into *T, given fieldSet) bool {
	ok := true
	for _, f := range o.fields {
		if f.required && given.lacks(f.name) {
			o.missing(diags, pos, into, f.name)
			ok = false
		}
	}
	return ok
}

// missing says that a field is not there.
func (o *object[T]) missing(diags *diag.List, pos diag.Pos, into *T, name string) *diag.Diagnostic {
	said := diags.Errorf(pos, "missing-field", "%s has no %s", o.called(into), quoted(name))
	if f := o.field(name); f.example != "" {
		said.WithHint("write %s: %s", name, f.example)
	}
	return said
}

// called is how messages call an object.
func (o *object[T]) called(v *T) string {
	if o.label != nil {
		if l := o.label(v); l != "" {
			return o.name + " " + quoted(l)
		}
	}
	return "the " + o.name
}

// unknown reports a key that is not in the table. Where the word that was
// meant is plain, the value is read as if it stood there, so that one slip of
// the pen is one message.
func (o *object[T]) unknown(d *decoder, k, v *yaml.Node, into *T, given fieldSet) {
	w := o.meaning(k.Value)
	_, besides := given[reported+w.beside]
	if w.beside == "" || !besides {
		said := d.errorf(k, "unknown-key", "unknown key %s in %s", quoted(k.Value), o.called(into))
		said.Hint = w.text
	}
	given[reported+snake(k.Value)] = givenField{bad: true}
	for _, name := range w.covers {
		if !given.has(name) {
			given[name] = givenField{pos: d.pos(k), value: v, at: d.pos(v), bad: true}
		}
	}
	f := o.field(w.ours)
	if f == nil || given.has(w.ours) {
		return
	}
	outer := d.field
	d.field = w.ours
	d.quietly(func() { f.read(d, v, into) })
	d.field = outer
	given[w.ours] = givenField{pos: d.pos(k), value: v, at: d.pos(v), bad: true}
}

// reported stands in a fieldSet before a word that was reported.
const reported = "?"

// meaning guesses which key a foreign word means; its text is the hint.
func (o *object[T]) meaning(name string) word {
	if w, ok := o.foreign.find(name); ok {
		w.text = w.hint()
		return w
	}
	names := o.names()
	if s := snake(name); s != name && slices.Contains(names, s) {
		return hint(s, `did you mean "`+s+`"?`)
	}
	if near, ok := diag.Nearest(name, names); ok {
		return hint(near, diag.DidYouMean(name, names))
	}
	return hint("", "the keys here are "+strings.Join(names, ", "))
}

func (o *object[T]) names() []string {
	var out []string
	for _, f := range o.fields {
		out = append(out, f.name)
	}
	return out
}

func (o *object[T]) field(name string) *field[T] {
	for i := range o.fields {
		if o.fields[i].name == name {
			return &o.fields[i]
		}
	}
	return nil
}

func (o *object[T]) wants() string {
	if o.flow != "" {
		return "a mapping such as " + o.flow
	}
	return "a mapping"
}

// kind is the object as the kind of a field.
func (o *object[T]) kind() kind[T] {
	return kind[T]{
		want: o.wants(),
		decode: func(d *decoder, n *yaml.Node) (T, bool) {
			var v T
			ok := o.read(d, n, &v)
			return v, ok
		},
		schema: o.schema,
		canon:  o.canon,
	}
}

// canon puts the keys of a mapping into the order of the table.
func (o *object[T]) canon(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return
	}
	var out []*yaml.Node
	for _, f := range o.fields {
		pairs(n, func(k, v *yaml.Node) {
			if k.Value == f.name {
				if f.canon != nil {
					f.canon(v)
				}
				out = append(out, k, v)
			}
		})
	}
	n.Content = out
}
