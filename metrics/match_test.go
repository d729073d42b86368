package metrics

import "testing"

func TestMatchValueMeans(t *testing.T) {
	for _, c := range []struct {
		match MatchValue
		shown string
		want  bool
	}{
		{MatchValue{Text: "on"}, "on", true},
		{MatchValue{Text: "on"}, "On", false},
		{MatchValue{Text: "1.5"}, "1.50", false},
		{MatchValue{Text: "1.5", JSON: true}, "1.50", true},
		{MatchValue{Text: "1.5", JSON: true}, `"1.5"`, false},
		{MatchValue{Text: `{"a":1,"b":[true,null]}`, JSON: true}, ` {"b": [true, null], "a": 1.0}`, true},
		{MatchValue{Text: `[1,2]`, JSON: true}, `[2,1]`, false},
		{MatchValue{Text: "true", JSON: true}, "true false", false},
		{MatchValue{Text: "true", JSON: true}, "tru", false},
	} {
		if got := c.match.Means(c.shown); got != c.want {
			t.Errorf("%+v means %q: %t, want %t", c.match, c.shown, got, c.want)
		}
	}
}
