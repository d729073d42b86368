package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

// row is one contestant.
type row struct {
	name      string
	command   string
	args      []string
	reference bool // what the others are compared with
	costs     []cost
}

// printRows prints medians, and how they compare with the reference.
func printRows(w io.Writer, title string, rows []row) error {
	i := slices.IndexFunc(rows, func(r row) bool { return r.reference })
	if i < 0 {
		return errors.New("there is nothing to compare with")
	}
	base := median(rows[i].costs)
	fmt.Fprintf(w, "\n%s\n", title)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\twall s\t×\tCPU s\t×\tpeak MB\t×\t")
	for _, r := range rows {
		m := median(r.costs)
		fmt.Fprintf(tw, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t%.2f\t\n", r.name,
			m.wall.Seconds(), float64(m.wall)/float64(base.wall),
			m.cpu.Seconds(), float64(m.cpu)/float64(base.cpu),
			m.peak/1e6, float64(m.peak)/float64(base.peak))
	}
	return tw.Flush()
}

// printProgram prints how large the program is and how long it takes to say its version.
func (b bench) printProgram(ctx context.Context, w io.Writer) error {
	info, err := os.Stat(b.program)
	if err != nil {
		return fmt.Errorf("look for the program (make build builds it): %w", err)
	}
	var starts []cost
	for range 10 {
		took, err := timed(ctx, nil, b.program, "version")
		if err != nil {
			return err
		}
		starts = append(starts, took)
	}
	_, err = fmt.Fprintf(w, "%s: %d MB; version takes %d ms\n", b.program, info.Size()/1e6, median(starts).wall.Milliseconds())
	return err
}
