package main

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	tests := []struct {
		text string
		want size // 0: refused
	}{
		{"4GB", 4_000_000_000},
		{"512MiB", 536_870_912},
		{"1.5 gb", 1_500_000_000},
		{"64KiB", 65_536},
		{"2TB", 2_000_000_000_000},
		{"100B", 100},
		{"4", 0},
		{"GB", 0},
		{"", 0},
		{"-1GB", 0},
		{"0GB", 0},
		{"1/2GB", 0},
		{"1e3GB", 0},
		{"4G", 0},
		{"10000000TB", 0},
	}
	for _, test := range tests {
		var got size
		err := got.Set(test.text)
		if got != test.want || (err != nil) != (test.want == 0) {
			t.Errorf("size %q = %d, %v; want %d", test.text, got, err, test.want)
		}
	}
}

func TestInstant(t *testing.T) {
	tests := []struct {
		text string
		want time.Time // zero: refused
	}{
		{"2026-03-30", time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)},
		{"2026-03-30T12:30:00Z", time.Date(2026, 3, 30, 12, 30, 0, 0, time.UTC)},
		{"2026-03-30T12:30:00.123456789+02:00", time.Date(2026, 3, 30, 10, 30, 0, 123456000, time.UTC)},
		{"2026-02-30", time.Time{}},
		{"2026-03-30T12:30:00", time.Time{}},
		{"today", time.Time{}},
	}
	for _, test := range tests {
		var got instant
		err := got.Set(test.text)
		if !got.Equal(test.want) || (err != nil) != test.want.IsZero() {
			t.Errorf("instant %q = %s, %v; want %s", test.text, got.Time, err, test.want)
		}
	}
}

// The preset of a list goes away as soon as something is given.
func TestChoices(t *testing.T) {
	var got []failOn
	flag := newChoices(&got, []failOn{failOnErrors}, failOnHealth, failOnErrors)
	for _, text := range []string{"health", "health,errors"} {
		if err := flag.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	if flag.String() != "health,errors" {
		t.Errorf("choices = %s, want health,errors", flag)
	}
	if err := flag.Set("health,"); err == nil {
		t.Error("an empty word was taken")
	}
}

func TestDuckDBVersionOf(t *testing.T) {
	// The pairs of the driver's README, whose rule holds from DuckDB 1.5.0 on.
	for module, want := range map[string]string{
		"v2.10505.0": "1.5.5",
		"v2.10503.1": "1.5.3",
		"v2.5.0":     "v2.5.0",
		"(devel)":    "(devel)",
	} {
		if got := duckDBVersionOf(module); got != want {
			t.Errorf("duckDBVersionOf(%q) = %q, want %q", module, got, want)
		}
	}
}
