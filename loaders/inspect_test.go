package loaders

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// e3Definitions map the columns of the E3 export by hand.
func e3Definitions() *metrics.Definitions {
	user := []metrics.UnitColumn{{Kind: metrics.Text{V: "user"}, Column: col("visitor_id")}}
	when := metrics.TimestampColumn{Column: col("timestamp")}
	return &metrics.Definitions{Sources: metrics.Sources{
		Impressions: []*metrics.Source{{
			Role: metrics.RoleImpressions, Name: metrics.Text{V: "decisions"}, Dir: e3,
			Paths: []metrics.Text{{V: "type=decisions/**/*.parquet"}},
			Columns: metrics.Columns{
				Units: user, Timestamp: when, Experiment: col("experiment_id"), Variation: col("variation_id"),
				Holdback: col("is_holdback"), ID: []metrics.Expr{col("uuid")}, Attributes: metrics.Bag{From: col("attributes")},
			},
		}},
		Events: []*metrics.Source{{
			Role: metrics.RoleEvents, Name: metrics.Text{V: "conversions"}, Dir: e3,
			Paths: []metrics.Text{{V: "type=events/**/*.parquet"}},
			Columns: metrics.Columns{
				Units: user, Timestamp: when, Event: col("event_name"), Value: col("revenue"), ID: []metrics.Expr{col("uuid")},
				Properties: metrics.Bag{From: col("tags"), Named: []metrics.NamedColumn{
					{Name: metrics.Text{V: "revenue"}, Column: col("revenue")}, {Name: metrics.Text{V: "value"}, Column: col("value")},
				}},
				Attributes: metrics.Bag{From: col("attributes")},
			},
		}},
	}}
}

func TestInspectE3(t *testing.T) {
	defs := e3Definitions()
	engine := start(t, Roots(defs)...)
	catalog, list, err := Inspect(t.Context(), engine, defs, InspectOptions{})
	if err != nil || len(list) > 0 {
		t.Fatal(err, list)
	}
	decisions, conversions := catalog.Impressions[0], catalog.Events[0]
	// DuckDB 1.5.5, python: count(*), max("timestamp"), min(revenue), max(revenue) of the files.
	if decisions.Rows != 10_000 || conversions.Rows != 38_648 {
		t.Errorf("rows: %d, %d", decisions.Rows, conversions.Rows)
	}
	if len(decisions.Files) != 1 || len(conversions.Files) != 4 || conversions.Bytes != 84163+459533+696563+84064 {
		t.Errorf("files: %v, %v; %d bytes", decisions.Files, conversions.Files, conversions.Bytes)
	}
	last := instantOf(t, "2020-09-14T18:38:33.933Z")
	latest := conversions.Files[0].MaxTime
	for _, f := range conversions.Files {
		if f.MaxTime.After(latest) {
			latest = f.MaxTime
		}
	}
	if !decisions.Files[0].MaxTime.Equal(last) || !latest.Equal(last) {
		t.Errorf("last timestamps: %v, %v", decisions.Files[0].MaxTime, latest)
	}
	if v := conversions.Value; !v.NeverNull || v.Min.Cmp(new(big.Rat)) != 0 || v.Max.Cmp(big.NewRat(99999, 1)) != 0 || v.Type.Kind != compiler.FieldInteger {
		t.Errorf("revenue: %+v", v)
	}
	for _, src := range []*compiler.Source{decisions, conversions} {
		if !src.Units[0].NeverNull || !src.Time.NeverNull || !src.ID[0].NeverNull {
			t.Errorf("%s: the footers prove that nothing is missing", src.Def.Name.V)
		}
		for _, f := range src.Files {
			if !f.Whole || f.Anchor {
				t.Errorf("%+v", f)
			}
		}
	}
	if diff := cmp.Diff([]string{e3 + "/type=events/**/*.parquet"}, parquetOf(conversions).Files); diff != "" {
		t.Error(diff)
	}
	if parquetOf(conversions).UnionByName || len(parquetOf(conversions).Hive) > 0 {
		t.Errorf("%+v", conversions.Read)
	}
	if conversions.Properties.Form != compiler.BagMap || conversions.Attributes.Form != compiler.BagPairs || decisions.Attributes.Form != compiler.BagPairs {
		t.Error("forms of the bags")
	}
	if catalog.Engine != "duckdb v1.5.5" {
		t.Error(catalog.Engine)
	}

	horizon, err := AsOf(t.Context(), engine, catalog, last)
	if err != nil || !horizon.AsOf.Equal(instantOf(t, "2020-09-14T18:38:33.933001Z")) || len(horizon.Future) > 0 {
		t.Errorf("%+v, %v", horizon, err)
	}
	dropped, err := Count(t.Context(), engine, conversions, endless)
	if diff := cmp.Diff(Dropped{NoUnit: map[string]int64{}}, dropped); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// TestPresetReadsE3 counts with the columns of the preset what Optimizely published
// of the data: visitors by browser, and purchases of electronics.
func TestPresetReadsE3(t *testing.T) {
	defs, said := load(t, `version: 1
sources:
  impressions:
    - {name: decisions, preset: optimizely, path: `+e3+`/type=decisions}
  events:
    - {name: conversions, preset: optimizely, path: `+e3+`/type=events}
`)
	if said != "" {
		t.Fatal(said)
	}
	engine := start(t, Roots(defs)...)
	catalog, list, err := Inspect(t.Context(), engine, defs, InspectOptions{})
	if err != nil || len(list) > 0 {
		t.Fatal(err, list)
	}
	decisions, conversions := catalog.Impressions[0], catalog.Events[0]
	browser, _ := decisions.Attributes.Lookup("browser")
	is := func(x sqlast.Expr, text string) sqlast.Expr { return binary(sqlast.Eq, x, sqlast.Text(text)) }
	rows, err := scan(t.Context(), engine, decisions.Read,
		tally(sqlast.And{is(browser.SQL, "chrome"), is(decisions.Variation.SQL, "18802093142")}, "chrome"),
		tally(sqlast.And{is(browser.SQL, "firefox"), is(decisions.Variation.SQL, "18818611832")}, "firefox"),
		tally(sqlast.Or{sqlast.Not{X: is(decisions.Experiment.SQL, "18786493712")}, decisions.Holdback.SQL}, "others"))
	if err != nil {
		t.Fatal(err)
	}
	// Optimizely's own observations: 1651 visitors of the control used chrome, 1085 of message_1 firefox.
	if diff := cmp.Diff([]any{int64(1651), int64(1085), int64(0)}, rows.Cells[0]); diff != "" {
		t.Error(diff)
	}
	category, _ := conversions.Properties.Lookup("category")
	revenue, _ := conversions.Properties.Lookup("revenue")
	if revenue.Type.Kind != compiler.FieldInteger || category.Type.Kind != compiler.FieldText {
		t.Errorf("%+v, %+v", revenue.Type, category.Type)
	}
	rows, err = scan(t.Context(), engine, conversions.Read,
		tally(sqlast.And{is(conversions.Event.SQL, "purchase"), sqlast.Not{X: binary(sqlast.Eq, revenue.SQL, conversions.Value.SQL)}}, "differ"),
		tally(is(conversions.Event.SQL, "purchase"), "purchases"))
	if err != nil {
		t.Fatal(err)
	}
	// 1154 purchases before the exposure and 1110 at or after it.
	if diff := cmp.Diff([]any{int64(0), int64(2264)}, rows.Cells[0]); diff != "" {
		t.Error(diff)
	}
}
