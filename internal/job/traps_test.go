package job_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTraps is a register of what goes wrong with exports, and of the tests that
// hold how it is read. Cases are those of testdata/cases and testdata/checks, and
// tests those of package loaders; here it is wanted that they are there.
func TestTraps(t *testing.T) {
	var tests strings.Builder
	files, err := filepath.Glob("../../loaders/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	for trap, held := range map[string][]string{
		"ids of eleven digits":                                  {"cases/long_ids", "TestIDForms", "TestMembers", "TestCSV"},
		"ids with blanks, leading zeros or in another case":     {"checks/ids_in_other_forms", "cases/unit_ids"},
		"ids that are whole numbers, floating numbers or dates": {"cases/unit_ids", "TestIDForms", "TestFloatingIDsMustBeWhole"},
		"times as numbers, texts and of four types":             {"cases/timestamp_forms", "cases/times_in_text", "TestTimestampForms"},
		"times of Parquet as INT64 and INT96":                   {"TestTimestampForms", "TestTimesOfOlderParquet", "TestSurveyOfOptimizely"},
		"times of several zones":                                {"cases/times_in_text", "cases/timestamp_forms", "TestTimesOfSeveralTypes"},
		"times in the future":                                   {"cases/as_of_default", "TestAsOf"},
		"NaN, the infinities and 1e308":                         {"cases/extreme_numbers", "cases/overflow", "cases/duplicates_not_finite"},
		"empty text, null and what is not there":                {"cases/null_and_missing", "cases/missing_values", "cases/property_forms"},
		"malformed JSON and lines that are cut off":             {"cases/property_forms", "cases/ndjson", "cases/csv", "TestLinesThatAreNoRows"},
		"impressions that were sent twice":                      {"cases/duplicate_impressions", "cases/dedupe_row"},
		"fallback values in place of variations":                {"cases/ignored_and_unknown_variations", "cases/preset_flagsync"},
		"one event id for several kinds of units":               {"cases/preset_launchdarkly_warehouse"},
		"other environments":                                    {"cases/source_where", "cases/preset_launchdarkly_warehouse"},
		"test accounts":                                         {"cases/exclude_units", "cases/csv"},
		"files of one source that differ":                       {"TestFilesThatDiffer", "TestLinesThatDiffer", "TestCSV", "TestFilesThatContradict", "TestStructsThatGrow"},
	} {
		for _, name := range held {
			if strings.HasPrefix(name, "Test") {
				if !strings.Contains(tests.String(), "\nfunc "+name+"(t *testing.T) {\n") {
					t.Errorf("%s: there is no test %s", trap, name)
				}
				continue
			}
			if _, err := os.Stat(filepath.Join("testdata", name+".txtar")); err != nil {
				t.Errorf("%s: there is no case %s: %v", trap, name, err)
			}
		}
	}
}
