package metrics

import "testing"

func TestLoadTour(t *testing.T) {
	defs, diags, err := Load([]string{"testdata/tour.yaml"}, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(diags) > 0 {
		t.Fatalf("unexpected:\n%s", diags.Error())
	}
	if got := len(defs.Experiments[0].Metrics); got != 5 {
		t.Errorf("got %d metrics in the experiment, want 5", got)
	}
}
