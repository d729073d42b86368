package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
)

// columns are the numbers of a metric that are compared, in the words of the
// table moments, and how many factors of the metric's own unit each has.
var columns = []struct {
	name    string
	factors int
}{
	{"exposed", 0}, {"units", 0}, {"units_with_event", 0}, {"events", 0},
	{"sum", 1}, {"sum_sq", 2}, {"den_sum", 0}, {"den_sum_sq", 0}, {"sum_den", 1},
}

// moments are the numbers of each (experiment, variation, metric); a number
// that is not there is nil.
type moments map[string][]*big.Rat

// handMoments gives the table that the hand-written SQL leaves behind. Its
// sums are whole numbers of 10^-digits.
func handMoments(ctx context.Context, engine *loaders.Engine, file string) (moments, error) {
	return query(ctx, engine, "digits", fmt.Sprintf("FROM read_csv('%s', all_varchar = true)", file))
}

// programMoments gives the table moments of a run of the program.
func programMoments(ctx context.Context, engine *loaders.Engine, folder string) (moments, error) {
	files := filepath.Join(folder, "moments", "*", "*", "*.parquet")
	return query(ctx, engine, "0", fmt.Sprintf("FROM read_parquet('%s', union_by_name = true) WHERE segment = 'overall'", files))
}

func query(ctx context.Context, engine *loaders.Engine, digits, from string) (moments, error) {
	var names strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&names, ", CAST(%s AS VARCHAR)", c.name)
	}
	rows, err := engine.Query(ctx, fmt.Sprintf("SELECT concat_ws(' ', experiment, variation, metric), CAST(%s AS INTEGER)%s %s", digits, names.String(), from))
	if err != nil {
		return nil, err
	}
	found := moments{}
	for _, cells := range rows.Cells {
		key, ok := cells[0].(string)
		d, isInt := cells[1].(int32)
		if !ok || !isInt {
			return nil, fmt.Errorf("a row begins with %T, %T", cells[0], cells[1])
		}
		if found[key] != nil {
			return nil, fmt.Errorf("%s occurs twice", key)
		}
		numbers := make([]*big.Rat, len(columns))
		for i, c := range columns {
			if numbers[i], err = number(cells[2+i], c.factors*int(d)); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", key, c.name, err)
			}
		}
		found[key] = numbers
	}
	return found, nil
}

// number reads decimal text, a whole number of 10^-digits; nil is nil.
func number(cell any, digits int) (*big.Rat, error) {
	if cell == nil {
		return nil, nil
	}
	text, ok := cell.(string)
	if !ok {
		return nil, fmt.Errorf("%T is not text", cell)
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%q is not a number", text)
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	return n.Quo(n, new(big.Rat).SetInt(unit)), nil
}

// differences says where two tables differ, in a stable order.
func differences(hand, program moments) []string {
	var found []string
	for key, want := range hand {
		have, ok := program[key]
		if !ok {
			found = append(found, key+": the program has no such row")
			continue
		}
		for i, c := range columns {
			if !equal(want[i], have[i]) {
				found = append(found, fmt.Sprintf("%s: %s is %s by hand and %s by the program", key, c.name, show(want[i]), show(have[i])))
			}
		}
	}
	for key := range program {
		if _, ok := hand[key]; !ok {
			found = append(found, key+": the hand-written SQL has no such row")
		}
	}
	slices.Sort(found)
	return found
}

func equal(a, b *big.Rat) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Cmp(b) == 0
}

func show(n *big.Rat) string {
	if n == nil {
		return "missing"
	}
	return strings.TrimSuffix(strings.TrimRight(n.FloatString(12), "0"), ".")
}

// errDiffer says that the two ways do not give the same numbers.
var errDiffer = errors.New("the sums differ")

// compare checks that the hand-written SQL and the program gave the same numbers.
func compare(ctx context.Context, handFile, programFolder string) (rows int, err error) {
	engine, err := loaders.Open(ctx, loaders.Options{AllowedPaths: []string{filepath.Dir(handFile), programFolder}})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	hand, err := handMoments(ctx, engine, handFile)
	if err != nil {
		return 0, fmt.Errorf("read the sums of the hand-written SQL: %w", err)
	}
	program, err := programMoments(ctx, engine, programFolder)
	if err != nil {
		return 0, fmt.Errorf("read the sums of the program: %w", err)
	}
	if found := differences(hand, program); len(found) > 0 {
		return 0, fmt.Errorf("%w:\n  %s", errDiffer, strings.Join(found, "\n  "))
	}
	return len(hand), nil
}
