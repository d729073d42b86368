package main

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
)

// choice is the value of a flag that takes one of a few words.
type choice[T ~string] struct {
	value   *T
	allowed []T
}

func newChoice[T ~string](value *T, preset T, allowed ...T) *choice[T] {
	*value = preset
	return &choice[T]{value, allowed}
}

func (c *choice[T]) String() string { return string(*c.value) }
func (c *choice[T]) Type() string   { return joinWords(c.allowed, "|") }

func (c *choice[T]) Set(s string) error {
	if err := checkWord(T(s), c.allowed); err != nil {
		return err
	}
	*c.value = T(s)
	return nil
}

// choices is the value of a flag that takes several of a few words, separated
// by commas or given one at a time. What is given takes the place of the preset.
type choices[T ~string] struct {
	values  *[]T
	allowed []T
	given   bool
}

func newChoices[T ~string](values *[]T, preset []T, allowed ...T) *choices[T] {
	*values = preset
	return &choices[T]{values: values, allowed: allowed}
}

func (c *choices[T]) String() string { return joinWords(*c.values, ",") }
func (c *choices[T]) Type() string   { return joinWords(c.allowed, "|") }

func (c *choices[T]) Set(s string) error {
	if !c.given {
		*c.values, c.given = nil, true
	}
	for word := range strings.SplitSeq(s, ",") {
		if err := checkWord(T(word), c.allowed); err != nil {
			return err
		}
		if !slices.Contains(*c.values, T(word)) {
			*c.values = append(*c.values, T(word))
		}
	}
	return nil
}

func checkWord[T ~string](word T, allowed []T) error {
	if !slices.Contains(allowed, word) {
		return fmt.Errorf("use %s", joinWords(allowed, ", "))
	}
	return nil
}

func joinWords[T ~string](words []T, sep string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// instant is the value of a flag that takes a date, which is its midnight in
// UTC, or a time by RFC 3339.
type instant struct{ time.Time }

func (i *instant) Type() string { return "TIME" }

func (i *instant) String() string {
	if i.IsZero() {
		return ""
	}
	return i.Format(time.RFC3339Nano)
}

func (i *instant) Set(s string) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			i.Time = t.UTC().Truncate(time.Microsecond)
			return nil
		}
	}
	return errors.New("use a date (2026-03-30) or a time with a zone (2026-03-30T12:00:00Z)")
}

// size is the value of a flag that takes a number of bytes, with a unit: kB,
// MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB powers of 1024.
type size int64

func (*size) Type() string { return "SIZE" }

func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return fmt.Sprintf("%dB", int64(*s))
}

func (s *size) Set(text string) error {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	factor, ok := sizeUnit(strings.TrimSpace(text[len(digits):]))
	number, isNumber := new(big.Rat).SetString(digits)
	if !ok || !isNumber || strings.ContainsAny(digits, "/_eExX") || number.Sign() <= 0 {
		return errors.New("use a number with a unit, e.g. 4GB or 512MiB")
	}
	bytes, _ := number.Mul(number, new(big.Rat).SetInt64(factor)).Float64()
	if bytes < 1 || bytes >= math.MaxInt64 {
		return errors.New("out of range")
	}
	*s = size(bytes)
	return nil
}

// sizeUnit gives the bytes of a unit of size, in any case.
func sizeUnit(unit string) (int64, bool) {
	switch strings.ToLower(unit) {
	case "b":
		return 1, true
	case "kb":
		return 1e3, true
	case "mb":
		return 1e6, true
	case "gb":
		return 1e9, true
	case "tb":
		return 1e12, true
	case "kib":
		return 1 << 10, true
	case "mib":
		return 1 << 20, true
	case "gib":
		return 1 << 30, true
	case "tib":
		return 1 << 40, true
	}
	return 0, false
}
