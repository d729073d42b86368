package convert

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRepeatedKeys: of members with one name the first stays, in every object.
func TestRepeatedKeys(t *testing.T) {
	for line, want := range map[string]string{
		`{"a":1,"a":2}`:                          `{"a":1}`,
		`{"a":1,"\u0061":2}`:                     `{"a":1}`,
		`{"a":null , "b":"x", "a" : [1,2] }`:     `{"a":null , "b":"x" }`,
		`{"a":1,"a":{"b":1,"b":2},"c":3}`:        `{"a":1,"c":3}`,
		`{"a":{"b":1,"b":2},"a":3,"a":4}`:        `{"a":{"b":1}}`,
		`{"x":[{"b":1},{"b":2,"c":3,"b":4}]}`:    `{"x":[{"b":1},{"b":2,"c":3}]}`,
		`{"a":1,"b":{"a":2},"A":3}`:              `{"a":1,"b":{"a":2},"A":3}`,
		`{"a":1,"a":{"a":1,"a":2,"b":{}},"a":0}`: `{"a":1}`,
	} {
		// Whether the shape knows the keys or has too many of them makes no difference.
		for name, rows := range map[string]*shape{"shape": {row: true}, "none": nil} {
			r := &jsonReader{}
			found, err := r.read([]byte(line), rows)
			if err != nil {
				t.Errorf("%s, %s: %v", line, name, err)
			}
			if got := string(appendWithout(nil, []byte(line), found.repeats)); got != want {
				t.Errorf("%s, %s: %s, want %s", line, name, got, want)
			}
		}
	}
}

// TestRepeatingRecords: records with repeated keys are rows, with the first values and
// their types alone, and are counted.
func TestRepeatingRecords(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": `{"ts":"2026-03-01","n":1,"n":"text","props":{"k":"x","k":7}}
{"ts":"2026-03-02","n":2,"props":{"k":null}}
{"ts":"2026-03-02","ts":"2026-03-03","n":null,"n":3}
{"ts":"never","ts":"2026-03-03"}
`})
	out, result := convertTo(t, Options{Paths: []string{in}})
	const want = "2026-03-01 | 1 | x | BIGINT | VARCHAR\n2026-03-02 | 2 | <nil> | BIGINT | VARCHAR\n2026-03-02 | <nil> | <nil> | BIGINT | VARCHAR\n"
	got := asText(query(t, out, "SELECT ds, n, props.k, typeof(n), typeof(props.k) FROM %s ORDER BY ds, n NULLS LAST"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if result.Repeating != 3 || result.Written != 3 || result.Rejected != 1 {
		t.Errorf("%d records with repeated keys, %d rows, %d rejected; want 3, 3, 1", result.Repeating, result.Written, result.Rejected)
	}
	rejects := []reject{{"a.ndjson", 4, "ts is no time", `{"ts":"never","ts":"2026-03-03"}`}}
	if diff := cmp.Diff(rejects, readRejects(t, filepath.Join(out, rejectsFile))); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
}
