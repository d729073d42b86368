package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// StdoutOptions say how [WriteStdout] lays out what people read, and what was
// written elsewhere.
type StdoutOptions struct {
	// Width is the number of columns of the terminal; 0 is 100.
	Width int
	// Color is set where the text goes to a terminal that shows colours.
	Color bool
	// SegmentValues is how many values of each attribute the report lists, those
	// with most exposed units; 0 is 5, and a negative number omits segments.
	SegmentValues int
	// Written are the files that the run wrote, for the summary of JSON.
	Written []Written
	// RowsOnly leaves the summary of JSON out.
	RowsOnly bool
	// Table is the table that CSV, Arrow and JSON are of; "" is results.
	Table string
}

// WriteStdout writes what the run found in one of the [StdoutFormats]: Text
// and Markdown a report, CSV and Arrow the table results, JSON the rows of
// results as one object a line and at last one object that sums up the run.
func WriteStdout(w io.Writer, f Format, t *metrics.Tables, o StdoutOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	if o.SegmentValues == 0 {
		o.SegmentValues = 5
	}
	var err error
	switch f {
	case Text:
		err = writeText(w, newReport(t, o.SegmentValues), o.Width, o.Color)
	case Markdown:
		err = writeMarkdown(w, newReport(t, o.SegmentValues))
	case CSV:
		err = writeCSV(w, named(t, o.Table))
	case Arrow:
		err = writeArrow(w, named(t, o.Table))
	case JSON:
		if err = writeJSONL(w, named(t, o.Table)); err == nil && !o.RowsOnly {
			err = writeSummary(w, t, o.Written)
		}
	default:
		panic(fmt.Sprintf("export: %q is no format of standard output", f))
	}
	if err != nil {
		return fmt.Errorf("write results as %s: %w", f, err)
	}
	return nil
}

// named is the table with the name; "" is results.
func named(t *metrics.Tables, name string) metrics.Table {
	table, ok := t.Table(cmp.Or(name, "results"))
	if !ok {
		panic("export: no table " + name)
	}
	return table
}

// summary is the last line of JSON, which schedulers take as the task's value.
type summary struct {
	Outcome       string           `json:"outcome"`
	RunID         string           `json:"run_id"`
	AsOf          string           `json:"as_of"`
	SchemaVersion string           `json:"schema_version"`
	Experiments   []string         `json:"experiments"`
	Paths         []string         `json:"paths"`
	Counts        map[string]int   `json:"counts"`
	Verdicts      []summaryVerdict `json:"verdicts"`
	// Failed are the checks that failed, and Errors what was not computed.
	Failed []summaryFinding `json:"failed_checks"`
	Errors []summaryFinding `json:"errors"`
}

type summaryVerdict struct {
	Experiment string          `json:"experiment"`
	Variation  string          `json:"variation"`
	Verdict    metrics.Verdict `json:"verdict"`
}

type summaryFinding struct {
	Experiment string  `json:"experiment"`
	Metric     *string `json:"metric,omitempty"`
	Code       string  `json:"code"`
	Message    string  `json:"message"`
}

func writeSummary(w io.Writer, t *metrics.Tables, written []Written) error {
	s := summary{Experiments: []string{}, Paths: []string{}, Counts: make(map[string]int), Verdicts: []summaryVerdict{}, Failed: []summaryFinding{}, Errors: []summaryFinding{}}
	for _, r := range t.Runs {
		s.Outcome, s.RunID, s.SchemaVersion = r.Outcome, r.RunID, r.SchemaVersion
		s.AsOf = r.AsOf.UTC().Format(time.RFC3339Nano)
	}
	for _, e := range t.Experiments {
		s.Experiments = append(s.Experiments, e.Key)
	}
	for _, f := range written {
		s.Paths = append(s.Paths, f.Path)
	}
	for _, table := range t.All() {
		s.Counts[table.Name] = len(table.Rows)
	}
	for _, v := range t.Verdicts {
		s.Verdicts = append(s.Verdicts, summaryVerdict{v.Experiment, v.Variation, v.Verdict})
	}
	for _, h := range t.Health {
		if h.Status == metrics.Fail {
			s.Failed = append(s.Failed, summaryFinding{Experiment: h.Experiment, Code: h.Check, Message: h.Detail})
		}
	}
	for _, e := range t.Errors {
		s.Errors = append(s.Errors, summaryFinding{e.Experiment, e.Metric, e.Code, e.Message})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(s)
}
