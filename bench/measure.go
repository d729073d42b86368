package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// cost is what one process took.
type cost struct {
	wall, cpu time.Duration
	peak      int64 // bytes resident at most
}

// timed runs a command to its end. What it says is shown if it fails.
func timed(ctx context.Context, env []string, name string, args ...string) (cost, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", cmd, err, said.Bytes())
	}
	c := cost{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.peak = usage.Maxrss
		if runtime.GOOS != "darwin" { // where it is in KiB
			c.peak *= 1024
		}
	}
	return c, nil
}

// median gives the median of each number on its own.
func median(costs []cost) cost {
	return cost{
		wall: middle(costs, func(c cost) time.Duration { return c.wall }),
		cpu:  middle(costs, func(c cost) time.Duration { return c.cpu }),
		peak: middle(costs, func(c cost) int64 { return c.peak }),
	}
}

// middle gives the median of one number, the mean of the two in the middle
// where there is an even number of them.
func middle[N ~int64](costs []cost, of func(cost) N) N {
	var numbers []N
	for _, c := range costs {
		numbers = append(numbers, of(c))
	}
	slices.Sort(numbers)
	n := len(numbers)
	return (numbers[(n-1)/2] + numbers[n/2]) / 2
}
