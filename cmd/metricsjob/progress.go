package main

import (
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/metricsjob/metricsjob/internal/job"
)

// progressMode is when progress is shown.
type progressMode string

const (
	progressAuto   progressMode = "auto"
	progressAlways progressMode = "always"
	progressNever  progressMode = "never"
)

// Short runs show no progress; longer ones redraw it often enough to look alive.
const (
	progressDelay  = time.Second
	progressPeriod = 200 * time.Millisecond
)

// showProgress begins to show what a run does, and gives the function to tell
// it with and the one that ends it. On a terminal it is one line that is drawn
// again and again; elsewhere, with --progress always, one message for each step.
func (u *ui) showProgress() (report func(job.Progress), end func()) {
	width, isTerminal := terminal(u.err)
	switch {
	case u.quiet, u.progress == progressNever, u.progress == progressAuto && !isTerminal:
		return func(job.Progress) {}, func() {}
	case isTerminal && u.log == logText:
		u.line = newProgressLine(func(s string) { fmt.Fprint(u.err, s) }, width)
		return u.line.set, u.line.end
	}
	last := ""
	return func(p job.Progress) {
		if p.Step != last {
			last = p.Step
			u.say(slog.LevelInfo, progressText(p), "")
		}
	}, func() {}
}

// progressLine is the line of progress on a terminal. A nil progressLine is none.
type progressLine struct {
	write func(string)
	width int
	stop  chan struct{}
	done  chan struct{}

	mu    sync.Mutex
	text  string
	drawn bool
	ended bool
}

func newProgressLine(write func(string), width int) *progressLine {
	l := &progressLine{write: write, width: width, stop: make(chan struct{}), done: make(chan struct{})}
	go l.draw()
	return l
}

// draw redraws the line until end is called.
func (l *progressLine) draw() {
	defer close(l.done)
	start := time.Now()
	ticker := time.NewTicker(progressPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case now := <-ticker.C:
			if elapsed := now.Sub(start); elapsed >= progressDelay {
				l.redraw(elapsed)
			}
		}
	}
}

func (l *progressLine) redraw(elapsed time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == "" {
		return
	}
	text := []rune(fmt.Sprintf("%d s, %s", int(elapsed.Seconds()), l.text))
	l.write("\r\x1b[K" + string(text[:min(len(text), l.width-1)]))
	l.drawn = true
}

func (l *progressLine) set(p job.Progress) { l.setText(progressText(p)) }

func (l *progressLine) setText(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text
}

// clear takes the line from the terminal, so that a message can stand there.
func (l *progressLine) clear() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		l.write("\r\x1b[K")
		l.drawn = false
	}
}

// end takes the line from the terminal for good.
func (l *progressLine) end() {
	if l == nil {
		return
	}
	l.mu.Lock()
	ended := l.ended
	l.ended = true
	l.mu.Unlock()
	if !ended {
		close(l.stop)
		<-l.done
	}
	l.clear()
}

// progressText is a step in words: "2 of 5: reading events of orders, 45 %".
func progressText(p job.Progress) string {
	text := p.Step
	if p.Total > 0 {
		text = fmt.Sprintf("%d of %d: %s", min(p.Done+1, p.Total), p.Total, text)
	}
	if p.Percent > 0 {
		text += fmt.Sprintf(", %d %%", int(math.Min(p.Percent, 100)))
	}
	return text
}
