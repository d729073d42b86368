package metrictest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// Explain says what is wrong with a test that did not pass: a line for each
// number that is not as expected, or why there are none.
func (o Outcome) Explain() string {
	if o.Err != nil {
		return o.Err.Error() + "\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "line\tmetric\twhat\texpected\tgot")
	for _, d := range o.Differences {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", d.Pos.Line, d.Metric, d.What, d.Want, d.Got)
	}
	_ = w.Flush() // a Builder takes everything
	return b.String()
}

// The elements of JUnit's XML that programs for continuous integration read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`

		seconds float64
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`

		seconds float64
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitProblem `xml:"failure,omitempty"`
		Error   *junitProblem `xml:"error,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes outcomes as JUnit XML, a suite for each file. A file that is wrong
// has one case, which is an error.
func WriteJUnit(w io.Writer, outcomes []Outcome) error {
	var all junitSuites
	for _, o := range outcomes {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != o.File {
			all.Suites = append(all.Suites, junitSuite{Name: o.File})
		}
		s := &all.Suites[len(all.Suites)-1]
		c := junitCase{Name: o.File, Class: o.File, File: o.File, Line: o.line(), Time: seconds(o.Seconds)}
		if o.Test != nil {
			c.Name = valid(o.Test.Name.V)
		}
		switch {
		case o.Test == nil:
			c.Error = &junitProblem{Message: "the file is wrong, and none of its tests was run", Text: valid(o.Explain())}
			s.Errors++
			all.Errors++
		case o.Err != nil:
			c.Error = &junitProblem{Message: "the numbers could not be computed", Text: valid(o.Explain())}
			s.Errors++
			all.Errors++
		case !o.Passed():
			c.Failure = &junitProblem{Message: Differ(len(o.Differences)), Text: valid(o.Explain())}
			s.Failures++
			all.Failures++
		}
		s.Cases = append(s.Cases, c)
		s.Tests++
		all.Tests++
		s.seconds += o.Seconds
		all.seconds += o.Seconds
		s.Time = seconds(s.seconds)
	}
	all.Time = seconds(all.seconds)
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, text); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	return nil
}

// line is where the outcome stands in its file: at the test, else at the first mistake
// that is in the file and not in its definitions.
func (o Outcome) line() int {
	if o.Test != nil {
		return o.Test.Pos.Line
	}
	var list diag.List
	if errors.As(o.Err, &list) {
		for _, d := range list {
			if d.Pos.File == o.File && d.Pos.IsValid() {
				return d.Pos.Line
			}
		}
	}
	return 1
}

// Differ says how many numbers differ.
func Differ(n int) string {
	if n == 1 {
		return "1 number differs"
	}
	return fmt.Sprintf("%d numbers differ", n)
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// valid is text that XML may hold.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
