package compiler

import (
	"testing"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// TestHintsOfUnknownNames has names that mean nothing where they stand.
func TestHintsOfUnknownNames(t *testing.T) {
	registry := metrics.Registry{Events: []*metrics.EventType{{
		Key:        metrics.Text{V: "purchase"},
		Properties: []*metrics.Property{{Name: metrics.Text{V: "price"}}},
	}}}
	metric := &metricScope{registry: registry, events: []string{"purchase"}, alone: true}
	audience := &audienceScope{alone: true}
	for _, tc := range []struct {
		scope     Scope
		src, hint string
	}{
		{metric, `pricee > 3`, `did you mean "price"?`},
		{metric, `colour == "red"`, `write properties["colour"] for a property that is not declared under events, or "colour" for a text`},
		{metric, `elapsd > 3`, `did you mean "elapsed"?`},
		{audience, `browser == "safari"`, `write exposure.browser for an attribute of the impression, or "browser" for a text`},
		{audience, `exposures == "safari"`, `did you mean "exposure"?`},
		{audience, `properties["the browser"] == "safari"`, `write exposure["the browser"]`},
		{audience, `attributes.browser == "safari"`, `write exposure.browser`},
		{audience, `value > 3`, `an audience is chosen by the impression; for units that did something write activation`},
	} {
		var list diag.List
		if _, ok := Parse(expression(tc.src), tc.scope, BooleanType, &list); ok || len(list) != 1 {
			t.Errorf("%s: %v", tc.src, list)
			continue
		}
		if list[0].Hint != tc.hint {
			t.Errorf("%s: %s\n  hint: %s\n  want: %s", tc.src, list[0].Message, list[0].Hint, tc.hint)
		}
	}
}
