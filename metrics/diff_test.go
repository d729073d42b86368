package metrics

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestDiff compares two files of each case with what a reader sees between
// them, written by hand.
func TestDiff(t *testing.T) {
	archives, err := filepath.Glob("testdata/diff/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no cases: ", err)
	}
	for _, path := range archives {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(ar.Files) != 3 {
			t.Fatalf("%s has %d sections, want old.yaml, new.yaml and want", path, len(ar.Files))
		}
		got := differenceText(Diff(decodeText(t, ar.Files[0].Data), decodeText(t, ar.Files[1].Data)))
		if diff := cmp.Diff(string(ar.Files[2].Data), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func decodeText(t *testing.T, text []byte) *Definitions {
	t.Helper()
	defs, diags := Decode([]SourceFile{{Path: "m.yaml", Text: text}}, LoadOptions{Env: anyVariable})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	return defs
}

func differenceText(d *Difference) string {
	var b strings.Builder
	for _, kind := range []struct {
		name    string
		changes Changes
	}{{"metric", d.Metrics}, {"experiment", d.Experiments}} {
		for _, e := range kind.changes.Removed {
			fmt.Fprintf(&b, "%s %s removed %s\n", kind.name, e.Key, e.SameAs)
		}
		for _, e := range kind.changes.Added {
			fmt.Fprintf(&b, "%s %s added %s\n", kind.name, e.Key, e.SameAs)
		}
		for _, m := range kind.changes.Meaning {
			fmt.Fprintf(&b, "%s %s\n", kind.name, m.Key)
			for _, f := range m.Fields {
				fmt.Fprintf(&b, "  %s: %s → %s\n", f.Field, f.Old, f.New)
			}
		}
		for _, x := range kind.changes.Text {
			fmt.Fprintf(&b, "%s %s text: %s\n", kind.name, x.Key, strings.Join(x.Fields, ", "))
		}
		fmt.Fprintf(&b, "%ss unchanged: %d\n", kind.name, kind.changes.Unchanged)
	}
	return b.String()
}

// TestDiffOfFormatted compares every file with its canonical layout: nothing
// means anything else, and nothing but layout and quotes is different.
func TestDiffOfFormatted(t *testing.T) {
	for name, text := range definitionTexts(t) {
		before, diags := Decode([]SourceFile{{Path: "m.yaml", Text: text}}, LoadOptions{Env: anyVariable})
		if diags.HasErrors() {
			continue
		}
		formatted, _ := Format(SourceFile{Path: "m.yaml", Text: text})
		d := Diff(before, decodeText(t, formatted))
		if d.Meaning() {
			t.Errorf("%s formatted means something else:\n%s", name, differenceText(d))
		}
		for _, c := range append(d.Metrics.Text, d.Experiments.Text...) {
			if len(c.Fields) != 1 || c.Fields[0] != Layout {
				t.Errorf("%s formatted has other texts: %v", name, c)
			}
		}
	}
}

// TestDiffSaysWhere changes each field of the metrics of TestVersion: whatever
// changes the version has a field that says so.
func TestDiffSaysWhere(t *testing.T) {
	text, err := os.ReadFile("testdata/right/every_field.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base := decodeText(t, text)
	for _, c := range []struct{ old, new, metric, field string }{
		{"better: higher\n    event: [purchase, refund]", "better: lower\n    event: [purchase, refund]", "purchase_rate", "better"},
		{"event: [purchase, refund]", "event: purchase", "purchase_rate", "event"},
		{"    source: [orders]\n", "", "purchase_rate", "source"},
		{"where: not gift", "where: gift", "purchase_rate", "where"},
		{"where: value > 0", "where: value > 1", "purchase_rate", "after"},
		{"window: {from: 1d, to: 14d}", "window: {from: 1d, to: 15d}", "purchase_rate", "window"},
		{"wait_for_window: false", "wait_for_window: true", "purchase_rate", "wait_for_window"},
		{"[user, device]", "[user]", "purchase_rate", "randomization_units"},
		{"split_by: category", "split_by: quantity", "purchase_rate", "split_by"},
		{"alpha: 1%", "alpha: 2%", "purchase_rate", "analysis.alpha"},
		{"value: price * quantity", "value: price", "price", "value"},
		{"per_unit: average", "per_unit: max", "price", "per_unit"},
		{"winsorize: {upper: 0.99, lower: 1%", "winsorize: {upper: 0.99, lower: 2%", "price", "winsorize"},
		{"decimals: 4", "decimals: 5", "price", "decimals"},
		{"units_without_events: 2.5", "units_without_events: 2.6", "capped", "units_without_events"},
		{"more_than: 100", "at_least: 100", "big_spenders", "threshold"},
		{"lookback: 4w", "lookback: 5w", "big_spenders", "window"},
		{"statistic: p99.9", "statistic: p99", "load_time", "statistic"},
		{"over: session_id", "over: url", "load_time", "over"},
		{"event: any\n    measure: count", "event: any\n    measure: active_days", "small_spenders", "measure"},
		{"numerator_within: 48h", "numerator_within: 49h", "order_value", "ratio.numerator_within"},
		{"measure: count, where: price > 0", "measure: count, where: price > 1", "order_value", "ratio.denominator.where"},
		{"per_unit: average", "per_unit: max", "order_value", "ratio.numerator.per_unit"},
		{"order: ordered", "", "trial_to_paid", ""},
		{"within: 14d", "within: 15d", "trial_to_paid", "funnel"},
		{"price: {type: number, scale: 0.01", "price: {type: number, scale: 0.02", "price", "events.purchase.properties.price"},
		{"registry: closed", "registry: open", "active", "events.registry"},
	} {
		changed := strings.Replace(string(text), c.old, c.new, 1)
		if changed == string(text) {
			t.Fatalf("there is no %q", c.old)
		}
		d := Diff(base, decodeText(t, []byte(changed)))
		fields := map[string]bool{}
		for _, m := range d.Metrics.Meaning {
			for _, f := range m.Fields {
				fields[m.Key+" "+f.Field] = true
			}
		}
		if want := c.metric + " " + c.field; c.field != "" && !fields[want] {
			t.Errorf("%q → %q: no %s in\n%s", c.old, c.new, want, differenceText(d))
		} else if c.field == "" && d.Meaning() {
			t.Errorf("%q → %q means the same, not\n%s", c.old, c.new, differenceText(d))
		}
	}
}
