package diag

import "testing"

func TestNearest(t *testing.T) {
	for _, tc := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"purchse", []string{"purchase", "refund"}, "purchase"},
		{"purchas", []string{"purchase"}, "purchase"},
		{"Purchase", []string{"purchase"}, "purchase"},
		{"xyz", []string{"purchase", "refund"}, ""},
		{"uesr", []string{"device", "user"}, "user"},
		{"b", []string{"a", "c"}, ""}, // another letter is another word
		{"B", []string{"a", "b"}, "b"},
		{"b", []string{"ab"}, ""},
		{"ab", []string{"a"}, ""},
		{"é", []string{"e"}, ""},
		{"m1", []string{"m2", "m3"}, "m2"},
		{"word", nil, ""},
	} {
		if got, _ := Nearest(tc.word, tc.candidates); got != tc.want {
			t.Errorf("%q among %q: %q, want %q", tc.word, tc.candidates, got, tc.want)
		}
	}
}
