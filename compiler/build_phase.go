package compiler

import "github.com/metricsjob/metricsjob/compiler/sqlast"

// colPhase is the phase that a unit was exposed in.
const colPhase = "phase"

// phaseKey is the phase of the exposures in a table (semantics 3.6), from 1, and 0
// for experiments without strata; nothing where none has some. It is found where
// cells are made: it follows from when the unit was first shown its variation.
func (b *builder) phaseKey(table string) []sqlast.Item {
	if !b.plan.Phased {
		return nil
	}
	c := sqlast.Case{Else: sqlast.Int(0)}
	for _, x := range b.plan.Experiments {
		phases := x.Strata()
		for i := len(phases); i > 0; i-- {
			is := sqlast.And{compare(sqlast.Eq, col(table, colExperiment), sqlast.Text(x.Def.Key.V))}
			if i > 1 { // units of before the first phase are of the first
				is = append(is, compare(sqlast.GreaterEq, col(table, b.shownAt()), sqlast.Timestamp(phases[i-1].Start.V)))
			}
			c.Whens = append(c.Whens, sqlast.When{If: all(is...), Then: sqlast.Int(int64(i))})
		}
	}
	return []sqlast.Item{item(c, colPhase)}
}

// phaseOfCell is the phase as a further key of sums over cells.
func (b *builder) phaseOfCell() []sqlast.Item {
	if !b.plan.Phased {
		return nil
	}
	return []sqlast.Item{item(col("c", colPhase), colPhase)}
}
