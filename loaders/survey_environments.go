package loaders

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// environmentWords are the names of columns that tell rows of production from those of
// tests, in exports that no preset knows.
var environmentWords = []string{"environment", "environmentid", "environmentkey", "environmentname", "env", "envid", "envkey", "envname"}

// surveyedEnvironments is how many environments of a source a survey tells.
const surveyedEnvironments = 20

// environments counts the rows of a source by the columns that tell environments,
// projects and accounts. What has one value in all rows is not told.
func (s *surveyor) environments(ctx context.Context, src *surveyed, t *table) error {
	told := environmentColumns(src.Def, t)
	if len(told) == 0 {
		return nil
	}
	def := *src.Def
	def.Columns.Attributes = metrics.Bag{}
	for i, e := range told {
		def.Columns.Attributes.Named = append(def.Columns.Attributes.Named, metrics.NamedColumn{Name: metrics.Text{V: fmt.Sprint(i)}, Column: e})
	}
	read, err := inspectSource(ctx, s.engine, &def, span{}, &diag.List{})
	if err != nil || read == nil {
		return err
	}
	for i, e := range told {
		field, ok := read.Attributes.Named[fmt.Sprint(i)]
		if !ok {
			continue // the export lacks it
		}
		rows, err := s.query(ctx, sqlast.Select{
			Why:     "the environments",
			Items:   []sqlast.Item{{X: field.SQL, As: "value"}, {X: sqlast.Aggregate{Fn: sqlast.Count}, As: "rows"}},
			From:    read.Read,
			Where:   (&surveyed{Source: read}).only(),
			GroupBy: []sqlast.Expr{field.SQL},
			OrderBy: []sqlast.Order{{X: column("rows"), Desc: true}, {X: column("value")}},
			Limit:   surveyedEnvironments,
		})
		if err != nil {
			return err
		}
		if len(rows) < 2 {
			continue
		}
		found := metrics.SurveyedEnvironments{Column: e.Src}
		for _, r := range rows {
			value := metrics.SurveyedEnvironment{Rows: r[1].(int64)}
			switch name := r[0].(type) {
			case nil:
			case string:
				value.Name, value.Literal = name, strconv.Quote(name)
			default: // a number
				value.Name = fmt.Sprint(name)
				value.Literal = value.Name
			}
			found.Values = append(found.Values, value)
		}
		src.found.Environments = append(src.found.Environments, found)
	}
	return nil
}

// environmentColumns are the columns that tell environments: those that the preset
// names, else the first that is called so.
func environmentColumns(def *metrics.Source, t *table) []metrics.Expr {
	if !def.Preset.Set {
		g := newGuess(t.columns, t.data[0].inPath)
		if e := g.key(environmentWords, isKind(compiler.ColumnText, compiler.ColumnInteger, compiler.ColumnUUID)); e.IsSet() {
			return []metrics.Expr{e}
		}
		return nil
	}
	preset, err := Preset(def.Preset.V)
	if err != nil {
		panic("loaders: " + err.Error())
	}
	told := slices.Clone(preset.Source(def.Role).Environments)
	for i := range told {
		told[i] = ofPreset(told[i], def)
	}
	return told
}
