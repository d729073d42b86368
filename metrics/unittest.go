package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// TestFile is a file of an analyst's tests of metrics: rows, and the numbers
// that the metrics must make of them.
type TestFile struct {
	Path string
	// Definitions are the files and folders whose metrics are tested, as written;
	// relative ones start at the folder of the file. Empty: see DefinitionPaths.
	Definitions []Text
	Tests       []*Test
	// Wrong is what is wrong with the file; where it has errors, it is not to be run.
	Wrong diag.List
}

// Test is one test: a few rows, and what is expected of them.
type Test struct {
	Name        Text
	Description Text
	// Experiment is the experiment that the impressions are of. Not Set: one
	// that the test makes of its impressions.
	Experiment  Text
	AsOf        At[time.Time]
	Impressions []*TestRow
	Events      []*TestRow
	Units       []*TestRow
	Expect      []*Expectation
	Pos         diag.Pos
}

// TestRow is one impression or event, or one row about a unit.
type TestRow struct {
	Source     Text        // the name of the source; not Set: the only one
	When       TestInstant // of a unit's row it may be missing
	Experiment Text        // impressions; not Set: that of the test
	Variation  Text        // impressions
	Event      Text        // events
	Value      At[Number]
	ID         Text
	Holdback   At[bool]
	Weight     At[Number]
	Properties []TestValue
	Attributes []TestValue
	// Named are the values whose names are no words of rows: ids of units by
	// their kind, and declared properties.
	Named []TestValue
	Pos   diag.Pos
}

// TestValue is a named value of a row.
type TestValue struct {
	Name  Text
	Value Text
}

// TestInstant is an instant, or a time after one that the row's place decides.
type TestInstant struct {
	Time   time.Time
	Offset Duration
	// Relative: Offset counts, from the start of the experiment for impressions
	// and rows about units, and from the first impression of the unit for events.
	Relative bool
	Pos      diag.Pos
}

// Set reports whether an instant was given.
func (i TestInstant) Set() bool { return i.Pos.IsValid() }

// Expectation is what is expected of one metric.
type Expectation struct {
	Metric Text
	// Units are all units that the metric counts; empty: they are not compared.
	Units      []UnitExpectation
	Variations []VariationExpectation
	// Segments and Splits are numbers of variations in parts of the results.
	Segments []SegmentExpectation
	Splits   []PartExpectation
	Pos      diag.Pos
}

// SegmentExpectation is what is expected of the values of a segment.
type SegmentExpectation struct {
	Segment Text
	Values  []PartExpectation
}

// PartExpectation is what is expected of the units with a value of a segment, or of
// the rows with a value of the property that the metric is split by.
type PartExpectation struct {
	Value      Text
	Variations []VariationExpectation
}

// UnitExpectation is the number that a unit must have.
type UnitExpectation struct {
	Unit Text
	UnitNumbers
}

// UnitNumbers are the numbers of one unit: one, those of the sides of a ratio,
// or those of the steps of a funnel.
type UnitNumbers struct {
	// Excluded: the unit must not count for the metric.
	Excluded    bool
	Number      At[Number]
	Numerator   At[Number]
	Denominator At[Number]
	Steps       []At[Number]
	Pos         diag.Pos
}

// VariationExpectation is what a variation must have, by the names of the
// columns of the table results. What is not Set is not compared.
type VariationExpectation struct {
	Variation Text
	VariationNumbers
}

// VariationNumbers are numbers of one variation.
type VariationNumbers struct {
	Exposed, Units, UnitsWithEvent, Events At[Number]
	Total, Mean, Numerator, Denominator    At[Number]
	Steps                                  []At[Number] // the totals of the steps of a funnel
	Pos                                    diag.Pos
}

// IsTestFile reports whether the name is one of a file of tests.
func IsTestFile(name string) bool {
	return isYAML(name) && strings.HasSuffix(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), "_test")
}

// LoadTests reads files of tests. Each path is a file, or a folder of which
// every *_test.yaml and *_test.yml below is read, in order of their names,
// except in folders whose name starts with a dot. What is wrong with a file it
// says itself; the error is about files that could not be read.
func LoadTests(paths []string) ([]*TestFile, error) {
	texts, _, err := readEach(paths, "tests", IsTestFile)
	if err != nil {
		return nil, err
	}
	var files []*TestFile
	for _, f := range texts {
		file, wrong := DecodeTests(f.Path, f.Text)
		file.Wrong = wrong
		files = append(files, file)
	}
	return files, nil
}

// DecodeTests reads a file of tests that is in memory.
func DecodeTests(path string, text []byte) (*TestFile, diag.List) {
	var diags diag.List
	file := &TestFile{Path: path}
	d := newDecoder(SourceFile{Path: path, Text: text}, LoadOptions{}, &diags)
	root := d.parse(string(text))
	if root == nil {
		return file, diags.Sorted()
	}
	var draft testFileDraft
	testFileObject.read(d, root, &draft)
	file.Definitions, file.Tests = draft.definitions, draft.tests
	names := map[string]diag.Pos{}
	for _, t := range file.Tests {
		if first, ok := names[t.Name.V]; ok {
			diags.Errorf(t.Name.Pos, "duplicate-key", "a second test is called %s, first in line %d", quoted(t.Name.V), first.Line).
				WithHint("give each test a name of its own, by which --run can choose it")
			continue
		}
		names[t.Name.V] = t.Name.Pos
	}
	return file, diags.Sorted()
}

// DefinitionPaths are the files and folders whose metrics are tested: those
// that the file names; else the file of the same name without _test beside it,
// where there is one; else its folder.
func (f *TestFile) DefinitionPaths() []string {
	dir := filepath.Dir(f.Path)
	var paths []string
	for _, d := range f.Definitions {
		if filepath.IsAbs(d.V) {
			paths = append(paths, d.V)
			continue
		}
		paths = append(paths, filepath.Join(dir, d.V))
	}
	if len(paths) > 0 {
		return paths
	}
	ext := filepath.Ext(f.Path)
	beside := strings.TrimSuffix(strings.TrimSuffix(f.Path, ext), "_test") + ext
	if info, err := os.Stat(beside); err == nil && !info.IsDir() {
		return []string{beside}
	}
	return []string{dir}
}
