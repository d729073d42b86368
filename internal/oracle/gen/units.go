package gen

import (
	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle"
)

// What cells of units sources are drawn from.
var (
	plans   = []string{"free", "pro", "", "É"}
	regions = []string{"eu", "us"}
)

// drawUnitSource draws a source of unit attributes, of pairs of ids, or both.
func (w *world) drawUnitSource(t *rapid.T) {
	attributes := w.use(t, unitAttributes, 25)
	pairs := len(w.impressions[0].kinds) > 1 && !contains(pending, identityStrict) && chance(t, 30)
	if !attributes && !pairs {
		return
	}
	s := &source{ending: parquet, name: "crm", isUnits: true, kinds: []string{"user"}, early: -1, timestamp: pick(t, "timestamp", "", "TIMESTAMP", "TIMESTAMP", "VARCHAR", "BIGINT")}
	if pairs {
		s.kinds = pick(t, "pair", []string{"user", "device"}, []string{"device", "user"})
	}
	if attributes {
		s.bag = pick(t, "attributes", "MAP", "STRUCT", "COLUMNS")
	}
	if w.use(t, csvFiles, 15) {
		s.csvOf(t)
	}
	w.units, w.hasUnitAttributes = s, attributes
}

// unitRows draws the rows of the units source.
func (w *world) unitRows(t *rapid.T) []oracle.UnitRow {
	if w.units == nil {
		return nil
	}
	var out []oracle.UnitRow
	for range between(t, "unit rows", 1, 20) {
		r := oracle.UnitRow{Source: w.units.name, Units: w.units.drawUnits(t), Attributes: map[string]string{}}
		if w.units.bag != "" {
			maybe(t, r.Attributes, "plan", 75, plans)
			maybe(t, r.Attributes, "region", 75, regions)
			dropEmpty(w.units, r.Attributes)
		}
		if w.units.timestamp != "" {
			r.Time, _ = w.drawTime(t, w.units, 24)
			if chance(t, 30) && r.Time != nil {
				r.Time = later(r.Time, -2*day)
			}
		}
		out = append(out, r)
	}
	return out
}

// excludedRows draws the list of excluded units.
func (w *world) excludedRows(t *rapid.T) []map[string]string {
	if !w.excluded {
		return nil
	}
	var out []map[string]string
	for range between(t, "excluded", 1, 3) {
		row := map[string]string{}
		if !chance(t, 10) {
			row["user"] = pick(t, "excluded user", ids...)
		}
		out = append(out, row)
	}
	return out
}

// unitTables writes the rows of the units source and of the excluded units.
func (w *world) unitTables(in oracle.Input) []Table {
	var out []Table
	if s := w.units; s != nil {
		t := Table{Path: s.name + s.ending, Delimiter: s.delimiter}
		for _, kind := range s.kinds {
			t.Columns = append(t.Columns, Column{kind + "_id", "VARCHAR"})
		}
		switch s.bag {
		case "MAP":
			t.Columns = append(t.Columns, Column{"attrs", "MAP(VARCHAR, VARCHAR)"})
		case "STRUCT":
			t.Columns = append(t.Columns, Column{"attrs", "STRUCT(plan VARCHAR, region VARCHAR)"})
		case "COLUMNS":
			t.Columns = append(t.Columns, Column{"plan", "VARCHAR"}, Column{"region", "VARCHAR"})
		}
		if s.timestamp != "" {
			t.Columns = append(t.Columns, Column{"ts", s.timestamp})
		}
		for i, r := range in.Units {
			var cells []any
			for _, kind := range s.kinds {
				cells = append(cells, lookup(r.Units, kind))
			}
			plan, region := lookup(r.Attributes, "plan"), lookup(r.Attributes, "region")
			switch s.bag {
			case "MAP":
				cells = append(cells, mapOf(r.Attributes, nil, 2*i))
			case "STRUCT":
				cells = append(cells, []Field{{"plan", plan}, {"region", region}})
			case "COLUMNS":
				cells = append(cells, plan, region)
			}
			if s.timestamp != "" {
				cells = append(cells, s.timeCell(r.Time, i))
			}
			t.Rows = append(t.Rows, cells)
		}
		out = append(out, t)
	}
	if w.excluded {
		t := Table{Path: "staff.parquet", Columns: []Column{{"user_id", "VARCHAR"}}}
		for _, r := range in.Excluded {
			t.Rows = append(t.Rows, []any{lookup(r, "user")})
		}
		out = append(out, t)
	}
	return out
}
