package metrics

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// schema is a JSON Schema, or another JSON object, with its members in order.
type schema []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (s schema) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := marshalPlain(m.name)
		if err != nil {
			return nil, err
		}
		value, err := marshalPlain(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshalPlain is json.Marshal without the escapes for HTML.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// schemaBuilder collects the named objects that a schema refers to.
type schemaBuilder struct {
	defs  schema
	known map[string]bool
}

// JSONSchema returns the JSON Schema (2020-12) of a definitions file, made
// from the same tables that the decoder reads by. Editors complete and check
// with it; what no schema can say (names that must exist, rules between
// fields) is left to the decoder.
func JSONSchema() []byte { return jsonSchema("metricsjob definitions", fileObject) }

// JSONSchemaOfTests returns the JSON Schema of a file of tests.
func JSONSchemaOfTests() []byte { return jsonSchema("metricsjob tests", testFileObject) }

func jsonSchema[T any](title string, o *object[T]) []byte {
	b := &schemaBuilder{known: map[string]bool{}}
	body := o.body(b)
	doc := schema{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", title},
		{"description", o.doc},
	}
	doc = append(doc, body...)
	doc = append(doc, member{"$defs", b.defs})
	plain, err := marshalPlain(doc)
	if err != nil {
		panic("metrics: schema: " + err.Error())
	}
	var out bytes.Buffer
	if err := json.Indent(&out, plain, "", "  "); err != nil {
		panic("metrics: schema: " + err.Error())
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// schema refers to the object by name and defines it where it is new.
func (o *object[T]) schema(b *schemaBuilder) schema {
	name := snake(o.name)
	if !b.known[name] {
		b.known[name] = true
		at := len(b.defs)
		b.defs = append(b.defs, member{name: name})
		def := schema{{"description", o.doc}}
		b.defs[at].value = append(def, o.body(b)...)
	}
	return schema{{"$ref", "#/$defs/" + name}}
}

// body is the schema of the object itself.
func (o *object[T]) body(b *schemaBuilder) schema {
	properties := schema{}
	required := []string{}
	for _, f := range o.fields {
		form := append(f.schema(b), member{"description", f.doc})
		if shown := f.examples(); len(shown) > 0 {
			form = append(form, member{"examples", shown})
		}
		properties = append(properties, member{f.name, form})
		if f.required {
			required = append(required, f.name)
		}
	}
	out := schema{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		out = append(out, member{"required", required})
	}
	out = append(out, member{"additionalProperties", false})
	if len(o.rules) > 0 {
		out = append(out, member{"allOf", o.rules})
	}
	return out
}

// examples are the values that the field shows, as YAML reads them.
func (f field[T]) examples() []any {
	var out []any
	for _, text := range append([]string{f.example}, f.further...) {
		if text == "" || strings.Contains(text, "…") {
			continue
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			panic("metrics: the example of " + f.name + ": " + err.Error())
		}
		out = append(out, jsonForm(doc.Content[0]))
	}
	return out
}

// jsonForm is a YAML value as a schema shows it: members in their order, numbers as
// they are written. Dates are texts, as editors hand them to a schema.
func jsonForm(n *yaml.Node) any {
	switch {
	case n.Kind == yaml.MappingNode:
		out := schema{}
		pairs(n, func(k, v *yaml.Node) { out = append(out, member{k.Value, jsonForm(v)}) })
		return out
	case n.Kind == yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			out = append(out, jsonForm(item))
		}
		return out
	case n.Tag == "!!bool":
		return n.Value == "true"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return json.Number(n.Value)
	}
	return n.Value
}

// apart says that a field does not stand beside any of the others.
func apart(name string, others ...string) []schema {
	var out []schema
	for _, o := range others {
		out = append(out, schema{{"not", schema{{"required", []string{name, o}}}}})
	}
	return out
}

// someOf says that one of the fields is needed.
func someOf(names ...string) schema {
	var each []schema
	for _, n := range names {
		each = append(each, schema{{"required", []string{n}}})
	}
	return anyOf(each...)
}

// onlyWith says that fields stand only beside one that has one of the values, or
// that is not there, for then another place may give it.
func onlyWith(name string, values []string, fields ...string) schema {
	var each []schema
	for _, f := range fields {
		each = append(each, schema{{"required", []string{f}}})
	}
	other := schema{{"properties", schema{{name, schema{{"not", constant(values...)}}}}}, {"required", []string{name}}}
	return schema{{"if", other}, {"then", schema{{"not", anyOf(each...)}}}}
}

func anyOf(s ...schema) schema { return schema{{"anyOf", s}} }

func constant(values ...string) schema {
	if len(values) == 1 {
		return schema{{"const", values[0]}}
	}
	return schema{{"enum", values}}
}
