package job

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/loaders"
)

// Emit is what Compile gives.
type Emit string

// What Compile can give.
const (
	EmitSQL  Emit = "sql"
	EmitPlan Emit = "plan"
)

// Compile gives the SQL that Run would execute, commented and runnable as it
// stands, or the plan in experiment words. It looks at the sources, because
// types, files and the default as-of come from there, but reads no rows.
func Compile(ctx context.Context, opts Options, emit Emit) (string, error) {
	p, err := prepare(ctx, opts)
	if err != nil {
		return "", err
	}
	defer p.close()
	if emit == EmitPlan {
		return p.plan.String(), nil
	}
	attach, err := p.attachments()
	if err != nil {
		return "", err
	}
	script, err := Script(p.program)
	return attach + script, err
}

// attachments are the statements that open the databases of tables.
func (p *prepared) attachments() (string, error) {
	var b strings.Builder
	for _, d := range loaders.Databases(p.defs) {
		text, err := sqlast.Print(sqlast.DuckDB, d)
		if err != nil {
			return "", fmt.Errorf("print how %s is attached: %w", d.File, err)
		}
		b.WriteString(text + ";\n")
	}
	return b.String(), nil
}

// Script prints the statements of a program, in one pass over the events.
func Script(program *compiler.Program) (string, error) {
	var b strings.Builder
	b.WriteString("SET TimeZone = 'UTC';\n")
	for _, u := range program.Units {
		for _, st := range slices.Concat(u.Exposures, u.Pass(0, 1), u.Finish()) {
			sql, err := sqlast.Print(sqlast.DuckDB, st.SQL)
			if err != nil {
				return "", fmt.Errorf("print %s: %w", st.Name, err)
			}
			fmt.Fprintf(&b, "\n-- %s: %s\n%s;\n", st.Name, st.Why, strings.TrimRight(sql, "\n;"))
		}
	}
	return b.String(), nil
}
