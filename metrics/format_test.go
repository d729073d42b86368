package metrics

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// TestFormat compares files with their canonical layout, written by hand.
func TestFormat(t *testing.T) {
	archives, err := filepath.Glob("testdata/format/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no cases: ", err)
	}
	for _, path := range archives {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(ar.Files) != 2 {
			t.Fatalf("%s has %d sections, want in.yaml and out.yaml", path, len(ar.Files))
		}
		in, want := ar.Files[0].Data, string(ar.Files[1].Data)
		got, diags := Format(SourceFile{Path: "in.yaml", Text: in})
		if len(diags) > 0 {
			t.Errorf("%s:\n%s", path, diags.Error())
			continue
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		checkFormat(t, in)
	}
}

// TestFormatFiles formats every file of definitions that there is in the
// repository: examples, cases of the job, right files and those wrong ones
// whose mistake is found after decoding.
func TestFormatFiles(t *testing.T) {
	for name, text := range definitionTexts(t) {
		t.Run(name, func(t *testing.T) { checkFormat(t, text) })
	}
}

func TestFormatRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"version: 1\nmetrics: [\n":                         "yaml-syntax",
		"version: 1\nmetric: []\n":                         "unknown-key",
		"version: 1\nmetrics:\n  - {key: a, name: &x b}\n": "yaml-anchor",
		"": "empty-file",
		"version: 1\nmetrics: []\n---\nversion: 1\n":   "second-document",
		"version: 1\nmetrics:\n  - {key: a, key: b}\n": "duplicate-key",
		"version: 2\n": "bad-version",
		"version: 1\nmetrics:\n  - {key: a, where: !!str 'x'}\n": "yaml-tag",
	} {
		got, diags := Format(SourceFile{Path: "m.yaml", Text: []byte(text)})
		if got != nil || len(diags) == 0 || diags[0].Code != want {
			t.Errorf("%q gives %q and says %v, want %s", text, got, diags, want)
		}
	}
}

// TestFormatLineEnds formats what other editors leave: line ends of two
// characters, a byte order mark, tabs before comments.
func TestFormatLineEnds(t *testing.T) {
	const want = "# ü\nversion: 1  # one\n\nmetrics:\n  - key: a\n    name: >-\n      Über\n      uns\n    where: |\n      x\n        or y\n    like: b\n"
	for _, text := range []string{
		"\ufeff# ü\r\nversion: 1 # one\r\nmetrics:\r\n- key: a\r\n  like: b\r\n  name: Über\r\n    uns\r\n  where: |\r\n    x\r\n      or y\r\n",
		"# ü\nversion: 1\t# one\nmetrics:\n- key: a\n  like: b  \n  name:\t\"Über\n    uns\"\n  where: |\n    x\n      or y\n",
	} {
		got, diags := Format(SourceFile{Path: "m.yaml", Text: []byte(text)})
		if diff := cmp.Diff(want, string(got)); diff != "" || len(diags) > 0 {
			t.Errorf("%q (-want +got):\n%s%s", text, diff, diags.Error())
		}
	}
}

// TestFormatKeepsMeaning formats the right files after their layout was changed
// at random: the order of keys, brackets, quotes, indentation, empty lines, and
// comments wherever YAML allows them.
func TestFormatKeepsMeaning(t *testing.T) {
	var texts [][]byte
	all := definitionTexts(t)
	for _, name := range sortedKeys(all) {
		if _, diags := Decode([]SourceFile{{Path: "m.yaml", Text: all[name]}}, LoadOptions{Env: anyVariable}); !diags.HasErrors() {
			texts = append(texts, all[name])
		}
	}
	if len(texts) < 40 {
		t.Fatalf("only %d files are right", len(texts))
	}
	for seed := range uint64(3 * len(texts)) {
		docs, err := documents(string(texts[seed%uint64(len(texts))]))
		if err != nil {
			t.Fatal(err)
		}
		s := &scrambler{random: rand.New(rand.NewPCG(seed, 0)), limit: 9}
		s.block(docs[0].Content[0], 0)
		checkFormat(t, []byte(s.b.String()))
	}
}

// definitionTexts are the files of definitions in the repository that decode.
func definitionTexts(t testing.TB) map[string][]byte {
	t.Helper()
	texts := map[string][]byte{}
	var archives []string
	for _, pattern := range []string{"testdata/right/*.yaml", "../examples/*.yaml", "../bench/*.yaml", "testdata/wrong/*.txtar", "../internal/job/testdata/cases/*.txtar"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, p := range paths {
			if IsTestFile(p) {
				continue
			}
			if filepath.Ext(p) == ".txtar" {
				archives = append(archives, p)
				continue
			}
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			texts[p] = text
		}
	}
	for _, p := range archives {
		ar, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if filepath.Ext(f.Name) != ".yaml" {
				continue
			}
			if _, diags := Format(SourceFile{Path: f.Name, Text: f.Data}); len(diags) > 0 && diags[0].Code != "no-layout" {
				continue // it is wrong, which other tests are about
			}
			texts[p+"/"+f.Name] = f.Data
		}
	}
	return texts
}

// checkFormat formats a text that decodes, and compares: the definitions, the
// versions and the comments are the same, all of it, and formatting again
// changes nothing.
func checkFormat(t *testing.T, text []byte) {
	t.Helper()
	got, diags := Format(SourceFile{Path: "m.yaml", Text: text})
	if len(diags) > 0 {
		t.Fatalf("%s\n%s", diags.Error(), text)
	}
	opts := LoadOptions{Env: anyVariable}
	before, saidBefore := Decode([]SourceFile{{Path: "m.yaml", Text: text}}, opts)
	after, saidAfter := Decode([]SourceFile{{Path: "m.yaml", Text: got}}, opts)
	if diff := cmp.Diff(messages(saidBefore), messages(saidAfter)); diff != "" {
		t.Fatalf("something else is said (-before +after):\n%s\nbefore:\n%s\nafter:\n%s", diff, text, got)
	}
	before.Files, after.Files = nil, nil
	if diff := cmp.Diff(before, after, withoutPlaces); diff != "" {
		t.Fatalf("the meaning changed (-before +after):\n%s\nbefore:\n%s\nafter:\n%s", diff, text, got)
	}
	if diff := cmp.Diff(remarksOf(string(text)), remarksOf(string(got))); diff != "" {
		t.Fatalf("the comments changed (-before +after):\n%s\nbefore:\n%s\nafter:\n%s", diff, text, got)
	}
	again, diags := Format(SourceFile{Path: "m.yaml", Text: got})
	if diff := cmp.Diff(string(got), string(again)); diff != "" || len(diags) > 0 {
		t.Fatalf("formatting again changes it (-once +twice):\n%s%s\nbefore:\n%s", diff, diags.Error(), text)
	}
}

var withoutPlaces = cmp.Options{
	cmp.Comparer(func(diag.Pos, diag.Pos) bool { return true }),
	cmp.Comparer(func([]ExprPlace, []ExprPlace) bool { return true }),
}

// messages are what is said, without places, sorted.
func messages(l diag.List) []string {
	var out []string
	for _, d := range l {
		if d.Code != "duplicate-name" && d.Code != "conflict" { // their texts have places
			out = append(out, d.Code+": "+d.Message)
		}
	}
	slices.Sort(out)
	return out
}

// remarksOf lists the comments of the tests: those of lines that are comments,
// and those that the scrambler made.
func remarksOf(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if i := strings.Index(line, "# remark "); i >= 0 {
			out = append(out, line[i:])
		}
	}
	slices.Sort(out)
	return out
}

// scrambler writes a tree in a random layout.
type scrambler struct {
	random  *rand.Rand
	b       strings.Builder
	remarks int
	// limit is the last column in which a comment may stand: below a text after
	// | or > it would be a part of it.
	limit int
}

func (s *scrambler) chance(one int) bool { return s.random.IntN(one) == 0 }

func (s *scrambler) between(low, high int) int { return low + s.random.IntN(high-low+1) }

func (s *scrambler) remark() string {
	s.remarks++
	return fmt.Sprintf("# remark %d", s.remarks)
}

// gap writes empty lines and comments, in any column.
func (s *scrambler) gap() {
	for s.chance(6) {
		if s.chance(2) {
			s.b.WriteByte('\n')
		} else {
			s.b.WriteString(strings.Repeat(" ", s.between(0, min(9, s.limit))) + s.remark() + "\n")
		}
	}
}

// end ends a line, perhaps with a comment.
func (s *scrambler) end() {
	if s.chance(8) {
		s.b.WriteString(strings.Repeat(" ", s.between(1, 4)) + s.remark())
	}
	s.b.WriteByte('\n')
}

// shuffled gives the pairs of a mapping in any order; those of mappings with
// free keys keep it, since it is a part of their meaning.
func (s *scrambler) shuffled(n *yaml.Node) [][2]*yaml.Node {
	var out [][2]*yaml.Node
	pairs(n, func(k, v *yaml.Node) { out = append(out, [2]*yaml.Node{k, v}) })
	for _, o := range []*object[metricDraft]{metricObject, sideObject} {
		if !slices.ContainsFunc(out, func(p [2]*yaml.Node) bool { return o.field(p[0].Value) == nil }) {
			return s.inAnyOrder(out)
		}
	}
	if !slices.ContainsFunc(out, func(p [2]*yaml.Node) bool {
		return experimentObject.field(p[0].Value) == nil && fileObject.field(p[0].Value) == nil && rolesObject.field(p[0].Value) == nil
	}) {
		return s.inAnyOrder(out)
	}
	return out
}

func (s *scrambler) inAnyOrder(ps [][2]*yaml.Node) [][2]*yaml.Node {
	s.random.Shuffle(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] })
	return ps
}

// block writes a collection over lines, after the beginning of a line.
func (s *scrambler) block(n *yaml.Node, indent int) {
	margin := strings.Repeat(" ", indent)
	step := s.between(1, 4)
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			s.gap()
			s.limit = 9
			s.b.WriteString(margin + "-")
			s.value(item, indent, step, true)
		}
		s.gap()
		return
	}
	for _, p := range s.shuffled(n) {
		s.gap()
		s.limit = 9
		s.b.WriteString(margin + s.scalar(p[0], true) + ":")
		s.value(p[1], indent, step, false)
	}
	s.gap()
}

// value writes what stands behind a colon or a dash, to the end of the line.
func (s *scrambler) value(n *yaml.Node, indent, step int, item bool) {
	switch {
	case n.Kind == yaml.ScalarNode:
		s.scalarValue(n, indent+step)
	case len(n.Content) == 0:
		s.b.WriteString(map[yaml.Kind]string{yaml.MappingNode: " {}", yaml.SequenceNode: " []"}[n.Kind])
		s.end()
	case s.chance(3):
		s.b.WriteByte(' ')
		s.brackets(n, indent+step, s.chance(2), true)
		s.end()
	default:
		s.end()
		if n.Kind == yaml.SequenceNode && !item && s.chance(2) {
			step = 0
		}
		s.block(n, indent+step)
	}
}

// brackets writes a collection in brackets, on one line or over several.
func (s *scrambler) brackets(n *yaml.Node, indent int, long, outer bool) {
	signs := "[]"
	if n.Kind == yaml.MappingNode {
		signs = "{}"
	}
	s.b.WriteString(signs[:1])
	turn := func() {
		if !long || !s.chance(3) {
			s.b.WriteByte(' ')
			return
		}
		s.end()
		for s.chance(4) {
			s.b.WriteString(strings.Repeat(" ", indent) + s.remark() + "\n")
		}
		s.b.WriteString(strings.Repeat(" ", indent))
	}
	inner := func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			s.b.WriteString(s.scalar(n, true))
			return
		}
		s.brackets(n, indent, long, false)
	}
	turn()
	if n.Kind == yaml.MappingNode {
		for i, p := range s.shuffled(n) {
			if i > 0 {
				s.b.WriteByte(',')
				turn()
			}
			s.b.WriteString(s.scalar(p[0], true) + ":")
			turn()
			inner(p[1])
		}
	} else {
		for i, item := range n.Content {
			if i > 0 {
				s.b.WriteByte(',')
				turn()
			}
			inner(item)
		}
	}
	turn()
	s.b.WriteString(signs[1:])
}

// scalarValue writes a scalar behind a colon or a dash.
func (s *scrambler) scalarValue(n *yaml.Node, indent int) {
	margin := strings.Repeat(" ", indent)
	text := !unquoted(n) && !strings.HasPrefix(n.Value, " ") && !strings.HasSuffix(n.Value, " ") && !strings.Contains(n.Value, "\n")
	words := strings.Split(n.Value, " ")
	switch {
	case text && len(words) > 1 && !slices.Contains(words, "") && s.chance(3):
		at := s.between(1, len(words)-1)
		lines := []string{strings.Join(words[:at], " "), strings.Join(words[at:], " ")}
		switch []string{"folded", "single", "double"}[s.random.IntN(3)] {
		case "folded":
			s.b.WriteString(" >-")
			s.end()
			s.b.WriteString(margin + lines[0] + "\n" + margin + lines[1] + "\n")
			s.limit = indent - 1
		case "single":
			s.b.WriteString(" '" + strings.ReplaceAll(lines[0]+"\n"+margin+lines[1], "'", "''") + "'")
			s.end()
		case "double":
			s.b.WriteString(" " + strings.TrimSuffix(escaped(lines[0]), `"`) + "\n" + margin + escaped(lines[1])[1:])
			s.end()
		}
	case text && s.chance(8):
		s.b.WriteString(" |-")
		s.end()
		s.b.WriteString(margin + n.Value + "\n")
		s.limit = indent - 1
	case s.chance(8):
		s.end()
		for s.chance(2) {
			s.b.WriteString(margin + s.remark() + "\n")
		}
		s.b.WriteString(margin + s.scalar(n, false))
		s.end()
	default:
		s.b.WriteString(" " + s.scalar(n, false))
		s.end()
	}
}

// unquoted reports whether a scalar has to stay without quotes: a number, and
// what starts with a digit and may be wanted without.
func unquoted(n *yaml.Node) bool {
	return n.Tag != "!!str" || n.Style == 0 && (n.Value == "" || n.Value[0] >= '0' && n.Value[0] <= '9')
}

// scalar writes a scalar on one line.
func (s *scrambler) scalar(n *yaml.Node, bracketed bool) string {
	if unquoted(n) {
		return n.Value
	}
	switch s.between(0, 2) {
	case 0:
		if plainFits(n.Value, bracketed) {
			return n.Value
		}
	case 1:
		if !needsEscapes(n.Value) {
			return "'" + strings.ReplaceAll(n.Value, "'", "''") + "'"
		}
	}
	return escaped(n.Value)
}

// Files of tests are known by their names. Rows stay as they are written, tables
// among them.
func TestFormatTests(t *testing.T) {
	text := `tests:
    - expect: {revenue: {variations: {control: {mean: 5, units: 2}}, units: {ann: 10}}} # by hand
      impressions: |
        user | variation | at
        ann  | control   | 2026-03-02
      name: "one buys"
      # nothing before
      events: [{at: +1h, user: ann, event: buy, value: 10}]
    - {name: two, impressions: [{user: ann, variation: control, at: 2026-03-02}], expect: {revenue: {units: {ann: 0}}}}
version: 1
`
	want := `version: 1

tests:
  - name: one buys
    impressions: |
      user | variation | at
      ann  | control   | 2026-03-02
    # nothing before
    events: [{at: +1h, user: ann, event: buy, value: 10}]
    expect: {revenue: {units: {ann: 10}, variations: {control: {units: 2, mean: 5}}}}  # by hand

  - {name: two, impressions: [{user: ann, variation: control, at: 2026-03-02}], expect: {revenue: {units: {ann: 0}}}}
`
	got, list := Format(SourceFile{Path: "shop_test.yaml", Text: []byte(text)})
	if len(list) > 0 {
		t.Fatal(list)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	again, _ := Format(SourceFile{Path: "shop_test.yaml", Text: got})
	if string(again) != string(got) {
		t.Errorf("formatted twice:\n%s", again)
	}
	if _, list := Format(SourceFile{Path: "shop.yaml", Text: got}); !list.HasErrors() {
		t.Error("tests were taken for definitions")
	}
}
