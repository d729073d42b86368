package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/metrics"
)

var update = flag.Bool("update", false, "write the files that are made from the program")

// TestCLIDocs keeps docs/cli.md equal to the commands. Where it differs, run
// make docs.
func TestCLIDocs(t *testing.T) { madeFile(t, "../../docs/cli.md", cliDocs()) }

// TestFieldDocs keeps docs/fields.md equal to the schema.
func TestFieldDocs(t *testing.T) {
	madeFile(t, "../../docs/fields.md", "# Fields\n\n<!-- Made from the schema: make docs. -->\n\n"+
		"Every field that may stand in a file, in the order of the canonical layout. Required fields are\n"+
		"marked *. [language.md](language.md) says what they mean together, [semantics.md](semantics.md) what is\n"+
		"counted; `metricsjob schema` gives editors the same.\n"+metrics.FieldReference())
}

// madeFile compares a file with what it is made of, or writes it.
func madeFile(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what the program says; run make docs (-file +program):\n%s", file, diff)
	}
}

// cliDocs is the page about the command line.
func cliDocs() string {
	root := (&program{ui: newUI(io.Discard, io.Discard)}).rootCommand()
	root.InitDefaultHelpCmd()
	var b strings.Builder
	b.WriteString("# Commands\n\n<!-- Made from the commands: make docs. -->\n\n")
	about, codes, _ := strings.Cut(root.Long, "\n\nExit codes:\n")
	fmt.Fprintf(&b, "%s\n\n## Exit codes\n\n| code | meaning |\n|---|---|\n", about)
	for line := range strings.Lines(codes) {
		code, meaning, _ := strings.Cut(strings.TrimSpace(line), "  ")
		fmt.Fprintf(&b, "| %s | %s |\n", code, meaning)
	}
	fmt.Fprintf(&b, "\n## Flags of every command\n\n```\n%s```\n", root.PersistentFlags().FlagUsages())
	for _, cmd := range root.Commands() {
		if cmd.Name() != "help" {
			b.WriteString(commandDocs(cmd))
		}
	}
	return b.String()
}

func commandDocs(cmd *cobra.Command) string {
	var b strings.Builder
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	// Indented lines of the help are code.
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```\n%s\n```\n", cmd.CommandPath(), strings.ReplaceAll(about, "\n  ", "\n      "), cmd.UseLine())
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n\n```\n%s\n```\n", cmd.Example)
	}
	if cmd.HasAvailableLocalFlags() {
		fmt.Fprintf(&b, "\nFlags:\n\n```\n%s```\n", cmd.LocalFlags().FlagUsages())
	}
	return b.String()
}
