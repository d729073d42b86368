package main

import (
	"context"
	"embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
)

//go:embed *.sql
var sqlFiles embed.FS

// script is a file of SQL, cut at its lines "-- statement: NAME".
type script struct {
	file       string
	statements []statement
}

type statement struct{ name, text string }

// values are what takes the place of the words in braces.
type values map[string]any

var word = regexp.MustCompile(`\{[a-z_]+\}`)

// readScript gives one of the SQL files beside this program.
func readScript(file string) (script, error) {
	text, err := sqlFiles.ReadFile(file)
	if err != nil {
		return script{}, fmt.Errorf("read SQL: %w", err)
	}
	sections := strings.Split(string(text), "-- statement: ")
	s := script{file: file}
	for _, section := range sections[1:] {
		name, body, _ := strings.Cut(section, "\n")
		s.statements = append(s.statements, statement{name, strings.TrimSpace(body)})
	}
	return s, nil
}

// exec runs one statement of the script.
func (s script) exec(ctx context.Context, engine *loaders.Engine, name string, with values) error {
	for _, st := range s.statements {
		if st.name != name {
			continue
		}
		text, err := st.fill(with)
		if err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
		if err := engine.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %s: %w", s.file, name, err)
		}
		return nil
	}
	return fmt.Errorf("%s has no statement %q", s.file, name)
}

// execAll runs the whole script in order.
func (s script) execAll(ctx context.Context, engine *loaders.Engine, with values) error {
	for _, st := range s.statements {
		if err := s.exec(ctx, engine, st.name, with); err != nil {
			return err
		}
	}
	return nil
}

// fill puts values in place of the words in braces; a word without a value is
// a mistake in the file.
func (st statement) fill(with values) (string, error) {
	var missing []string
	text := word.ReplaceAllStringFunc(st.text, func(w string) string {
		v, ok := with[strings.Trim(w, "{}")]
		if !ok {
			missing = append(missing, w)
			return w
		}
		return fmt.Sprint(v)
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("statement %q: no value for %s", st.name, strings.Join(missing, ", "))
	}
	return text, nil
}
