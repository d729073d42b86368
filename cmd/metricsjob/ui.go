package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/export"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/internal/metrictest"
	"github.com/metricsjob/metricsjob/metrics"
)

// This file is the voice of the program: nothing else prints. Its rules:
//
//   - Results go to standard output, all else to standard error.
//   - A message is one line: "metricsjob: ", then what happened, in lower case
//     and without a full stop. What to do about it stands below, on a line of
//     its own that begins with "hint: ".
//   - A message about the user's files begins with the place instead, as
//     file:line:column, so that editors can jump there; below it the hint, the
//     line, and a caret.
//   - With --log json each message is one JSON object on one line.
//   - --quiet leaves warnings and errors. Nothing silences an error.
//   - Messages have no colours and no exclamation marks; they have numbers and
//     names rather than adjectives.
//   - With --format json the summary of a run is the very last line of all, also
//     where both outputs are merged.
type ui struct {
	out, err io.Writer

	log      logFormat
	quiet    bool
	progress progressMode

	// line is the line of progress that stands on the terminal, if any.
	line *progressLine
	// last is printed after everything else, on standard output.
	last []byte
}

// logFormat is how messages look.
type logFormat string

const (
	logText logFormat = "text"
	logJSON logFormat = "json"
)

func newUI(out, err io.Writer) *ui {
	return &ui{out: out, err: err, log: logText, progress: progressAuto}
}

// resultf prints a result.
func (u *ui) resultf(format string, args ...any) {
	fmt.Fprintf(u.out, format, args...)
}

// tables prints the tables of a run in the format.
func (u *ui) tables(format export.Format, t *metrics.Tables, written []export.Written) error {
	o := u.layout()
	o.Written = written
	return export.WriteStdout(u.out, format, t, o)
}

// outcome prints what became of a test: one that passed only on demand.
func (u *ui) outcome(o metrictest.Outcome, passed bool) {
	u.line.clear()
	place := fmt.Sprintf("%s:%d", o.File, o.Test.Name.Pos.Line)
	u.diagnostics(o.Warnings)
	switch {
	case !o.Passed():
		u.resultf("FAIL %s: %s\n", place, o.Test.Name.V)
		for line := range strings.Lines(o.Explain()) {
			u.resultf("  %s", line)
		}
		u.resultf("\n")
	case passed:
		u.resultf("ok   %s: %s\n", place, o.Test.Name.V)
	}
}

// rows prints one table of what was computed, or with text and Markdown a report.
func (u *ui) rows(format export.Format, table string, t *metrics.Tables) error {
	o := u.layout()
	o.RowsOnly, o.Table = true, table
	return export.WriteStdout(u.out, format, t, o)
}

// layout is how what people read is laid out on standard output.
func (u *ui) layout() export.StdoutOptions {
	width, isTerminal := terminal(u.out)
	return export.StdoutOptions{
		Width: width,
		Color: isTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// infof says what was done.
func (u *ui) infof(format string, args ...any) {
	if !u.quiet {
		u.say(slog.LevelInfo, fmt.Sprintf(format, args...), "")
	}
}

// failure reports an error; nil is none.
func (u *ui) failure(err error) {
	var list diag.List
	var sums job.SumsErrors
	switch {
	case err == nil:
	case errors.As(err, &list):
		u.diagnostics(list)
	case errors.As(err, &sums):
		for _, mistake := range sums {
			u.failure(mistake)
		}
	default:
		var hinted interface{ Hint() string }
		hint := ""
		if errors.As(err, &hinted) {
			hint = hinted.Hint()
		}
		u.say(slog.LevelError, err.Error(), hint)
	}
}

// finish reports the error that ended the program, if it was not reported
// where it arose, and prints what closes the output.
func (u *ui) finish(err error) {
	u.line.end()
	if unhealthy := (*unhealthyError)(nil); !errors.As(err, &unhealthy) {
		u.failure(err)
	}
	if u.last != nil {
		u.resultf("%s", u.last)
	}
}

// closeFailed makes the last line of a run that failed for a scheduler that
// wants one; a run that is done has it in its results.
func (u *ui) closeFailed(err error) {
	if code := exitCode(err); code != exitDone && code != exitUnhealthy {
		line, _ := json.Marshal(map[string]any{"outcome": "failed", "exit_code": code, "error": err.Error()})
		u.last = append(line, '\n')
	}
}

// diagnostics prints what there is to say about the user's files. What has no
// place in them is about the command line.
func (u *ui) diagnostics(list diag.List) {
	u.line.clear()
	var placed diag.List
	for _, d := range list.Sorted() {
		if u.log == logText && d.Pos.File != "" {
			placed = append(placed, d)
			continue
		}
		level := slog.LevelError
		if d.Severity == diag.Warning {
			level = slog.LevelWarn
		}
		u.say(level, d.Message, d.Hint, "code", d.Code, "file", d.Pos.File, "line", d.Pos.Line, "column", d.Pos.Col)
	}
	// A message that cannot be delivered has nowhere to go.
	_ = diag.Render(u.err, placed, os.ReadFile)
}

// say prints one message.
func (u *ui) say(level slog.Level, msg, hint string, attrs ...any) {
	u.line.clear()
	if u.log == logJSON {
		if hint != "" {
			attrs = append(attrs, "hint", hint)
		}
		slog.New(slog.NewJSONHandler(u.err, nil)).Log(context.Background(), level, msg, attrs...)
		return
	}
	fmt.Fprintf(u.err, "metricsjob: %s\n", msg)
	if hint != "" {
		fmt.Fprintf(u.err, "hint: %s\n", hint)
	}
}

// terminal gives the width of the terminal that w is, if it is one. Some do not
// know how wide they are.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return width, true
}
