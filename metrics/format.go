package metrics

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// Format gives the text of a file in its canonical layout: keys in the order of
// the language, two blanks of indentation, quotes only where they are needed
// and around expressions and paths, an empty line between metrics and between
// experiments. What the file means stays the same, and every comment stays
// with what it is about. Formatting twice is formatting once.
//
// A mapping or list in brackets stays in brackets if it stands on one line, and
// else goes over lines by indentation.
//
// A file is formatted by itself: names of other files need not be there, nor
// variables of the environment. Where it cannot be decoded the list says why,
// and there is no text. A file of tests is known by its name.
func Format(f SourceFile) ([]byte, diag.List) {
	var diags diag.List
	d := newDecoder(f, LoadOptions{Env: anyVariable}, &diags)
	root := d.parse(string(f.Text))
	canon := fileObject.canon
	switch {
	case root == nil:
	case IsTestFile(f.Path):
		testFileObject.read(d, root, new(testFileDraft))
		canon = testFileObject.canon
	default:
		fileObject.read(d, root, new(fileDraft))
	}
	if diags.HasErrors() {
		return nil, diags.Sorted()
	}
	text, err := canonicalText(root, canon, d.lines)
	if err != nil {
		diags.Errorf(d.pos(root), "no-layout", "the file cannot be formatted: %s", err).
			WithHint("it is right as it stands; this is a mistake of metricsjob")
		return nil, diags
	}
	return []byte(text), diags.Sorted()
}

// anyVariable is an environment in which every variable is set, to itself.
func anyVariable(name string) (string, bool) { return "${" + name + "}", true }

// canonicalText writes the tree of a file, which it and canon change, with the
// comments of its lines. What it has written it reads again: a text that says anything
// else, or lacks a comment, is an error.
func canonicalText(root *yaml.Node, canon func(*yaml.Node), lines []string) (string, error) {
	trivia, err := scanTrivia(root, lines)
	if err != nil {
		return "", err
	}
	plainQuotes(root, false, trivia.long)
	canon(root)
	p := &layout{trivia: trivia}
	text := p.file(root)

	docs, err := documents(text)
	if err != nil || len(docs) != 1 {
		return "", errors.New("its canonical text is not YAML")
	}
	again := docs[0].Content[0]
	if !sameTree(root, again) {
		return "", errors.New("its canonical text says something else")
	}
	kept, err := scanTrivia(again, linesOf(text))
	if err != nil {
		return "", err
	}
	if !slices.Equal(trivia.comments(), kept.comments()) {
		return "", errors.New("a comment would be lost")
	}
	return text, nil
}

// sameTree reports whether two trees say the same, whatever their layout.
func sameTree(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Value != b.Value && a.Tag != "!!null" {
		return false
	}
	for i := range a.Content {
		if a.Kind == yaml.MappingNode && i%2 == 0 && a.Content[i].Value == b.Content[i].Value {
			continue // of a key only the word matters
		}
		if !sameTree(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// unclear is what the scanner of trivia says where it loses its way.
func unclear(n *yaml.Node) error { return fmt.Errorf("its text at line %d is unclear", n.Line) }
