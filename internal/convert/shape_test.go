package convert

import (
	"strings"
	"testing"
)

// TestTypes: each column is given the values, in JSON, of one key of successive
// lines; an empty one is a line without the key.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{`"a"`, ``, `null`}, "VARCHAR"},
		{[]string{`"12345678901"`}, "VARCHAR"},
		{[]string{`12345678901`, `-3`}, "BIGINT"},
		{[]string{`999999999999999999`}, "BIGINT"},
		{[]string{`9223372036854775807`, `-9223372036854775807`}, "BIGINT"},
		{[]string{`1`, `9223372036854775808`}, "DECIMAL(38,0)"},
		{[]string{`1` + strings.Repeat("0", 38)}, "JSON"}, // 39 digits: no type holds it
		{[]string{`1.50`, `2`, `12345.678`}, "DECIMAL(18,3)"},
		{[]string{`0.0000001`}, "DOUBLE"},
		{[]string{`1.5`, `1e3`}, "DOUBLE"},
		{[]string{`123456789012345`, `0.5`}, "DOUBLE"}, // 16 digits in all
		{[]string{`1234567890123456`, `0.5`}, "JSON"},  // a DOUBLE would round the first
		{[]string{`true`, `false`}, "BOOLEAN"},
		{[]string{`true`, `1`}, "JSON"},
		{[]string{`1`, `"1"`}, "JSON"},
		{[]string{`null`}, "JSON"},
		{[]string{`{}`}, "JSON"},
		{[]string{`{"b":1}`, `{"a":"x","c d":{"e":true}}`, `null`}, `STRUCT("a" VARCHAR, "b" BIGINT, "c d" STRUCT("e" BOOLEAN))`},
		{[]string{`{"key":1}`, `{"Key":2}`}, "JSON"},
		{[]string{`{"":1}`}, "JSON"},
		{[]string{`{"a":1}`, `"x"`}, "JSON"},
		{[]string{`[1,2]`}, "JSON"},
		{[]string{`[{"name":"a","value":"1"}]`, `[]`, `[{"name":"b"}]`}, "JSON"},
		{[]string{`[{"a":1},2]`}, "JSON"},
		{[]string{`{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}`}, strings.Repeat(`STRUCT("a" `, 7) + "JSON" + strings.Repeat(")", 7)},
		{[]string{`{"q\"\u0041":1}`}, `STRUCT("q""A" BIGINT)`},
	} {
		rows, r := &shape{row: true}, &jsonReader{}
		for _, value := range c.values {
			line := `{}`
			if value != "" {
				line = `{"k":` + value + `}`
			}
			if _, err := r.read([]byte(line), rows); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
		if got := rows.members[rows.byName["k"]].shape.sqlType(); got != c.want {
			t.Errorf("%q: %s, want %s", c.values, got, c.want)
		}
	}
}

// TestTypesOfRejectedLines: what cannot be read says nothing about types.
func TestTypesOfRejectedLines(t *testing.T) {
	rows, r := &shape{row: true}, &jsonReader{}
	for _, line := range []string{`{"k":1}`, `{"k":"x","other":true,`, `{"k":null,"k":"x"}`} {
		_, _ = r.read([]byte(line), rows)
	}
	seen := rows.seen()
	if len(seen) != 1 || seen[0].name != "k" || seen[0].shape.sqlType() != "BIGINT" {
		t.Errorf("%d columns, the first %s", len(seen), seen[0].shape.sqlType())
	}
}

// TestMerge: shapes of parts of the lines make that of all, in any order.
func TestMerge(t *testing.T) {
	lines := []string{`{"a":1,"b":{"x":"t"}}`, `{"a":2.5,"c":[{"d":1}]}`, `{"b":{"y":1},"c":[{"e":2}]}`}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		all := &shape{row: true}
		for _, i := range order {
			part := &shape{row: true}
			if _, err := (&jsonReader{}).read([]byte(lines[i]), part); err != nil {
				t.Fatal(err)
			}
			all.merge(part)
		}
		var got []string
		for _, m := range all.seen() {
			got = append(got, m.name+" "+m.shape.sqlType())
		}
		const want = `a DECIMAL(18,1), b STRUCT("x" VARCHAR, "y" BIGINT), c JSON`
		if joined := strings.Join(got, ", "); joined != want {
			t.Errorf("order %v: %s, want %s", order, joined, want)
		}
	}
}

func TestManyMembers(t *testing.T) {
	r := &jsonReader{}
	for _, c := range []struct {
		members int
		want    string
	}{{maxMembers, "STRUCT"}, {maxMembers + 1, "JSON"}} {
		var line strings.Builder
		for i := range c.members {
			line.WriteString(`,"m` + strings.Repeat("x", i) + `":1`)
		}
		rows := &shape{row: true}
		if _, err := r.read([]byte(`{"k":{`+line.String()[1:]+`}}`), rows); err != nil {
			t.Fatal(err)
		}
		if got := rows.members[0].shape.sqlType(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%d members: %.20s, want %s", c.members, got, c.want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for line, want := range map[string]string{
		`{"a":1`:                  "the JSON ends too early, after 6 bytes",
		`{"a":tru}`:               "the JSON has an unexpected '}' at byte 9",
		`{"a":1}x`:                "the JSON has an unexpected 'x' at byte 8",
		`{"a":01}`:                "the JSON has an unexpected '1' at byte 7",
		`{"a":.5}`:                "the JSON has an unexpected '.' at byte 6",
		`{"a":5.}`:                "the JSON has an unexpected '}' at byte 8",
		`{"a":+1}`:                "the JSON has an unexpected '+' at byte 6",
		`{"a":NaN}`:               "the JSON has an unexpected 'N' at byte 6",
		`{"a":1,}`:                "the JSON has an unexpected '}' at byte 8",
		`{"a":[1,]}`:              "the JSON has an unexpected ']' at byte 9",
		`{a:1}`:                   "the JSON has an unexpected 'a' at byte 2",
		"{\"a\":\"x\ty\"}":        `the JSON has an unexpected '\t' at byte 8`,
		`{"a":"\x"}`:              "the JSON has an unexpected 'x' at byte 8",
		`{"a":"\ud83d"}`:          "the JSON has half of a surrogate pair, which is no character",
		`{"a":"\ude00"}`:          "the JSON has half of a surrogate pair, which is no character",
		"{\"a\":\"\xff\"}":        "the line is not in UTF-8",
		`[1]`:                     "the line is JSON, but no object",
		`"x"`:                     "the line is JSON, but no object",
		`{"x":[{"b":1},{"b":2}]}`: "",
		`{"":1}`:                  "the object has a key without letters",
		`{"a":` + strings.Repeat("[", 501) + strings.Repeat("]", 501) + `}`: "the JSON has more than 500 levels",
		`{"a":"\ud83d\ude00","b":-0.5E+10,"c":[],"d":{}} `:                  "",
	} {
		got := ""
		if _, err := (&jsonReader{}).read([]byte(line), &shape{row: true}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.40s: %q, want %q", line, got, want)
		}
	}
}
