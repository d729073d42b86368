package metrics

import (
	"regexp"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// KeyOf makes a key of words: what can stand in a key of them, behind the prefix
// where that does not begin with a letter.
func KeyOf(words, prefix string) string {
	words = camelCase.ReplaceAllString(words, "${1}_${2}")
	key := strings.Trim(notInKey.ReplaceAllString(strings.ToLower(words), "_"), "_")
	switch {
	case key == "":
		return prefix
	case key[0] < 'a' || key[0] > 'z':
		return prefix + "_" + key
	}
	return key
}

var (
	camelCase = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	notInKey  = regexp.MustCompile(`[^a-z0-9]+`)
)

// ScalarText writes a text as it stands in YAML, wherever that is, in quotes where it
// needs them.
func ScalarText(s string) string {
	if plainFits(s, true) && plainFits(s, false) {
		return s
	}
	return quotes(s)
}

// JSONOf gives what a YAML file of another tool says as JSON, with sorted keys and
// numbers as float64. The error says what is wrong with the file.
func JSONOf(f SourceFile) ([]byte, error) {
	var diags diag.List
	d := newDecoder(f, LoadOptions{}, &diags)
	root := d.parse(string(f.Text))
	if root == nil {
		return nil, diags.Sorted()
	}
	text, _ := d.canonicalJSON(root)
	return []byte(text), diags.Err()
}
