package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/stats"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// cell is a part of an experiment that sums are over; unit is empty but where
// each unit is summed by itself.
type cell struct {
	experiment, variation, segment, value, unit string
	split                                       splitValue
}

// splitValue is a value of a split, set where sums are only over rows with it.
type splitValue struct {
	set   bool
	value string
}

// text is the value as results have it: nil where there is none.
func (s splitValue) text() *string {
	if !s.set {
		return nil
	}
	return &s.value
}

// whole is the cell with all rows.
func (k cell) whole() cell {
	k.split = splitValue{}
	return k
}

// overall is the cell of everybody with a variation.
func overall(experiment, variation string) cell {
	return cell{experiment: experiment, variation: variation, segment: metrics.Overall, value: metrics.All}
}

// dayCell is a cell on a day of exposure.
type dayCell struct {
	cell
	date time.Time
}

// dayCounts are about the units exposed on one day.
type dayCounts struct{ units, impressions, several int64 }

// reason is why something was left out of an experiment.
type reason struct{ experiment, reason string }

// tallySums are the sums of one tally over one cell, as whole numbers.
type tallySums struct {
	terms                      map[stats.Term]*big.Int
	units, present             int64
	withEvents, events, tooBig int64
	sampled                    int64
	// capped are the units with rows whose numbers caps change, by side, and the rows.
	capped map[stats.Term]left
	// uncapped are the numbers before caps by side, where the unit is one alone.
	uncapped map[stats.Term]*big.Int
}

// capKey is a side of a tally in an experiment.
type capKey struct {
	tally      *compiler.Tally
	side       stats.Term
	experiment string
}

// wholeOrNone is a whole number of the engine, or nil.
func wholeOrNone(v any) *big.Int {
	if v == nil {
		return nil
	}
	return whole(v)
}

// boundsOf are the columns of a ResultCaps behind the experiment.
func boundsOf(columns []any) compiler.Bounds {
	b := compiler.Bounds{Upper: wholeOrNone(columns[0]), Lower: wholeOrNone(columns[1])}
	if len(columns) > 2 {
		b.CovariateUpper, b.CovariateLower = wholeOrNone(columns[2]), wholeOrNone(columns[3])
	}
	return b
}

// collected is what the statements gave.
type collected struct {
	caps map[capKey]compiler.Bounds
	// percentiles are the order statistics of tallies of percentiles.
	percentiles map[percentileKey]*stats.Quantiles
	// numbers are those that percentiles are of, where units are summed in parts.
	numbers map[*compiler.Tally][]partNumber
	unitSums
	// phases are the same sums for the units of each phase, of experiments that
	// are stratified by phases.
	phases map[int64]*unitSums
	units  map[reason]int64 // units left out
	left   []LeftOut        // the same one by one, where each unit is summed by itself
	rows   map[reason]int64 // rows left out or odd
	passes int
}

// unitSums are the sums over some exposed units: all, or those of a phase.
type unitSums struct {
	days map[dayCell]dayCounts
	unitCounts
	// parts are the units of tallies of segments from events, by value.
	parts map[*compiler.Tally]*unitCounts
	sums  map[*compiler.Tally]map[cell]*tallySums
}

// unitCounts are numbers of exposed units.
type unitCounts struct {
	exposed map[cell]int64
	// activated are the exposed units that count, where events activate units.
	activated map[cell]int64
	waited    map[cell]map[string]int64
}

func newUnitCounts() unitCounts {
	return unitCounts{exposed: map[cell]int64{}, activated: map[cell]int64{}, waited: map[cell]map[string]int64{}}
}

// partsOf are the counts of the units of tallies of a segment from events.
func (c *unitSums) partsOf(tallies []*compiler.Tally) []*unitCounts {
	var out []*unitCounts
	for _, t := range tallies {
		if c.parts[t] == nil {
			c.parts[t] = new(newUnitCounts())
		}
		out = append(out, c.parts[t])
	}
	return out
}

// unitsOf are the counts of the units that a tally is over.
func (c *unitSums) unitsOf(t *compiler.Tally) *unitCounts {
	if parts := c.parts[t]; parts != nil {
		return parts
	}
	return &c.unitCounts
}

func newCollected() *collected {
	return &collected{
		caps: map[capKey]compiler.Bounds{}, percentiles: map[percentileKey]*stats.Quantiles{},
		numbers:  map[*compiler.Tally][]partNumber{},
		unitSums: newUnitSums(), phases: map[int64]*unitSums{},
		units: map[reason]int64{}, rows: map[reason]int64{},
	}
}

func newUnitSums() unitSums {
	return unitSums{
		days: map[dayCell]dayCounts{}, unitCounts: newUnitCounts(), parts: map[*compiler.Tally]*unitCounts{},
		sums: map[*compiler.Tally]map[cell]*tallySums{},
	}
}

// phase are the sums of a phase.
func (c *collected) phase(n int64) *unitSums {
	if c.phases[n] == nil {
		c.phases[n] = new(newUnitSums())
	}
	return c.phases[n]
}

// addEvents adds what was collected from the events of one unit kind.
func (c *collected) addEvents(e *collected) {
	maps.Copy(c.caps, e.caps)
	maps.Copy(c.percentiles, e.percentiles)
	maps.Copy(c.numbers, e.numbers)
	maps.Copy(c.sums, e.sums)
	maps.Copy(c.parts, e.parts)
	for n, phase := range e.phases {
		maps.Copy(c.phase(n).sums, phase.sums)
		maps.Copy(c.phase(n).parts, phase.parts)
	}
	for k, n := range e.rows {
		c.rows[k] += n
	}
}

// unitRun is the program of a unit kind with the number of the statements of a pass
// and of those after all passes.
type unitRun struct {
	*compiler.UnitProgram
	pass, finish int
}

// execute runs the program: the exposures, then the events in as many passes
// as the memory asks for.
func (p *prepared) execute(ctx context.Context) (*collected, error) {
	c := newCollected()
	units := make([]unitRun, len(p.program.Units))
	for i, u := range p.program.Units {
		units[i] = unitRun{u, len(u.Pass(0, 1)), len(u.Finish())}
		p.total += len(u.Exposures) + units[i].pass + units[i].finish
	}
	for _, u := range units {
		if err := p.statements(ctx, u.Exposures, c); err != nil {
			return nil, err
		}
		if err := p.events(ctx, u, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// mostPasses bounds the passes that are tried where memory does not suffice.
const mostPasses = 256

// events reads the events of one unit kind, and once more in twice as many
// passes where the memory does not suffice.
func (p *prepared) events(ctx context.Context, u unitRun, c *collected) error {
	for n := p.passes(u.UnitProgram, c); ; n *= 2 {
		p.total += (n - 1) * u.pass
		got, err := p.eventPasses(ctx, u.UnitProgram, n)
		var memory *loaders.MemoryError
		switch {
		case err == nil:
			c.addEvents(got)
			c.passes = max(c.passes, n)
			return nil
		case !errors.As(err, &memory) || 2*n > mostPasses:
			return err
		}
		p.tell(fmt.Sprintf("the memory does not suffice: once more, in %d passes", 2*n))
		if err := p.statements(ctx, u.Abandon(), got); err != nil {
			return err
		}
		p.total += u.pass + u.finish
	}
}

// eventPasses reads the events of one unit kind in n passes.
func (p *prepared) eventPasses(ctx context.Context, u *compiler.UnitProgram, n int) (*collected, error) {
	got := newCollected()
	for i := range n {
		if err := p.statements(ctx, u.Pass(i, n), got); err != nil {
			return got, err
		}
	}
	return got, p.statements(ctx, u.Finish(), got)
}

// bytesPer is what the events of one unit kind take while they are summed, for
// each row of the table over units and each of its columns, about 600 bytes
// with 17 columns, and for each row of events that is kept in a list with what
// is made of the lists; measured.
var bytesPer = struct{ row, column, listed int64 }{90, 30, 50}

// passes is the number of passes over the events after which each fits into
// six tenths of the memory.
func (p *prepared) passes(u *compiler.UnitProgram, c *collected) int {
	var rows int64
	for k, n := range c.exposed {
		if k.segment == metrics.Overall {
			rows += n
		}
	}
	memory := p.opts.Memory
	if memory == 0 {
		memory = machineMemory() / 4 * 3
	}
	need := rows*(bytesPer.row+bytesPer.column*int64(u.Columns())) + bytesPer.listed*u.Listed()
	return int(max(1, (need+memory*6/10-1)/max(1, memory*6/10)))
}

func (p *prepared) statements(ctx context.Context, list []compiler.Statement, c *collected) error {
	if err := compiler.Apart(list); err != nil {
		return err
	}
	for _, st := range list {
		p.tell(st.Why)
		p.done++
		text, err := sqlast.Print(sqlast.DuckDB, st.SQL)
		if err != nil {
			return fmt.Errorf("print %s: %w", st.Name, err)
		}
		if st.Result == compiler.ResultNone {
			if err := p.engine.Exec(ctx, text); err != nil {
				return fmt.Errorf("compute %s: %w", st.Name, err)
			}
			continue
		}
		rows, err := p.engine.Query(ctx, text)
		if err != nil {
			return fmt.Errorf("compute %s: %w", st.Name, err)
		}
		c.take(st, rows)
	}
	return nil
}

// take sorts the rows of a result into what was collected.
func (c *collected) take(st compiler.Statement, rows *loaders.Rows) {
	index := map[string]int{}
	for i, name := range rows.Columns {
		index[name] = i
	}
	for _, key := range st.Experiments {
		for _, o := range st.Outputs {
			c.rows[reason{key, o.Reason + " events"}] += 0
		}
	}
	for _, row := range rows.Cells {
		number := func(name string) int64 { return whole(row[index[name]]).Int64() }
		cellOf := func(row []any) cell {
			k := cell{experiment: text(row[0]), variation: text(row[1]), segment: text(row[2]), value: text(row[3])}
			if at, ok := index[compiler.ColumnUnit]; ok {
				k.unit = text(row[at])
			}
			return k
		}
		// into are the sums that a row is part of: those of all, and of its phase.
		into := func(row []any) []*unitSums {
			out := []*unitSums{&c.unitSums}
			if at, ok := index[compiler.ColumnPhase]; ok {
				if n := whole(row[at]).Int64(); n > 0 {
					out = append(out, c.phase(n))
				}
			}
			return out
		}
		switch st.Result {
		case compiler.ResultDays:
			k := dayCell{cellOf(row), row[4].(time.Time)}
			for _, sums := range into(row) {
				n := sums.days[k]
				sums.days[k] = dayCounts{n.units + number("units"), n.impressions + number("impressions"), n.several + number("several_variations")}
			}
		case compiler.ResultUnits:
			for _, sums := range into(row) {
				counts := []*unitCounts{&sums.unitCounts}
				if st.Of != nil {
					counts = sums.partsOf(st.Of)
				}
				for _, c := range counts {
					c.add(cellOf(row), number("units"), st.Outputs, number)
				}
			}
		case compiler.ResultDropped:
			experiment, why := text(row[0]), text(row[1])
			c.units[reason{experiment, why}] += number("units")
			if at, ok := index[compiler.ColumnUnit]; ok && why != "" {
				c.left = append(c.left, LeftOut{Experiment: experiment, Unit: text(row[at]), Reason: why})
			}
			for _, o := range st.Outputs {
				c.rows[reason{experiment, o.Reason}] += number(o.Column)
			}
		case compiler.ResultCaps:
			c.caps[capKey{st.Tally, st.Side, text(row[0])}] = boundsOf(row[1:])
		case compiler.ResultPercentiles:
			c.percentiles[percentileKey{st.Tally, cellOf(row)}] = quantilesOf(st.Tally, row[4:])
		case compiler.ResultNumbers:
			c.numbers[st.Tally] = append(c.numbers[st.Tally], partNumberOf(st.Tally, row))
		case compiler.ResultRows:
			for _, o := range st.Outputs {
				c.rows[reason{text(row[0]), o.Reason + " events"}] += number(o.Column)
			}
		case compiler.ResultSums:
			k := cellOf(row)
			if st.Split {
				k.split = splitValue{set: true, value: text(row[index["split"]])}
			}
			for _, sums := range into(row) {
				for _, o := range st.Outputs {
					sums.add(o, k, whole(row[index[o.Column]]))
				}
			}
		default:
			panic(fmt.Sprintf("job: no case for result %d", st.Result))
		}
	}
}

// add adds the exposed units of a cell, or of a part of it.
func (c *unitCounts) add(k cell, units int64, outputs []compiler.Output, number func(string) int64) {
	activated := units
	if c.waited[k] == nil {
		c.waited[k] = map[string]int64{}
	}
	for _, o := range outputs {
		if o.Role == compiler.RoleActivated {
			activated = number(o.Column)
			continue
		}
		c.waited[k][o.Wait] += number(o.Column)
	}
	c.exposed[k] += units
	c.activated[k] += activated
}

// add adds one number of one pass to a tally's sums.
func (c *unitSums) add(o compiler.Output, k cell, n *big.Int) {
	byCell := c.sums[o.Tally]
	if byCell == nil {
		byCell = map[cell]*tallySums{}
		c.sums[o.Tally] = byCell
	}
	s := byCell[k]
	if s == nil {
		s = &tallySums{terms: map[stats.Term]*big.Int{}, capped: map[stats.Term]left{}, uncapped: map[stats.Term]*big.Int{}}
		byCell[k] = s
	}
	switch o.Role {
	case compiler.RoleTerm:
		have := s.terms[o.Term]
		if have == nil {
			have = new(big.Int)
			s.terms[o.Term] = have
		}
		have.Add(have, n)
	case compiler.RoleUnits:
		s.units += n.Int64()
	case compiler.RolePresent:
		s.present += n.Int64()
	case compiler.RoleWithEvents:
		s.withEvents += n.Int64()
	case compiler.RoleEvents:
		s.events += n.Int64()
	case compiler.RoleCapped, compiler.RoleCappedEvents:
		have := s.capped[o.Term]
		if o.Role == compiler.RoleCapped {
			have.units += n.Int64()
		} else {
			have.rows += n.Int64()
		}
		s.capped[o.Term] = have
	case compiler.RoleUncapped:
		s.uncapped[o.Term] = n
	case compiler.RoleSampled:
		s.sampled += n.Int64()
	case compiler.RoleOverflow:
		s.tooBig += n.Int64()
	default:
		panic(fmt.Sprintf("job: no case for role %d", o.Role))
	}
}

func text(v any) string {
	s, _ := v.(string) // NULL, the variation of units without one, is empty
	return s
}

// whole is an integer of the engine, of any width; NULL is 0.
func whole(v any) *big.Int {
	switch v := v.(type) {
	case nil:
		return new(big.Int)
	case *big.Int:
		return v
	case int64:
		return big.NewInt(v)
	case int32:
		return big.NewInt(int64(v))
	}
	panic(fmt.Sprintf("job: %T is no whole number", v))
}
