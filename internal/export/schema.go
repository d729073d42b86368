package export

import (
	"fmt"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// SchemaDoc describes every result table and column in Markdown. It is the
// generated part of docs/results.md.
func SchemaDoc() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Version of the contract: %s\n", metrics.SchemaVersion)
	for _, t := range new(metrics.Tables).All() {
		fmt.Fprintf(&b, "\n### %s\n\nOne row: %s.\n\n", t.Name, t.Grain)
		b.WriteString("| column | type | null | meaning |\n|---|---|---|---|\n")
		for _, c := range t.Columns {
			null := ""
			if c.Nullable {
				null = "yes"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, c.Type, null, c.Doc)
		}
	}
	b.WriteString("\n### Checks\n\nThe codes in the column `check` of `health`. One that fails makes the experiment `invalid`, a source's all experiments; the others warn, or count.\n\n")
	b.WriteString("| code | what is checked | can fail |\n|---|---|---|\n")
	for _, c := range metrics.Checks {
		fails := ""
		if c.Fails {
			fails = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Code, c.Text, fails)
	}
	b.WriteString("\n### Warnings\n\nThe codes in the column `warnings`.\n\n| code | what it says |\n|---|---|\n")
	for _, w := range metrics.Warnings {
		fmt.Fprintf(&b, "| `%s` | %s |\n", w.Code, w.Text)
	}
	return b.String()
}
