package main

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/internal/convert"
)

// showBytes begins to show how far reading and writing are, and gives the function
// to tell it with and the one that ends it: a bar on a terminal, elsewhere, with
// --progress always, one message for each tenth.
func (u *ui) showBytes(now func() time.Time) (report func(convert.Progress), end func()) {
	width, isTerminal := terminal(u.err)
	var pace pace
	switch {
	case u.quiet, u.progress == progressNever, u.progress == progressAuto && !isTerminal:
		return func(convert.Progress) {}, func() {}
	case isTerminal && u.log == logText:
		u.line = newProgressLine(func(s string) { fmt.Fprint(u.err, s) }, width)
		return func(p convert.Progress) { u.line.setText(bar(p) + " " + pace.text(p, now())) }, u.line.end
	}
	last, tenth := "", int64(-1)
	return func(p convert.Progress) {
		if reached := p.Done * 10 / max(p.Total, 1); p.Step != last || reached > tenth {
			last, tenth = p.Step, reached
			u.say(slog.LevelInfo, p.Step+": "+pace.text(p, now()), "")
		}
	}, func() {}
}

// bar draws how much of the whole is done.
func bar(p convert.Progress) string {
	const width = 20
	full := int(p.Done * width / max(p.Total, 1))
	full = min(max(full, 0), width)
	return p.Step + " [" + strings.Repeat("#", full) + strings.Repeat("-", width-full) + "]"
}

// pace tells how fast a step is.
type pace struct {
	step  string
	began time.Time
	from  int64 // what was done when it began
}

// text says how much is done, how fast, and how long the rest takes at that pace.
func (c *pace) text(p convert.Progress, now time.Time) string {
	if p.Step != c.step {
		*c = pace{p.Step, now, p.Done}
	}
	text := fmt.Sprintf("%d %%, %s of %s", p.Done*100/max(p.Total, 1), byteText(p.Done), byteText(p.Total))
	took := now.Sub(c.began).Seconds()
	if took < 1 || p.Done <= c.from {
		return text
	}
	rate := float64(p.Done-c.from) / took
	left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%s, %s/s, %s left", text, byteText(int64(rate)), left)
}

// byteText is a number of bytes for people.
func byteText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	x, unit := float64(n), 0
	for x >= 999.5 && unit < len(units)-1 {
		x, unit = x/1000, unit+1
	}
	if unit == 0 || x >= 99.5 {
		return fmt.Sprintf("%.0f %s", x, units[unit])
	}
	return fmt.Sprintf("%.1f %s", x, units[unit])
}
