package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// manyMetrics compares a run with 300 measures with one of the 16 metrics of
// metrics.yaml, for the same experiments over the same export.
func (b bench) manyMetrics(ctx context.Context, stdout, progress io.Writer) error {
	few := filepath.Join(b.source, "metrics.yaml")
	text, err := os.ReadFile(few)
	if err != nil {
		return err
	}
	definitions, err := manyDefinitions(string(text))
	if err != nil {
		return err
	}
	out := filepath.Join(b.folder, "results", b.size)
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	many := filepath.Join(out, "many.yaml")
	if err := os.WriteFile(many, []byte(definitions), 0o666); err != nil {
		return err
	}
	rows := []row{
		{name: "16 metrics", command: b.program, args: b.runs(few, "sources.yaml", filepath.Join(out, "few")), reference: true},
		{name: "300 metrics", command: b.program, args: b.runs(many, "sources.yaml", filepath.Join(out, "many"))},
	}
	if err := b.inTurns(ctx, "without ids", rows, progress); err != nil {
		return err
	}
	return printRows(stdout, fmt.Sprintf("%s events, many metrics, medians of %d", b.size, b.rounds), rows)
}

// manyDefinitions are other metrics for the experiments of a definition file,
// with as many different measures: for each of the ten events of the export the
// rows of all windows of a list, all of them and those with each of five values.
func manyDefinitions(file string) (string, error) {
	head, rest, ok := strings.Cut(file, "\nmetrics:\n")
	at := strings.Index(rest, "\nexperiments:\n")
	if !ok || at < 0 {
		return "", errors.New("the definitions do not list metrics, then experiments")
	}
	var metrics strings.Builder
	var keys []string
	for _, event := range []struct{ key, measure, property string }{
		{"page_view", "value, decimals: 1", "session"}, {"click", "count", "session"}, {"search", "count", "session"},
		{"add_to_cart", "value, value: price * quantity, decimals: 2", "category"}, {"purchase", "value, decimals: 2", "category"},
		{"checkout", "count", "session"}, {"refund", "value, decimals: 2", "category"}, {"login", "count", "session"},
		{"signup", "count", "session"}, {"video_play", "count", "session"},
	} {
		conditions := []string{""}
		for i := range 5 {
			if event.property == "category" {
				conditions = append(conditions, fmt.Sprintf("category == %q", []string{"electronics", "toys", "books", "garden", "fashion"}[i]))
			} else {
				conditions = append(conditions, fmt.Sprintf(`session startsWith "%d"`, 2*i))
			}
		}
		if event.property == "session" {
			line := "    - key: " + event.key + "\n"
			head = strings.Replace(head, line, line+"      properties: {session: string}\n", 1)
		}
		for _, window := range []string{"", "24h", "72h", "1w", "2w"} {
			for i, where := range conditions {
				key := fmt.Sprintf("%s_%s_%d", event.key, window, i)
				keys = append(keys, key)
				fmt.Fprintf(&metrics, "  - {key: %s, event: %s, measure: %s, better: higher", key, event.key, event.measure)
				if window != "" {
					fmt.Fprintf(&metrics, ", window: %s", window)
				}
				if where != "" {
					fmt.Fprintf(&metrics, ", where: '%s'", where)
				}
				metrics.WriteString("}\n")
			}
		}
	}
	return head + "\nmetrics:\n" + metrics.String() + "\nmetric_groups:\n  all: [" + strings.Join(keys, ", ") + "]\n" + rest[at:], nil
}
