package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// diffFormat is how differences look.
type diffFormat string

const (
	diffText diffFormat = "text"
	diffJSON diffFormat = "json"
)

func (p *program) diffCommand() *cobra.Command {
	var (
		format   diffFormat
		exitCode bool
	)
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what a change of definitions changes in meaning",
		Long: `Compares definitions, two files or two folders, and says which metrics and
experiments were added, were removed, mean something else, with the fields and
values, or are only written in another way. What means the same has the same
metric_version in the results. Sources are not compared, and no data is read.`,
		Example: `  metricsjob diff metrics.old.yaml metrics.yaml
  git show main:metrics.yaml | metricsjob diff --exit-code /dev/stdin metrics.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("%s takes two files or folders, not %d", cmd.CommandPath(), len(args)).withHint("metricsjob diff OLD NEW")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := difference(args[0], args[1])
			if err != nil {
				return err
			}
			if err := p.printDifference(format, d); err != nil {
				return err
			}
			if exitCode && d.Meaning() {
				return &unhealthyError{"the definitions mean something else"}
			}
			return nil
		},
	}
	cmd.Flags().Var(newChoice(&format, diffText, diffText, diffJSON), "format", "print the differences as")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 3 if anything was added, was removed or means something else")
	return cmd
}

// difference reads and compares definitions. Variables of the environment need
// not be set: they stand in what is not compared.
func difference(before, after string) (*metrics.Difference, error) {
	opts := metrics.LoadOptions{Env: func(name string) (string, bool) { return "${" + name + "}", true }}
	var sides []*metrics.Definitions
	var found diag.List
	for _, path := range []string{before, after} {
		if _, err := definitionPaths([]string{path}); err != nil {
			return nil, err
		}
		defs, list, err := metrics.Load([]string{path}, opts)
		if err != nil {
			return nil, err
		}
		sides = append(sides, defs)
		found = append(found, list...)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	return metrics.Diff(sides[0], sides[1]), nil
}

func (p *program) printDifference(format diffFormat, d *metrics.Difference) error {
	if format == diffJSON {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(struct {
			Metrics     any `json:"metrics"`
			Experiments any `json:"experiments"`
		}{changesJSON(d.Metrics), changesJSON(d.Experiments)}); err != nil {
			return fmt.Errorf("write differences: %w", err)
		}
		p.ui.resultf("%s", b.String())
		return nil
	}
	p.ui.resultf("%s%s", changesText("metrics", d.Metrics), changesText("experiments", d.Experiments))
	return nil
}

// changesText is for people: + added, - removed, ~ means something else, and .
// written in another way.
func changesText(kind string, c metrics.Changes) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d added, %d removed, %d changed in meaning, %d only in text, %d unchanged\n",
		kind, len(c.Added), len(c.Removed), len(c.Meaning), len(c.Text), c.Unchanged)
	for _, e := range c.Added {
		fmt.Fprintf(&b, "  + %s  %s", e.Key, e.Pos)
		if e.SameAs != "" {
			fmt.Fprintf(&b, "  (means the same as %s, which was removed)", e.SameAs)
		}
		b.WriteByte('\n')
	}
	for _, e := range c.Removed {
		fmt.Fprintf(&b, "  - %s  %s\n", e.Key, e.Pos)
	}
	for _, m := range c.Meaning {
		fmt.Fprintf(&b, "  ~ %s  %s\n", m.Key, m.Pos)
		for _, f := range m.Fields {
			if f.Old == "" && f.New == "" {
				fmt.Fprintf(&b, "      %s\n", f.Field)
				continue
			}
			fmt.Fprintf(&b, "      %s: %s → %s\n", f.Field, orNone(f.Old), orNone(f.New))
		}
	}
	for _, t := range c.Text {
		fmt.Fprintf(&b, "  . %s  %s  %s\n", t.Key, t.Pos, strings.Join(t.Fields, ", "))
	}
	return b.String()
}

func orNone(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}

// changesJSON is the contract of --format json. Lists are never null; old and
// new are where there is a value.
func changesJSON(c metrics.Changes) any {
	type place struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	}
	type entry struct {
		Key     string `json:"key"`
		Version string `json:"version"`
		SameAs  string `json:"same_as,omitempty"`
		place
	}
	type field struct {
		Field string `json:"field"`
		Old   string `json:"old,omitempty"`
		New   string `json:"new,omitempty"`
	}
	type meaning struct {
		Key        string `json:"key"`
		OldVersion string `json:"old_version"`
		NewVersion string `json:"new_version"`
		place
		Fields []field `json:"fields"`
	}
	type text struct {
		Key string `json:"key"`
		place
		Fields []string `json:"fields"`
	}
	placeOf := func(pos diag.Pos) place { return place{pos.File, pos.Line, pos.Col} }
	entries := func(es []metrics.Entry) []entry {
		out := []entry{}
		for _, e := range es {
			out = append(out, entry{e.Key, e.Version, e.SameAs, placeOf(e.Pos)})
		}
		return out
	}
	out := struct {
		Added     []entry   `json:"added"`
		Removed   []entry   `json:"removed"`
		Meaning   []meaning `json:"meaning"`
		Text      []text    `json:"text"`
		Unchanged int       `json:"unchanged"`
	}{entries(c.Added), entries(c.Removed), []meaning{}, []text{}, c.Unchanged}
	for _, m := range c.Meaning {
		fields := []field{}
		for _, f := range m.Fields {
			fields = append(fields, field(f))
		}
		out.Meaning = append(out.Meaning, meaning{m.Key, m.OldVersion, m.NewVersion, placeOf(m.Pos), fields})
	}
	for _, t := range c.Text {
		out.Text = append(out.Text, text{t.Key, placeOf(t.Pos), t.Fields})
	}
	return out
}
