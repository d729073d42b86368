package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// record is an object of another tool's file. It remembers which fields were read,
// so that what nobody read can be told. Names are compared without underscores and
// in any case, because tools spell the same field in both ways.
type record struct {
	fields map[string]any
	names  map[string]string // as they are written
	read   map[string]bool
	below  map[string][]*record
	// isList: the file is a list, which stands in the field items.
	isList bool
}

func newRecord(fields map[string]any) *record {
	r := &record{fields: map[string]any{}, names: map[string]string{}, read: map[string]bool{}, below: map[string][]*record{}}
	for name, v := range fields {
		r.fields[folded(name)], r.names[folded(name)] = v, name
	}
	return r
}

func folded(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// take is the value of the first field that is there, which is read then.
func (r *record) take(names ...string) any {
	if r == nil {
		return nil
	}
	for _, name := range names {
		if v, ok := r.fields[folded(name)]; ok && v != nil {
			r.read[folded(name)] = true
			return v
		}
	}
	return nil
}

// ignore marks fields that say nothing about what is counted: ids, links, dates.
func (r *record) ignore(names ...string) {
	if r == nil {
		return
	}
	for _, name := range names {
		r.read[folded(name)] = true
	}
}

// forget marks fields as read with all that is below them, because what is not read
// there is told elsewhere.
func (r *record) forget(names ...string) {
	if r == nil {
		return
	}
	r.ignore(names...)
	for _, name := range names {
		delete(r.below, folded(name))
	}
}

// text is a text or a number as text; empty where there is neither.
func (r *record) text(names ...string) string {
	for _, name := range names {
		switch v := r.peek(name).(type) {
		case string:
			r.ignore(name)
			return v
		case json.Number:
			r.ignore(name)
			return v.String()
		}
	}
	return ""
}

// number is a number as it is written; empty where there is none.
func (r *record) number(names ...string) string {
	for _, name := range names {
		if v, ok := r.peek(name).(json.Number); ok {
			r.ignore(name)
			return v.String()
		}
	}
	return ""
}

// is reports whether a field is true.
func (r *record) is(names ...string) bool {
	for _, name := range names {
		if v, ok := r.peek(name).(bool); ok {
			r.ignore(name)
			if v {
				return true
			}
		}
	}
	return false
}

// texts is a list of texts and numbers.
func (r *record) texts(name string) []string {
	list, _ := r.peek(name).([]any)
	var out []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case json.Number:
			out = append(out, v.String())
		case bool:
			out = append(out, fmt.Sprint(v))
		default:
			return nil // not read: it is told
		}
	}
	if out != nil {
		r.ignore(name)
	}
	return out
}

// child is the object in a field; nil where there is none. What of it is not read
// is told with the record.
func (r *record) child(name string) *record {
	fields, ok := r.peek(name).(map[string]any)
	if !ok {
		return nil
	}
	if have := r.below[folded(name)]; len(have) == 1 {
		return have[0]
	}
	r.ignore(name)
	c := newRecord(fields)
	r.below[folded(name)] = []*record{c}
	return c
}

// children are the objects of a list, or of a mapping in the order of its keys.
func (r *record) children(name string) []*record {
	if r == nil {
		return nil
	}
	if have, ok := r.below[folded(name)]; ok {
		return have
	}
	out := recordsOf(r.peek(name))
	if out != nil {
		r.ignore(name)
		r.below[folded(name)] = out
	}
	return out
}

// recordsOf are the objects of a list; of anything else there are none.
func recordsOf(v any) []*record {
	list, _ := v.([]any)
	var out []*record
	for _, item := range list {
		fields, ok := item.(map[string]any)
		if !ok {
			return nil
		}
		out = append(out, newRecord(fields))
	}
	return out
}

// asRead is the record as it stands in the file.
func (r *record) asRead() map[string]any {
	out := map[string]any{}
	for name, v := range r.fields {
		out[r.names[name]] = v
	}
	return out
}

// shape says what a file holds, for somebody who gave the wrong one.
func (r *record) shape() string {
	if !r.isList {
		return "its fields are " + strings.Join(firsts(r.keys(), 10), ", ")
	}
	list := r.children("items")
	if len(list) == 0 {
		return "it is a list, but not one of objects"
	}
	return "it is a list of objects with the fields " + strings.Join(firsts(list[0].keys(), 10), ", ")
}

// keys are the names of the fields as they are written, in alphabetical order.
func (r *record) keys() []string {
	if r == nil {
		return nil
	}
	var out []string
	for _, name := range r.names {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (r *record) peek(name string) any {
	if r == nil {
		return nil
	}
	return r.fields[folded(name)]
}

// has reports whether a field is there and not empty.
func (r *record) has(name string) bool { return r != nil && !isEmpty(r.peek(name)) }

// unread are the fields that nobody read and that say something, with what they
// say, in alphabetical order.
func (r *record) unread() []string {
	if r == nil {
		return nil
	}
	var out []string
	for _, name := range r.keys() {
		v := r.peek(name)
		switch {
		case isEmpty(v):
		case !r.read[folded(name)]:
			out = append(out, name+": "+jsonText(v))
		default:
			for _, c := range r.below[folded(name)] {
				for _, field := range c.unread() {
					out = append(out, name+"."+field)
				}
			}
		}
	}
	return out
}

// isEmpty reports whether a value says nothing: missing, empty, false or 0.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case json.Number:
		f, err := v.Float64()
		return err == nil && f == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, field := range v {
			if !isEmpty(field) {
				return false
			}
		}
		return true
	}
	panic(fmt.Sprintf("imports: no case for %T", v))
}

// jsonText writes a value as JSON.
func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("imports: " + err.Error()) // what was decoded can be encoded
	}
	return strings.TrimSpace(b.String())
}

// parse reads a file as JSON or YAML. A list is a record with the field items.
func parse(f metrics.SourceFile) (*record, error) {
	text := bytes.TrimPrefix(f.Text, []byte("\ufeff"))
	if first := bytes.TrimSpace(text); len(first) == 0 || first[0] != '{' && first[0] != '[' {
		var err error
		if text, err = metrics.JSONOf(f); err != nil {
			return nil, err
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something stands behind the end of the JSON")
		}
	}
	if err != nil {
		return nil, &FileError{Path: f.Path, Text: "is no JSON: " + err.Error(), hint: "give the file as the tool's API or export wrote it"}
	}
	switch v := v.(type) {
	case map[string]any:
		return newRecord(v), nil
	case []any:
		r := newRecord(map[string]any{"items": v})
		r.isList = true
		return r, nil
	}
	return nil, &FileError{Path: f.Path, Text: "is neither an object nor a list", hint: "give the file as the tool's API or export wrote it"}
}

// FileError is a file that is not what it was said to be.
type FileError struct {
	Path, Text string
	hint       string
}

func (e *FileError) Error() string { return e.Path + " " + e.Text }

// Hint says what to give instead.
func (e *FileError) Hint() string { return e.hint }
