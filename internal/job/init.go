package job

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/internal/starter"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// InitOptions are what a command line decides about a starter file.
type InitOptions struct {
	// Folder is where the export lies, a folder or a URL in an object store, and
	// File where the starter file will be.
	Folder, File string
	// Extensions is the folder with the engine's extension that reads object
	// stores; empty: where the engine itself puts it.
	Extensions string
	// Progress, where given, is told what is being done.
	Progress func(Progress)
}

// Starter is a definitions file for somebody who has none yet.
type Starter struct {
	Text string
	// Facts are what was found, in sentences.
	Facts []string
}

// Init looks at an export and writes the definitions that can be seen from it.
// It writes nothing to disk. An export from which no definitions can be
// written is a diag.List as error.
func Init(ctx context.Context, opts InitOptions) (_ *Starter, err error) {
	o := loaders.Options{AllowedPaths: []string{opts.Folder}, Extensions: opts.Extensions}
	if objectstore.IsURL(opts.Folder) {
		if o.Store, err = objectstore.Open(ctx); err != nil {
			return nil, err
		}
	}
	engine, err := loaders.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	survey, err := loaders.Survey(ctx, engine, opts.Folder, func(step string) {
		if opts.Progress != nil {
			opts.Progress(Progress{Step: step, Percent: -1})
		}
	})
	if err != nil {
		return nil, err
	}
	for _, s := range survey.Sources {
		for i := range s.Def.Paths {
			if s.Def.Paths[i].V, err = fromFolderOf(opts.File, s.Def.Paths[i].V); err != nil {
				return nil, fmt.Errorf("name the files as seen from %s: %w", opts.File, err)
			}
		}
	}
	return &Starter{Text: starter.Text(survey, opts.Folder, opts.File), Facts: surveyFacts(survey)}, nil
}

// fromFolderOf gives a path of the working folder as seen from the folder of a
// file. One from the root stays as it is, and so does a URL.
func fromFolderOf(file, path string) (string, error) {
	if filepath.IsAbs(path) || objectstore.IsURL(path) {
		return path, nil
	}
	if filepath.IsAbs(file) {
		return filepath.Abs(path)
	}
	from, err := filepath.Abs(filepath.Dir(file)) // which tells what .. is
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(filepath.FromSlash(path))
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, to)
	return filepath.ToSlash(rel), err
}

// toldEvents is how many event keys the facts tell, of the most frequent.
const toldEvents = 20

// surveyFacts says what was found.
func surveyFacts(s *metrics.Survey) []string {
	var facts []string
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	for _, src := range s.Sources {
		how := "columns guessed by their names"
		if src.Def.Preset.Set {
			how = "preset " + src.Def.Preset.V
		}
		add("%s %s: %s, %s, %s", src.Def.Role, src.Def.Name.V, amount(int64(src.Files), "file"), amount(src.Rows, "row"), how)
		for _, e := range src.Environments {
			add("%s %s: rows of %d values of %s", src.Def.Role, src.Def.Name.V, len(e.Values), e.Column)
		}
	}
	for i, e := range s.Events {
		if i == toldEvents {
			add("%d further event keys", len(s.Events)-i)
			break
		}
		add("event %s: %s, %s", e.Key, amount(e.Rows, "row"), properties(len(e.Properties)))
	}
	for _, x := range s.Experiments {
		name := x.Experiment
		if name == "" {
			name = x.Flag
		}
		add("experiment %s: %s (%s) in %s since %s", name, amount(x.Units, "unit"), x.Unit, amount(int64(len(x.Variations)), "variation"), x.First.Format("2006-01-02"))
	}
	for _, u := range s.Others {
		add("not recognised: %s", u.Paths[0])
	}
	if n := len(s.NotRead); n > 0 {
		add("not looked at, beside Parquet files: %s, such as %s", amount(int64(n), "file"), s.NotRead[0])
	}
	return facts
}

func properties(n int) string {
	switch n {
	case 0:
		return "no properties"
	case 1:
		return "1 property"
	}
	return fmt.Sprintf("%d properties", n)
}
