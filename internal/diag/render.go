package diag

import (
	"fmt"
	"io"
	"strings"
)

// Render writes the diagnostics in order of place: one line
// file:line:column: message, the hint on a line of its own, and, where source
// gives the file's text, the line itself with a caret under the place.
// source may be nil.
func Render(w io.Writer, l List, source func(file string) ([]byte, error)) error {
	for _, d := range l.Sorted() {
		if _, err := fmt.Fprintln(w, d.Error()); err != nil {
			return err
		}
		if d.Hint != "" {
			if _, err := fmt.Fprintf(w, "    hint: %s\n", d.Hint); err != nil {
				return err
			}
		}
		line, ok := sourceLine(d.Pos, source)
		if !ok {
			continue
		}
		if _, err := fmt.Fprintf(w, "    | %s\n    | %s^\n", line, pad(line, d.Pos.Col)); err != nil {
			return err
		}
	}
	return nil
}

func sourceLine(p Pos, source func(string) ([]byte, error)) (string, bool) {
	if source == nil || !p.IsValid() {
		return "", false
	}
	text, err := source(p.File)
	if err != nil {
		return "", false
	}
	lines := strings.Split(string(text), "\n")
	if p.Line > len(lines) {
		return "", false
	}
	line := strings.TrimRight(lines[p.Line-1], "\r")
	return line, strings.TrimSpace(line) != ""
}

// pad is the blank text that stands before column col, tabs kept.
func pad(line string, col int) string {
	var b strings.Builder
	i := 1
	for _, r := range line {
		if i >= col {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
		} else {
			b.WriteByte(' ')
		}
		i++
	}
	return b.String()
}
