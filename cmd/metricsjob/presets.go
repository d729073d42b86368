package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/job"
	"github.com/metricsjob/metricsjob/metrics"
)

// presetsFormat is how presets are printed.
type presetsFormat string

const (
	presetsText presetsFormat = "text"
	presetsJSON presetsFormat = "json"
)

func (p *program) presetsCommand() *cobra.Command {
	var format presetsFormat
	cmd := &cobra.Command{
		Use:   "presets [NAME]",
		Short: "List the known exports, or show what one maps",
		Long: `Lists the exports whose columns are known, or shows of one which columns it reads as
what, and which rows. A source names it with preset: NAME; what it writes under
columns goes before the preset's entry, and its where holds beside the preset's.
What is internal among properties and attributes is written by the vendor's software
and left out; environments tell rows of several environments, projects or accounts
apart, of which a where takes those of one.`,
		Example: `  metricsjob presets
  metricsjob presets vwo
  metricsjob presets launchdarkly-stream --format json`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("presets takes one name, not %d", len(args)).withHint("metricsjob presets lists them")
			}
			all, err := job.Presets()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return p.listPresets(format, all)
			}
			i := slices.IndexFunc(all, func(known job.Preset) bool { return known.Name == args[0] })
			if i < 0 {
				var names []string
				for _, known := range all {
					names = append(names, known.Name)
				}
				said := usagef("there is no preset %q", args[0])
				if hint := diag.DidYouMean(args[0], names); hint != "" {
					return said.withHint("%s", hint)
				}
				return said.withHint("metricsjob presets lists them")
			}
			return p.showPreset(format, all[i])
		},
	}
	cmd.Flags().Var(newChoice(&format, presetsText, presetsText, presetsJSON), "format", "print them as")
	return cmd
}

func (p *program) listPresets(format presetsFormat, all []job.Preset) error {
	if format == presetsJSON {
		list := []presetJSON{}
		for _, known := range all {
			list = append(list, presetAsJSON(known))
		}
		return p.indented(list)
	}
	width := 0
	for _, known := range all {
		width = max(width, len(known.Name))
	}
	for _, known := range all {
		p.ui.resultf("%-*s  %s\n", width, known.Name, known.Description)
	}
	return nil
}

func (p *program) showPreset(format presetsFormat, known job.Preset) error {
	if format == presetsJSON {
		return p.indented(presetAsJSON(known))
	}
	p.ui.resultf("%s: %s\n", known.Name, known.Description)
	if known.Notes != "" {
		p.ui.resultf("\n%s\n", wrapped(known.Notes, 96))
	}
	for _, role := range presetRoles {
		src := known.Source(role)
		if src == nil {
			continue
		}
		entries := presetEntries(src)
		width := 0
		for _, e := range entries {
			width = max(width, len(e[0]))
		}
		p.ui.resultf("\n%s\n", role)
		for _, e := range entries {
			p.ui.resultf("  %-*s  %s\n", width, e[0], e[1])
		}
	}
	return nil
}

var presetRoles = []metrics.SourceRole{metrics.RoleImpressions, metrics.RoleEvents, metrics.RoleUnits}

// presetEntries are what a preset says of a role, as it would stand in a source.
func presetEntries(src *metrics.PresetSource) [][2]string {
	var entries [][2]string
	add := func(name, text string) {
		if text != "" {
			entries = append(entries, [2]string{name, text})
		}
	}
	add("where", src.Where.Src)
	add("rows", src.Rows.V)
	add("dedupe", string(src.Dedupe.V))
	var internal []string
	for _, name := range src.Internal {
		internal = append(internal, name.V)
	}
	add("internal", strings.Join(internal, ", "))
	add("environments", strings.Join(sources(src.Environments), ", "))
	for _, m := range src.Columns.Mapped() {
		text := m.Column.Src
		if epoch := src.Columns.Timestamp.Epoch; m.Name == "timestamp" && epoch != "" {
			text += fmt.Sprintf(" (a time, or %s since 1970)", epoch)
		}
		add("columns."+m.Name, text)
	}
	return entries
}

// presetJSON is the contract of --format json.
type presetJSON struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Notes       string            `json:"notes,omitempty"`
	Impressions *presetSourceJSON `json:"impressions,omitempty"`
	Events      *presetSourceJSON `json:"events,omitempty"`
	Units       *presetSourceJSON `json:"units,omitempty"`
}

// presetSourceJSON says of a role which rows and columns are read; ids are in
// order, all else by name.
type presetSourceJSON struct {
	Where  string   `json:"where,omitempty"`
	Rows   string   `json:"rows,omitempty"`
	Dedupe string   `json:"dedupe,omitempty"`
	Epoch  string   `json:"epoch,omitempty"`
	ID     []string `json:"id,omitempty"`
	// Internal are names among the properties, or the attributes, that are none.
	Internal []string `json:"internal,omitempty"`
	// Environments are columns that tell environments, projects and accounts apart.
	Environments []string          `json:"environments,omitempty"`
	Columns      map[string]string `json:"columns"`
}

// sources are expressions as they are written.
func sources(list []metrics.Expr) []string {
	var out []string
	for _, e := range list {
		out = append(out, e.Src)
	}
	return out
}

func presetAsJSON(known job.Preset) presetJSON {
	source := func(src *metrics.PresetSource) *presetSourceJSON {
		if src == nil {
			return nil
		}
		out := &presetSourceJSON{Where: src.Where.Src, Rows: src.Rows.V, Dedupe: string(src.Dedupe.V), Epoch: src.Columns.Timestamp.Epoch, Environments: sources(src.Environments), Columns: map[string]string{}}
		for _, name := range src.Internal {
			out.Internal = append(out.Internal, name.V)
		}
		for _, m := range src.Columns.Mapped() {
			if m.Name == "id" {
				out.ID = append(out.ID, m.Column.Src)
				continue
			}
			out.Columns[m.Name] = m.Column.Src
		}
		return out
	}
	return presetJSON{known.Name, known.Description, known.Notes, source(known.Impressions), source(known.Events), source(known.Units)}
}

// indented prints a value as JSON for people and programs.
func (p *program) indented(v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write presets: %w", err)
	}
	p.ui.resultf("%s", b.String())
	return nil
}

// wrapped breaks a text into lines of at most so many bytes.
func wrapped(text string, width int) string {
	var b strings.Builder
	line := 0
	for _, word := range strings.Fields(text) {
		switch {
		case line == 0:
		case line+1+len(word) > width:
			b.WriteByte('\n')
			line = 0
		default:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += len(word)
	}
	return b.String()
}
