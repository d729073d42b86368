package main

import (
	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/metrics"
)

func (p *program) schemaCommand() *cobra.Command {
	tests := false
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of definition files, for editors",
		Long: `Prints the JSON Schema (2020-12) of definition files. Editors complete and check
with it; for instance, with the YAML language server:

  metricsjob schema > metricsjob.schema.json
  # yaml-language-server: $schema=metricsjob.schema.json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			text := metrics.JSONSchema()
			if tests {
				text = metrics.JSONSchemaOfTests()
			}
			p.ui.resultf("%s", text)
			return nil
		},
	}
	cmd.Flags().BoolVar(&tests, "tests", false, "the schema of files of tests, *_test.yaml")
	return cmd
}
