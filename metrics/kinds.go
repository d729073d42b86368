package metrics

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

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

// orEmpty also takes a list or mapping with nothing in it.
func orEmpty[T any](k kind[T]) kind[T] {
	inner, form := k.decode, k.schema
	k.decode = func(d *decoder, n *yaml.Node) (T, bool) {
		if n.Kind != yaml.ScalarNode && len(n.Content) == 0 && !d.spoilt[n] {
			var none T
			return none, true
		}
		return inner(d, n)
	}
	k.schema = func(b *schemaBuilder) schema {
		return withoutMinimum(form(b))
	}
	return k
}

// withoutMinimum is a schema of lists or mappings that may be empty.
func withoutMinimum(s schema) schema {
	var out schema
	for _, m := range s {
		switch m.name {
		case "minItems", "minProperties":
			continue
		case "anyOf":
			var cases []schema
			for _, c := range m.value.([]schema) {
				cases = append(cases, withoutMinimum(c))
			}
			m.value = cases
		}
		out = append(out, m)
	}
	return out
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
		canon: func(n *yaml.Node) {
			switch {
			case n.Kind == yaml.SequenceNode:
				list.canon(n)
			case k.canon != nil:
				k.canon(n)
			}
		},
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
		canon: func(n *yaml.Node) {
			switch {
			case n.Kind != yaml.MappingNode && s.canon != nil:
				s.canon(n)
			case n.Kind == yaml.MappingNode && m.canon != nil:
				m.canon(n)
			}
		},
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

// saying is k with more in its schema.
func (k kind[T]) saying(more ...member) kind[T] {
	inner := k.schema
	k.schema = func(b *schemaBuilder) schema { return append(inner(b), more...) }
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
