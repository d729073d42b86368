package job

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/metrics"
)

// ExplainUnit tells what happened to one unit: its impressions, its exposure, its
// events with why each counts for the metric or does not, and the number that
// it has.
func ExplainUnit(ctx context.Context, opts Options, experiment, metric, unit string) (*metrics.UnitStory, error) {
	p, err := prepareOne(ctx, opts, experiment, metric, Slice{}, onlySegment(""))
	if err != nil {
		return nil, err
	}
	defer p.close()
	p.program = compiler.BuildForUnit(p.plan, unit)
	c, err := p.execute(ctx)
	if err != nil {
		return nil, err
	}
	u := p.program.Units[0]
	t := &unitTeller{
		reporter: &reporter{prepared: p, collected: c}, x: u.Plan.Experiments[0],
		story: &metrics.UnitStory{Experiment: experiment, Metric: metric, Unit: unit, AsOf: p.asOf},
	}
	if err := t.exposures(ctx, u); err != nil {
		return nil, err
	}
	parts := u.RowsOfUnit(t.x, t.x.Metrics, unit)
	for _, part := range parts {
		if err := t.rows(ctx, part); err != nil {
			return nil, err
		}
		if err := t.groups(ctx, part); err != nil {
			return nil, err
		}
	}
	t.impressionsOfEach()
	t.numbers(parts)
	t.unknown(parts)
	for _, part := range parts {
		t.chain(part)
		t.withoutDenominator(part)
	}
	return t.story, nil
}

// unitTeller tells the story of a unit.
type unitTeller struct {
	*reporter
	x     *compiler.ExperimentPlan
	story *metrics.UnitStory
}

func (t *unitTeller) query(ctx context.Context, what string, query sqlast.Select) (*cellReader, error) {
	text, err := sqlast.Print(sqlast.DuckDB, query)
	if err != nil {
		return nil, fmt.Errorf("print the query for %s of the unit: %w", what, err)
	}
	rows, err := t.engine.Query(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("find %s of the unit: %w", what, err)
	}
	r := &cellReader{rows: rows.Cells, index: map[string]int{}}
	for i, name := range rows.Columns {
		r.index[name] = i
	}
	return r, nil
}

// cellReader reads the cells of rows by the names of columns.
type cellReader struct {
	rows  [][]any
	index map[string]int
}

func (r *cellReader) cell(row []any, name string) any { return row[r.index[name]] }

// text is nil where the cell is NULL, or there is no such column.
func (r *cellReader) text(row []any, name string) *string {
	i, ok := r.index[name]
	if !ok {
		return nil
	}
	s, ok := row[i].(string)
	if !ok {
		return nil
	}
	return &s
}

func (r *cellReader) instant(row []any, name string) *time.Time {
	at, ok := r.cell(row, name).(time.Time)
	if !ok {
		return nil
	}
	return &at
}

func (t *unitTeller) exposures(ctx context.Context, u *compiler.UnitProgram) error {
	r, err := t.query(ctx, "the exposure", u.ExposuresOfUnit(t.x, t.story.Unit))
	if err != nil {
		return err
	}
	for _, row := range r.rows {
		variation := r.text(row, "variation")
		if variation == nil {
			continue // no impression that counts
		}
		e := metrics.UnitExposure{Variation: *variation, Shown: *r.instant(row, "first_shown_at"), Impressions: whole(r.cell(row, "impressions")).Int64()}
		if t.x.Def.Activation != nil {
			e.Activated = r.instant(row, "exposed_at")
		}
		if dropped := r.text(row, "dropped"); dropped != nil {
			e.Dropped, e.Because = *dropped, compiler.LeftOutWords(*dropped)
		}
		for _, first := range u.FirstEvents() {
			e.First = append(e.First, metrics.UnitFirst{What: first.Words, At: r.instant(row, first.Column), Until: t.x.ObserveUntil})
		}
		t.story.Exposures = append(t.story.Exposures, e)
	}
	return nil
}

func (t *unitTeller) rows(ctx context.Context, part compiler.WaterfallPart) error {
	r, err := t.query(ctx, "the rows", part.Query)
	if err != nil {
		return err
	}
	for _, row := range r.rows {
		out := metrics.UnitRow{
			Part: part.Name, Time: r.instant(row, "ts"), Source: *r.text(row, "source"), What: r.text(row, "event"),
			Value: valueText(r.text(row, "value"), part.Digits), Copies: whole(r.cell(row, "copies")).Int64(), Variation: r.text(row, "variation"),
			Group: r.text(row, "group"),
		}
		place := int(whole(r.cell(row, "place")).Int64())
		last := len(part.Steps)
		if part.Name == exposuresPart {
			// What comes of the unit, once its variation is known, the exposure says.
			out.What, last = r.text(row, "shown"), part.ByVariation
		}
		switch {
		case place > last:
			out.Counts, out.Step = true, "counted"
			switch {
			case part.Name == exposuresPart:
				out.Because = "of " + *out.Variation
			case isFunnelSide(part):
				out.Because = "where it is a row at which the funnel's last step is reached"
			}
		default:
			step := part.Steps[place-1]
			out.Step, out.Because = step.Code, step.Lost()
		}
		t.story.Rows = append(t.story.Rows, out)
	}
	return nil
}

// isFunnelSide reports whether a part is of a funnel that is a side of a ratio, of
// which only the rows of the last step are told.
func isFunnelSide(part compiler.WaterfallPart) bool {
	return part.Derived != nil && part.Derived.Funnel != nil && part.Name == "numerator"
}

// chain takes the rows of a step of a funnel for rows that do not count where the step
// before it was not reached in time, and those of a numerator that follow no row of
// the denominator. The parts before it have theirs already.
func (t *unitTeller) chain(part compiler.WaterfallPart) {
	if part.Derived == nil || isFunnelSide(part) {
		return
	}
	step, before := 0, "denominator"
	if _, err := fmt.Sscanf(part.Name, "step %d", &step); err == nil {
		step-- // as an index
		before = fmt.Sprintf("step %d", step)
	}
	for i := range t.story.Rows {
		row := &t.story.Rows[i]
		if row.Part != part.Name || !row.Counts {
			continue
		}
		follows := slices.ContainsFunc(t.story.Rows, func(o metrics.UnitRow) bool {
			return o.Part == before && o.Counts && *o.Variation == *row.Variation && part.Derived.Follows(step, *row.Time, *o.Time)
		})
		if !follows {
			row.Counts, row.Step, row.Because = false, "not_reached", part.Derived.Lack(step)
		}
	}
}

// withoutDenominator takes the rows of a numerator for rows that do not count where the
// unit is left out for its denominator.
func (t *unitTeller) withoutDenominator(part compiler.WaterfallPart) {
	if part.Tally == nil || part.Tally.Y == nil || !part.Tally.Exclude {
		return
	}
	for i := range t.story.Rows {
		row := &t.story.Rows[i]
		if row.Part != part.Name || !row.Counts {
			continue
		}
		leftOut := slices.ContainsFunc(t.story.Numbers, func(n metrics.UnitResult) bool { return n.Variation == *row.Variation && !n.Counted })
		if leftOut {
			row.Counts, row.Step, row.Because = false, "no_denominator", "the unit's denominator is 0, and such units are left out"
		}
	}
}

// valueText is a value as decimal text; digits are negative where it is no number.
func valueText(v *string, digits int) *string {
	if v == nil || digits < 0 {
		return v
	}
	k, ok := new(big.Int).SetString(*v, 10)
	if !ok {
		return v
	}
	s := stats.NewSum(k, digits).String()
	return &s
}
