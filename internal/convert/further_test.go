package convert

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// add writes one more file into a folder.
func add(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestFurtherFiles: of a folder to which files come, only those are converted, with
// the types of their own values.
func TestFurtherFiles(t *testing.T) {
	in := write(t, map[string]string{"1.ndjson": `{"ts":"2026-03-01","user":"u1","n":1,"gone":true,"later":null,"props":{"a":1}}` + "\n"})
	opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out")}
	out, _ := convertTo(t, opts)
	first := tree(t, out)[filepath.Join("ds=2026-03-01", "part-00001.parquet")]

	add(t, in, "2.ndjson", `{"ts":"2026-03-01","user":"u2","n":2.5,"later":7,"props":{"b":"x"},"new":[1]}
{"ts":"2026-03-02","user":"u3","n":null
`)
	_, result := convertTo(t, opts)
	if result.Added != 1 || result.Inputs != 2 || result.Read != 3 || result.Written != 2 || result.Rejected != 1 || result.Resumed != 1 || result.Chunks != 2 {
		t.Errorf("result %+v", result)
	}
	if got := tree(t, out)[filepath.Join("ds=2026-03-01", "part-00001.parquet")]; got != first {
		t.Error("the first part was written again")
	}
	add(t, in, "0.ndjson", "") // before the others, and without lines
	if _, result = convertTo(t, opts); result.Added != 1 || result.Inputs != 3 || result.Written != 2 {
		t.Errorf("an empty file: result %+v", result)
	}
	// The files that are converted need not be there any more.
	if err := os.Remove(filepath.Join(in, "1.ndjson")); err != nil {
		t.Fatal(err)
	}
	add(t, in, "3.ndjson", `{"ts":"2026-03-03","user":"u4","n":-1}`+"\n")
	convertTo(t, opts)
	const want = `2026-03-01 | u1 | 1.0 | true | <nil> | 1 | <nil> | <nil>
2026-03-01 | u2 | 2.5 | <nil> | 7 | <nil> | x | [1]
2026-03-03 | u4 | -1.0 | <nil> | <nil> | <nil> | <nil> | <nil>
`
	got := query(t, out, `SELECT ds, "user", n::VARCHAR, gone, later::VARCHAR, props.a, props.b, "new"::VARCHAR FROM %s ORDER BY "user"`)
	if diff := cmp.Diff(want, asText(got)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if _, again := convertTo(t, opts); !again.Unchanged {
		t.Error("what is done is done again")
	}
	if diff := cmp.Diff([]reject{{"2.ndjson", 2, "the JSON ends too early, after 39 bytes", `{"ts":"2026-03-02","user":"u3","n":null`}}, readRejects(t, filepath.Join(out, rejectsFile))); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
}

// TestFurtherFilesOfOtherTypes: what a run could not read together is refused, and
// the conversion stays as it was.
func TestFurtherFilesOfOtherTypes(t *testing.T) {
	const line = `{"ts":"2026-03-01","n":1,"props":{"a":{"b":true}}}`
	for further, want := range map[string]string{
		`{"ts":"2026-03-02","n":"1"}`:                              "n is VARCHAR in the further files, and BIGINT in those that were converted before",
		`{"ts":"2026-03-02","props":{"a":{"b":1}}}`:                "props.a.b is BIGINT in the further files, and BOOLEAN in those that were converted before",
		`{"ts":1772445600}`:                                        "ts is BIGINT in the further files, and VARCHAR in those that were converted before",
		`{"ts":"2026-03-02","ds":"x"}`:                             "the rows have a column ds already, and one more would be the days of the folders",
		`{"ts":"2026-03-02","N":2.5,"props":{"a":{"b":false}}}`:    "",
		`{"ts":"2026-03-02","n":9223372036854775808,"props":null}`: "",
	} {
		in := write(t, map[string]string{"1.ndjson": line})
		opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out"), Partition: "ds"}
		convertTo(t, opts)
		before := tree(t, opts.Out)
		add(t, in, "2.ndjson", further)
		_, err := Convert(t.Context(), opts)
		var m *MistakeError
		switch {
		case want == "":
			if err != nil {
				t.Errorf("%s: %v", further, err)
			}
		case !errors.As(err, &m) || m.msg != want:
			t.Errorf("%s: error %v, want %s", further, err, want)
		case !cmp.Equal(before, tree(t, opts.Out)):
			t.Errorf("%s: the conversion changed", further)
		}
	}
}

// TestFurtherFilesAfterKill: a file comes while the conversion of others is not
// done; these must still be there.
func TestFurtherFilesAfterKill(t *testing.T) {
	in := write(t, map[string]string{"a.ndjson": manyLines(testLines)})
	opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out"), chunkSize: testChunk, Threads: 1}
	killed(t, opts, 1)
	if _, said := tree(t, opts.Out)[allFile]; said {
		t.Error("what was killed is said to be complete")
	}
	add(t, in, "b.ndjson", `{"ts":"2026-03-09","i":"late"}`)
	opts.Partition = "ds"
	var m *MistakeError
	if _, err := Convert(t.Context(), opts); !errors.As(err, &m) || !strings.HasPrefix(m.msg, "i is VARCHAR in the further files") {
		t.Errorf("error %v", err)
	}
	add(t, in, "b.ndjson", `{"ts":"2026-03-09","i":-7,"new":true}`)
	alone := opts
	alone.Paths = []string{filepath.Join(in, "b.ndjson")}
	if _, err := Convert(t.Context(), alone); !errors.As(err, &m) || !strings.HasSuffix(m.msg, "is not converted yet, and is not named or gone") {
		t.Errorf("error %v", err)
	}
	_, result := convertTo(t, opts)
	// 41 lines are cut off and 21 have no time, see manyLines
	if result.Written != testLines-41-21+1 || result.Rejected != 41+21 {
		t.Errorf("wrote %d, rejected %d", result.Written, result.Rejected)
	}
	if got := asText(query(t, opts.Out, "SELECT count(*), min(i) FROM %s")); got != "39939 | -7\n" {
		t.Errorf("rows %s, want 39939 | -7", got)
	}
}

func TestFurtherCSV(t *testing.T) {
	in := write(t, map[string]string{"1.csv": "ts,user,note\n2026-03-01,u1,\n"})
	opts := Options{Paths: []string{in}, Out: filepath.Join(t.TempDir(), "out")}
	convertTo(t, opts)
	add(t, in, "2.csv", "note;ts;amount\n12;2026-03-02;1.5\n")
	out, _ := convertTo(t, opts)
	got := asText(query(t, out, `SELECT ds, note FROM %s ORDER BY ds`))
	if diff := cmp.Diff("2026-03-01 | <nil>\n2026-03-02 | 12\n", got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	add(t, in, "3.csv", "ts,note\n2026-03-03,late\n")
	opts.Paths = []string{write(t, map[string]string{"4.ndjson": `{"ts":"2026-03-01"}`})}
	opts.Partition = "ds"
	if _, err := Convert(t.Context(), opts); err == nil || !strings.HasSuffix(err.Error(), "4.ndjson is ndjson, and the folder holds a conversion of csv") {
		t.Errorf("error %v", err)
	}
}
