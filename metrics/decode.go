package metrics

import (
	"fmt"
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
	// canon puts the keys of a value into the order of the tables; nil: there are none.
	canon func(n *yaml.Node)
}

// field is one row of a table.
type field[T any] struct {
	name string
	doc  string
	// required fields are missed by the decoder itself.
	required bool
	// example is a value to show, for hints and editors.
	example string
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

// shown gives the field an example without requiring it.
func (f field[T]) shown(example string) field[T] {
	f.example = example
	return f
}

// lift makes the fields of a part into fields of the whole.
func lift[T, Part any](fields []field[Part], at func(*T) *Part) []field[T] {
	var out []field[T]
	for _, f := range fields {
		out = append(out, field[T]{
			name: f.name, doc: f.doc, required: f.required, example: f.example,
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
	pairs(n, func(k, v *yaml.Node) {
		f := o.field(k.Value)
		switch {
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

// pointer is k behind a pointer.
func pointer[T any](k kind[T]) kind[*T] {
	return kind[*T]{
		want: k.want,
		decode: func(d *decoder, n *yaml.Node) (*T, bool) {
			v, ok := k.decode(d, n)
			return &v, ok
		},
		schema: k.schema,
		canon:  k.canon,
	}
}

// listOf is a list of at least one k. What could be understood of it is
// given even where an item is wrong: items that are objects in any case, the
// rest where they are right.
func listOf[T any](k kind[T], want string) kind[[]T] {
	return kind[[]T]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) ([]T, bool) {
			if !d.present(n, want) {
				return nil, false
			}
			if n.Kind != yaml.SequenceNode {
				said := d.wrongKind(n, want)
				if n.Kind == yaml.ScalarNode {
					said.WithHint("write [%s]", n.Value)
				} else {
					said.WithHint("each item starts with a dash")
				}
				return nil, false
			}
			if len(n.Content) == 0 {
				d.errorf(n, "empty-value", "%s is an empty list", d.subject()).WithHint("it wants %s; without one, leave it out", want)
				return nil, false
			}
			var out []T
			ok := true
			var wrong yaml.Kind // of an item that was refused for its kind; the same is said once
			for _, item := range n.Content {
				var v T
				good := false
				before := len(*d.diags)
				if wrong != 0 && item.Kind == wrong {
					d.quietly(func() { v, good = k.decode(d, item) })
				} else {
					v, good = k.decode(d, item)
				}
				if after := *d.diags; len(after) == before+1 && after[before].Code == "wrong-kind" && after[before].Pos == d.pos(item) {
					wrong = item.Kind
				}
				if good || (item.Kind == yaml.MappingNode && !d.spoilt[item]) {
					out = append(out, v)
				}
				ok = ok && good
			}
			return out, ok
		},
		schema: func(b *schemaBuilder) schema {
			return schema{{"type", "array"}, {"items", k.schema(b)}, {"minItems", 1}}
		},
		canon: func(n *yaml.Node) {
			if k.canon != nil && n.Kind == yaml.SequenceNode {
				for _, item := range n.Content {
					k.canon(item)
				}
			}
		},
	}
}

// oneOrMore is a k or a list of them.
func oneOrMore[T any](k kind[T], want string) kind[[]T] {
	list := listOf(k, want)
	return kind[[]T]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) ([]T, bool) {
			if n.Kind == yaml.SequenceNode {
				return list.decode(d, n)
			}
			v, ok := k.decode(d, n)
			if !ok {
				return nil, false
			}
			return []T{v}, true
		},
		schema: func(b *schemaBuilder) schema { return anyOf(k.schema(b), list.schema(b)) },
		canon:  list.canon,
	}
}

// entry is one key and value of a mapping with free keys.
type entry[T any] struct {
	Key   Text
	Value T
}

// mapOf is a mapping with free keys, in the order written.
func mapOf[T any](k kind[T], want string) kind[[]entry[T]] {
	return kind[[]entry[T]]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) ([]entry[T], bool) {
			if !d.present(n, want) {
				return nil, false
			}
			if n.Kind != yaml.MappingNode {
				d.wrongKind(n, want)
				return nil, false
			}
			if len(n.Content) == 0 {
				d.errorf(n, "empty-value", "%s is an empty mapping", d.subject()).WithHint("it wants %s; without one, leave it out", want)
				return nil, false
			}
			var out []entry[T]
			ok := true
			outer := d.field
			pairs(n, func(key, value *yaml.Node) {
				if d.spoilt[key] {
					ok = false
					return
				}
				d.field = key.Value
				v, good := k.decode(d, value)
				if good || value.Kind == yaml.MappingNode {
					out = append(out, entry[T]{At[string]{key.Value, d.pos(key), true}, v})
				}
				ok = ok && good
			})
			d.field = outer
			return out, ok
		},
		schema: func(b *schemaBuilder) schema {
			return schema{{"type", "object"}, {"additionalProperties", k.schema(b)}, {"minProperties", 1}}
		},
		canon: func(n *yaml.Node) {
			if k.canon != nil && n.Kind == yaml.MappingNode {
				pairs(n, func(_, v *yaml.Node) { k.canon(v) })
			}
		},
	}
}

// convert is k with another Go type behind it.
func convert[T, V any](k kind[T], to func(T) V) kind[V] {
	return kind[V]{
		want: k.want,
		decode: func(d *decoder, n *yaml.Node) (V, bool) {
			v, ok := k.decode(d, n)
			return to(v), ok
		},
		schema: k.schema,
		canon:  k.canon,
	}
}

// bare is k without its place.
func bare[T any](k kind[At[T]]) kind[T] {
	return convert(k, func(v At[T]) T { return v.V })
}

// either reads mappings as m and everything else as s. Both see nodes of
// kinds that they do not want, so s is the one to complain about lists.
func either[T any](s, m kind[T], want string) kind[T] {
	return kind[T]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) (T, bool) {
			var zero T
			switch {
			case !d.present(n, want):
				return zero, false
			case n.Kind == yaml.MappingNode:
				return m.decode(d, n)
			case n.Kind == yaml.ScalarNode:
				before := len(*d.diags)
				v, ok := s.decode(d, n)
				if said := (*d.diags)[before:]; len(said) == 1 && said[0].Code == "bad-value" {
					said[0].Message = noValue(d, n.Value, want)
				}
				return v, ok
			}
			d.wrongKind(n, want)
			return zero, false
		},
		schema: func(b *schemaBuilder) schema { return anyOf(s.schema(b), m.schema(b)) },
		canon:  m.canon,
	}
}

// located wraps a kind so that its value has a place.
func located[T any](k kind[T]) kind[At[T]] {
	return kind[At[T]]{
		want: k.want,
		decode: func(d *decoder, n *yaml.Node) (At[T], bool) {
			v, ok := k.decode(d, n)
			return At[T]{V: v, Pos: d.pos(n), Set: ok}, ok
		},
		schema: k.schema,
		canon:  k.canon,
	}
}

// refine checks a value after it was read; check says what is wrong.
func refine[T any](k kind[T], check func(d *decoder, n *yaml.Node, v T) bool) kind[T] {
	inner := k.decode
	k.decode = func(d *decoder, n *yaml.Node) (T, bool) {
		v, ok := inner(d, n)
		return v, ok && check(d, n, v)
	}
	return k
}

// noValue says that a word is none that the key takes.
func noValue(d *decoder, word, want string) string {
	return fmt.Sprintf("%s is no value of %s, which is %s", quoted(word), d.subject(), want)
}

// listing joins words for people: a, b or c.
func listing(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	last := len(words) - 1
	return fmt.Sprintf("%s or %s", strings.Join(words[:last], ", "), words[last])
}
