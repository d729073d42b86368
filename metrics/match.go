package metrics

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
)

// Means reports whether a value in the data is the one that is meant.
func (m MatchValue) Means(shown string) bool {
	if !m.JSON {
		return m.Text == shown
	}
	a, okA := parsedJSON(m.Text)
	b, okB := parsedJSON(shown)
	return okA && okB && reflect.DeepEqual(a, b)
}

// parsedJSON reads the one JSON value of a text, numbers as float64.
func parsedJSON(text string) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}
