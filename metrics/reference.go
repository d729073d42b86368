package metrics

import (
	"fmt"
	"slices"
	"strings"
)

// FieldReference is the reference of all fields as Markdown, made from the JSON
// Schema and so from the tables that the decoder reads by: those of definition
// files, then those of files of tests.
func FieldReference() string {
	var b strings.Builder
	definitions := &schemaBuilder{known: map[string]bool{}}
	referenceObject(&b, fileObject.name, fileObject.doc, fileObject.body(definitions))
	tests := &schemaBuilder{known: map[string]bool{}}
	body := testFileObject.body(tests)
	for _, d := range definitions.defs {
		reference(&b, d)
	}
	referenceObject(&b, testFileObject.name, testFileObject.doc, body)
	for _, d := range tests.defs {
		reference(&b, d)
	}
	return b.String()
}

// reference writes one of the objects that a schema defines.
func reference(b *strings.Builder, d member) {
	def := d.value.(schema)
	doc, _ := def.member("description").(string)
	name := strings.ReplaceAll(d.name, "_", " ")
	if of, isDefault := strings.CutPrefix(name, "default "); isDefault {
		names := def.names()
		fmt.Fprintf(b, "\n## %s\n\n%s. The fields are those of %s: %s.\n", name, sentence(doc), link(of), "`"+strings.Join(names, "`, `")+"`")
		return
	}
	referenceObject(b, name, doc, def)
}

// referenceObject writes the table of the fields of an object.
func referenceObject(b *strings.Builder, name, doc string, body schema) {
	fmt.Fprintf(b, "\n## %s\n", name)
	if doc != "" {
		fmt.Fprintf(b, "\n%s.\n", sentence(doc))
	}
	b.WriteString("\n| field | takes | meaning |\n|---|---|---|\n")
	required, _ := body.member("required").([]string)
	properties, _ := body.member("properties").(schema)
	for _, p := range properties {
		form := p.value.(schema)
		star := ""
		if slices.Contains(required, p.name) {
			star = "*"
		}
		meaning, _ := form.member("description").(string)
		fmt.Fprintf(b, "| `%s`%s | %s | %s |\n", p.name, star, cellText(formOf(form)), cellText(meaning))
	}
}

func (s schema) member(name string) any {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].name == name {
			return s[i].value
		}
	}
	return nil
}

// names are the names of the properties of an object.
func (s schema) names() []string {
	var out []string
	properties, _ := s.member("properties").(schema)
	for _, p := range properties {
		out = append(out, p.name)
	}
	return out
}

func sentence(doc string) string {
	doc = strings.TrimSuffix(doc, ".")
	if doc == "" {
		return doc
	}
	return strings.ToUpper(doc[:1]) + doc[1:]
}

// cellText is text in a cell of a table.
func cellText(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func link(name string) string { return "[" + name + "](#" + strings.ReplaceAll(name, " ", "-") + ")" }

// patternWords say what the patterns of texts mean.
var patternWords = map[string]string{
	keyPattern.String():         "a key",
	durationPattern.String():    "a duration, also below 0",
	`^[0-9]+[smhdw]$`:           "a duration",
	instantPattern.String():     "a date or time",
	`^[0-9]+(\.[0-9]+)?%$`:      "a percentage",
	`^[0-9]+(\.[0-9]+)?(%|pp)$`: "a percentage, or points as `2pp`",
	percentilePattern.String():  "a percentile such as `p95`",
	offsetPattern.String():      "a time after such as `+2h`",
	testTime.String():           "a date or time",
}

// formOf says in words which values a schema takes.
func formOf(s schema) string {
	if ref, ok := s.member("$ref").(string); ok {
		return link(strings.ReplaceAll(strings.TrimPrefix(ref, "#/$defs/"), "_", " "))
	}
	if title, ok := s.member("title").(string); ok {
		return title
	}
	if c := s.member("const"); c != nil {
		return fmt.Sprintf("`%v`", c)
	}
	if words, ok := s.member("enum").([]string); ok {
		return "`" + strings.Join(words, "`, `") + "`"
	}
	if cases, ok := s.member("anyOf").([]schema); ok {
		var forms []string
		for _, c := range cases {
			if f := formOf(c); !slices.Contains(forms, f) {
				forms = append(forms, f)
			}
		}
		return strings.Join(forms, ", or ")
	}
	switch s.member("type") {
	case "array":
		if items, ok := s.member("items").(schema); ok {
			return "a list, each " + formOf(items)
		}
		return "a list"
	case "object":
		if values, ok := s.member("additionalProperties").(schema); ok && s.member("properties") == nil {
			return "a mapping of names, each to " + formOf(values)
		}
		if names := s.names(); len(names) > 0 {
			return "a mapping with `" + strings.Join(names, "`, `") + "`"
		}
		return "a mapping"
	case "integer":
		if low, high := s.member("minimum"), s.member("maximum"); low != nil && high != nil {
			return fmt.Sprintf("a whole number from %v to %v", low, high)
		}
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "`true`, `false`"
	case "string":
		pattern, _ := s.member("pattern").(string)
		if words, ok := patternWords[pattern]; ok {
			return words
		}
		return "a text"
	}
	if s.member("type") == nil {
		return "any value"
	}
	return "a text"
}
