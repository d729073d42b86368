package imports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// draft is what an import found: definitions in our words, and what it left.
type draft struct {
	metrics, experiments []*definition
	left                 []string // about things that are no definition
	keys                 map[string]bool
	// theirs are our keys by the names that the tool has for metrics, and served
	// what variations of flags are by their ids.
	theirs map[string]string
	served map[string]servedVariation
	// tables are the names of fact tables by their ids.
	tables map[string]string
	// otherwise makes experiments of what was read, where the files have none.
	otherwise []func()
}

// definition is one entry of a list of a definitions file.
type definition struct {
	fields
	key    string
	checks []string // what had to be guessed
	left   []string // what it could not take over
}

// check says what had to be guessed.
func (d *definition) check(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.checks, text) {
		d.checks = append(d.checks, text)
	}
}

// better says by the word of another tool whether more of a metric is better.
func (d *definition) better(word, higher, lower string) {
	switch word {
	case higher:
		d.set("better", "higher")
	case lower:
		d.set("better", "lower")
	default:
		d.check("the file does not tell whether more is better")
		d.set("better", "higher")
	}
}

// lose says what is not taken over.
func (d *definition) lose(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.left, text) {
		d.left = append(d.left, text)
	}
}

// rest loses the fields of a record that nobody read.
func (d *definition) rest(r *record) {
	for _, field := range r.unread() {
		d.lose("%s", field)
	}
}

// fields are keys with their values as YAML.
type fields []field

type field struct {
	name, yaml string
	lines      []string // in place of yaml: a mapping or list over lines
	sides      []fields // in place of both: those of a ratio
}

// sideNames are the names of the sides of a ratio.
var sideNames = [2]string{"numerator", "denominator"}

// rows are the lines of a field that goes over several; none of one that does not.
func (f field) rows() []string {
	rows := slices.Clone(f.lines)
	for i, side := range f.sides {
		rows = append(rows, sideNames[i]+": "+side.flow())
	}
	return rows
}

// set adds a field; nothing where the value is empty.
func (f *fields) set(name, yaml string) {
	if yaml != "" {
		*f = append(*f, field{name: name, yaml: yaml})
	}
}

// text adds a text.
func (f *fields) text(name, text string) {
	if text = strings.TrimSpace(text); text != "" {
		f.set(name, metrics.ScalarText(text))
	}
}

// expression adds an expression.
func (f *fields) expression(name, source string) {
	if source != "" {
		f.set(name, "'"+strings.ReplaceAll(source, "'", "''")+"'")
	}
}

// texts adds a list of texts.
func (f *fields) texts(name string, list []string) {
	if len(list) > 0 {
		f.set(name, flowList(list))
	}
}

// list adds a list with an item a line.
func (f *fields) list(name string, items []string) {
	var lines []string
	for _, item := range items {
		lines = append(lines, "- "+item)
	}
	f.over(name, lines)
}

// over adds a mapping or list that goes over lines.
func (f *fields) over(name string, lines []string) {
	if len(lines) > 0 {
		*f = append(*f, field{name: name, lines: lines})
	}
}

// window adds the time in which events count, from and to after the exposure; each may
// be empty. Unless units wait, those count as well whose window is not over, which is to
// be said of one that begins later.
func (f *fields) window(from, to string, wait bool) {
	switch {
	case from != "" && to != "":
		f.set("window", "{from: "+from+", to: "+to+"}")
	case from != "":
		f.set("window", "{from: "+from+"}")
	case to != "":
		f.set("window", to)
	default:
		return
	}
	switch {
	case wait:
		f.set("wait_for_window", "true")
	case from != "" && !strings.HasPrefix(from, "-"):
		f.set("wait_for_window", "false")
	}
}

// ratio adds the two sides of a ratio.
func (f *fields) ratio(numerator, denominator fields) {
	*f = append(*f, field{name: "ratio", sides: []fields{numerator, denominator}})
}

// has reports whether there is a field.
func (f *fields) has(name string) bool {
	return slices.ContainsFunc(*f, func(have field) bool { return have.name == name })
}

// drop leaves a field out again.
func (f *fields) drop(name string) {
	*f = slices.DeleteFunc(*f, func(have field) bool { return have.name == name })
}

// flow writes fields as a mapping in braces.
func (f *fields) flow() string {
	var parts []string
	for _, one := range *f {
		parts = append(parts, one.name+": "+one.yaml)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// flowList writes texts as a list in brackets.
func flowList(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, metrics.ScalarText(s))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// one writes one text, or several as a list in brackets, each once.
func one(list []string) string {
	var once []string
	for _, text := range list {
		if !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	list = once
	if len(list) == 1 {
		return metrics.ScalarText(list[0])
	}
	return flowList(list)
}

// metric begins a metric of such a name.
func (d *draft) metric(name string) *definition {
	m := &definition{key: d.newKey("metric", name)}
	d.metrics = append(d.metrics, m)
	return m
}

// experiment begins an experiment of such a name.
func (d *draft) experiment(name string) *definition {
	x := &definition{key: d.newKey("experiment", name)}
	d.experiments = append(d.experiments, x)
	return x
}

// newKey makes a key that no other definition of the kind has.
func (d *draft) newKey(kind, name string) string {
	base := metrics.KeyOf(name, kind)
	key := base
	for i := 2; d.keys[kind+" "+key]; i++ {
		key = fmt.Sprintf("%s_%d", base, i)
	}
	d.keys[kind+" "+key] = true
	return key
}

// lose says what is not taken over of things that are no definition.
func (d *draft) lose(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.left, text) {
		d.left = append(d.left, text)
	}
}

// rest loses the fields of a file that nobody read, but for those whose records tell
// themselves what is left of them.
func (d *draft) rest(r *record, told ...string) {
	r.forget(told...)
	for _, field := range r.unread() {
		d.lose("%s", field)
	}
}

// others loses the entries of a list that are not what the list is of.
func (d *draft) others(list []*record, noun string, is func(*record) bool) {
	for i, r := range list {
		if !is(r) {
			d.lose("entry %d of the file, which is no %s: %s", i+1, noun, jsonText(r.asRead()))
		}
	}
}

// leftovers are all that was not taken over, with what it is about.
func (d *draft) leftovers() []string {
	out := slices.Clone(d.left)
	for _, kind := range []struct {
		name string
		list []*definition
	}{{"metric", d.metrics}, {"experiment", d.experiments}} {
		for _, def := range kind.list {
			for _, text := range def.left {
				out = append(out, kind.name+" "+def.key+": "+text)
			}
		}
	}
	return out
}

// text writes the draft as a definitions file in its canonical layout.
func (d *draft) text(tool Tool) string {
	w := &strings.Builder{}
	comment(w, "", fmt.Sprintf("Imported from %s. What had to be guessed is marked with CHECK.", tool.Name()))
	for _, text := range d.left {
		comment(w, "", "Not taken over: "+text)
	}
	w.WriteString("version: 1\n")
	for _, section := range []struct {
		name string
		list []*definition
	}{{"metrics", d.metrics}, {"experiments", d.experiments}} {
		if len(section.list) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s:\n", section.name)
		for _, def := range section.list {
			def.write(w)
		}
	}
	// A text that cannot be formatted says something that the language does not have;
	// it is still of use, and a check says what is wrong with it.
	text := w.String()
	if formatted, _ := metrics.Format(metrics.SourceFile{Path: "import.yaml", Text: []byte(text)}); formatted != nil {
		text = string(formatted)
	}
	return text
}

func (d *definition) write(w *strings.Builder) {
	for _, text := range d.checks {
		comment(w, "  ", "CHECK: "+text)
	}
	for _, text := range d.left {
		comment(w, "  ", "Not taken over: "+text)
	}
	fmt.Fprintf(w, "  - key: %s\n", d.key)
	for _, f := range d.fields {
		rows := f.rows()
		if len(rows) == 0 {
			fmt.Fprintf(w, "    %s: %s\n", f.name, f.yaml)
			continue
		}
		fmt.Fprintf(w, "    %s:\n", f.name)
		for _, line := range rows {
			fmt.Fprintf(w, "      %s\n", line)
		}
	}
}

// comment writes a text as comment lines of a readable width.
func comment(w *strings.Builder, indent, text string) {
	const width = 100
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && len(line) > len(indent)+1 {
			w.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + printable(word)
	}
	w.WriteString(line + "\n")
}

// printable is a word as it can stand in a comment.
func printable(word string) string {
	if strings.IndexFunc(word, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return word
	}
	return strconv.QuoteToASCII(word)
}
