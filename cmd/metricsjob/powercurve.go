package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/metricsjob/metricsjob/internal/job"
)

// A curve on the terminal has at most so many lines for a metric, and bars of at most
// so many characters.
const (
	curveLines = 30
	barLength  = 40
)

// curveText draws the curves of metrics: a line for a number of units, with a bar as
// long as the effect that they find, and the power for each of the effects.
func curveText(rows []job.PowerRow, effects []string) string {
	var b strings.Builder
	each := 1 + len(effects) // rows of a number of units
	for len(rows) > 0 {
		var stages [][]job.PowerRow
		first := rows[0]
		for len(rows) >= each && rows[0].Experiment == first.Experiment && rows[0].Metric == first.Metric {
			stages, rows = append(stages, rows[:each]), rows[each:]
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		writeCurve(&b, stages, effects)
	}
	return b.String()
}

// writeCurve draws the curve of one metric.
func writeCurve(b *strings.Builder, stages [][]job.PowerRow, effects []string) {
	first := stages[0][0]
	what := first.Metric
	if first.Experiment != "" {
		what += " in " + first.Experiment
	}
	if what != "" {
		what += " · "
	}
	fmt.Fprintf(b, "%smean %s · standard deviation %s · effects found with a power of %s\n\n",
		what, plainNumber(first.Mean), plainNumber(first.StdDev), plainNumber(first.Power))
	heads := []string{"units", "effect"}
	if first.Days != nil {
		heads = append([]string{"days"}, heads...)
	}
	for _, effect := range effects {
		heads = append(heads, "power of "+effect)
	}
	longest := 0.0
	var lines [][]string
	var sizes []float64
	step := (len(stages) + curveLines - 1) / curveLines
	for i, at := range stages {
		if (i+1)%step != 0 && i+1 != len(stages) {
			continue
		}
		cells := []string{plainNumber(at[0].Units), percentText(at[0].Effect)}
		if at[0].Days != nil {
			cells = append([]string{plainNumber(*at[0].Days)}, cells...)
		}
		for _, r := range at[1:] {
			cells = append(cells, percentText(r.Power))
		}
		lines, sizes = append(lines, cells), append(sizes, math.Abs(at[0].Effect))
		longest = max(longest, math.Abs(at[0].Effect))
	}
	widths := make([]int, len(heads))
	for _, cells := range append([][]string{heads}, lines...) {
		for i, cell := range cells {
			widths[i] = max(widths[i], len(cell))
		}
	}
	write := func(cells []string, bar string) {
		var line strings.Builder
		for i, cell := range cells {
			fmt.Fprintf(&line, "  %*s", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String()+"  "+bar, " ") + "\n")
	}
	write(heads, "")
	for i, cells := range lines {
		write(cells, barOf(sizes[i]/longest*barLength))
	}
}

// barOf is a bar of so many characters, to an eighth of one.
func barOf(length float64) string {
	eighths := int(math.Round(length * 8))
	parts := []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}
	return strings.Repeat("█", eighths/8) + parts[eighths%8]
}

// percentText has three digits, and two decimals at most.
func percentText(x float64) string {
	percent := x * 100
	decimals := 2
	for limit := 10.0; decimals > 0 && math.Abs(percent) >= limit; limit *= 10 {
		decimals--
	}
	return fmt.Sprintf("%.*f%%", decimals, percent)
}
