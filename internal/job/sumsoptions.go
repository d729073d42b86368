package job

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// sumsOptions are the options that sums are analysed by: those of a file, or else those
// that the rows of a run say.
type sumsOptions struct {
	preset sumsAnalysis
	// given reports that there is a file, which takes the place of what rows say.
	given       bool
	information []float64
	read        map[string]sumsAnalysis
}

// sumsAnalysis are options with what is known of the looks so far.
type sumsAnalysis struct {
	metrics.Analysis
	opt stats.Options
	// own reports that they are what the run that wrote the sums went by.
	own bool
}

// newSumsOptions reads the options of a file, with its text and what is to be warned of; an
// empty path is none.
func newSumsOptions(path string, information []float64) (*sumsOptions, string, diag.List, error) {
	o := &sumsOptions{given: path != "", information: information, read: map[string]sumsAnalysis{}}
	a, text, list, err := readAnalysis(path)
	if err != nil {
		return nil, "", nil, err
	}
	if a.Bootstrap.Set {
		list.Errorf(a.Bootstrap.Pos, "conflict", "a bootstrap draws units, and sums have none").
			WithHint("leave bootstrap out; metricsjob run resamples")
		return nil, "", nil, list.Err()
	}
	if a.SeveralVariations.Set {
		list.Warnf(a.SeveralVariations.Pos, "no-effect", "several_variations changes nothing here: sums do not tell which units saw several").
			WithHint("leave it out; where there were too many, name several_variations in the column failed_checks")
	}
	o.preset, err = o.withLooks(a)
	return o, text, list, err
}

// looked refuses shares of information where nothing plans looks.
func (o *sumsOptions) looked(groups []*sumsGroup) error {
	planned := slices.ContainsFunc(groups, func(g *sumsGroup) bool { return g.by.opt.Look != nil })
	if len(o.information) > 0 && !planned {
		return &SumsError{Place: "information", Text: "shares of information are for looks, and the analysis plans none", hint: "write peeking: {method: group, looks: 4} in the analysis"}
	}
	return nil
}

// withLooks are the options of an analysis, at the look that the information says.
func (o *sumsOptions) withLooks(a metrics.Analysis) (sumsAnalysis, error) {
	out := sumsAnalysis{Analysis: a, opt: stats.OptionsOf(a)}
	design, ok := stats.GroupDesignOf(a)
	if ok && len(o.information) == 0 {
		out.opt.Untested = "peeking: group tests at its looks alone, and --information does not say that this is one"
	}
	if !ok || len(o.information) == 0 {
		return out, nil
	}
	if looks := a.Peeking.V.Looks; len(o.information) > looks {
		return out, &SumsError{Place: "information", Text: fmt.Sprintf("%d shares, and %d looks are planned", len(o.information), looks), hint: "give the share at each look so far"}
	}
	for i, share := range o.information {
		if i > 0 && share <= o.information[i-1] {
			return out, &SumsError{Place: "information", Text: fmt.Sprintf("the share %v is not above the one before, %v", share, o.information[i-1]),
				hint: "each look has more units than the one before; leave out looks that added none"}
		}
	}
	look, err := stats.NewGroupLook(design, o.information)
	if err != nil {
		return out, &SumsError{Place: "information", Text: err.Error(), hint: "give the share at each look so far, such as 0.25,0.5"}
	}
	out.opt.Look, out.opt.Untested = look, ""
	return out, nil
}

// of are the options in a column of a row.
func (o *sumsOptions) of(r sumsRow, column string) (sumsAnalysis, error) {
	text := r.text(column)
	if o.given || text == "" {
		return o.preset, nil
	}
	if a, known := o.read[text]; known {
		return a, nil
	}
	decoded, list := metrics.DecodeAnalysis(column, []byte(text))
	if err := list.Err(); err != nil {
		return sumsAnalysis{}, r.errorf("options stand there as in an analysis file, on one line, such as {alpha: 0.01}", "column %s: %v", column, list[0].Message)
	}
	a, err := o.withLooks(decoded)
	a.own = true
	o.read[text] = a
	return a, err
}

// ofMetric are the options of a metric. A run adjusts by covariates where it has sums of
// them, and so do its rows.
func (o *sumsOptions) ofMetric(r sumsRow) (sumsAnalysis, error) {
	a, err := o.of(r, "analysis")
	if err != nil || !a.own {
		return a, err
	}
	a.opt.CUPED = a.opt.CUPED && r.text(stats.P.Column()) != ""
	if r.text("looks") == "" || len(o.information) > 0 {
		return a, nil
	}
	var looks metrics.MomentLooks
	err = json.Unmarshal([]byte(r.text("looks")), &looks)
	if err == nil {
		err = lookAt(looks, a.Analysis, &a.opt)
	}
	if err != nil {
		return a, r.errorf("leave the column as the run wrote it, or give --information", "column looks: %v", err)
	}
	return a, nil
}

// list is a cell that is a JSON list of texts.
func (r sumsRow) list(column string) ([]string, error) {
	if r.text(column) == "" {
		return nil, nil
	}
	var out []string
	if err := json.Unmarshal([]byte(r.text(column)), &out); err != nil {
		return nil, r.errorf(`write a JSON list, such as ["control"]`, "column %s: %q is no list of texts", column, r.text(column))
	}
	return out, nil
}

// instantLayouts are the ways in which a run, and an engine that reads its tables, write
// an instant.
var instantLayouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999"}

// instant is a cell that is a point in time; ok is false where it is none.
func (r sumsRow) instant(column string) (at time.Time, ok bool) {
	for _, layout := range instantLayouts {
		if at, err := time.Parse(layout, r.text(column)); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// asOf is that of sums that a run wrote; others have the zero of Unix time.
func (r sumsRow) asOf() time.Time {
	if at, ok := r.instant("as_of"); ok {
		return at
	}
	return time.Unix(0, 0).UTC()
}
