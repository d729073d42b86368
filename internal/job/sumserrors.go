package job

import (
	"fmt"
	"slices"
	"strings"
)

// SumsError is a mistake in a file of sums.
type SumsError struct {
	Place string
	Text  string
	hint  string
}

func (e *SumsError) Error() string { return e.Place + ": " + e.Text }

// Hint says how to mend it.
func (e *SumsError) Hint() string { return e.hint }

func (r sumsRow) errorf(hint, format string, args ...any) error {
	return &SumsError{Place: fmt.Sprintf("%s: row %d", r.file.path, r.line), Text: fmt.Sprintf(format, args...), hint: hint}
}

// SumsErrors are the mistakes in a file of sums: of each row, or each metric, the first.
type SumsErrors []error

// add adds a mistake, if it is one; the same of several rows once among those that are shown.
func (e *SumsErrors) add(mistake error) {
	if mistake == nil || len(*e) <= shownMistakes && slices.ContainsFunc(*e, func(said error) bool { return said.Error() == mistake.Error() }) {
		return
	}
	*e = append(*e, mistake)
}

// shownMistakes is how many mistakes in sums are shown: a file that was made wrong is wrong
// in all of its rows.
const shownMistakes = 20

// err is nil of no mistake, and of too many the first, and that there are more.
func (e SumsErrors) err() error {
	switch {
	case len(e) == 0:
		return nil
	case len(e) > shownMistakes:
		return append(e[:shownMistakes:shownMistakes], fmt.Errorf("%d more mistakes in the sums", len(e)-shownMistakes))
	}
	return e
}

func (e SumsErrors) Error() string {
	lines := make([]string, len(e))
	for i, mistake := range e {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap are the mistakes.
func (e SumsErrors) Unwrap() []error { return e }
