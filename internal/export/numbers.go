package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/metrics"
)

// spelling is how the numbers of one block are written for people: all means
// and differences with the same decimals, so that they can be compared by eye.
type spelling struct {
	// format is percent, currency, duration or number.
	format string
	// seconds is the length of the unit of a duration.
	seconds float64
	// decimals are those of means and differences, relative those of relative
	// effects in percent.
	decimals, relative int
}

func spellingOf(b block) spelling {
	s := spelling{format: formatOf(b.metric), seconds: 1}
	if b.metric.UnitLabel != nil {
		if d, ok := unitSeconds[*b.metric.UnitLabel]; ok {
			s.seconds = d
		}
	}
	var mean, effect float64
	for _, r := range b.rows {
		mean = max(mean, magnitude(r.Mean))
		effect = max(effect, magnitude(r.RelativeEffect), magnitude(r.RelativeLow), magnitude(r.RelativeHigh))
	}
	switch {
	case s.format == "percent":
		s.decimals = decimals(mean*100, 3, 2)
	case s.format == "currency":
		s.decimals = decimals(mean, 4, 2)
	case mean < 1000:
		s.decimals = decimals(mean, 4, 0)
	default:
		s.decimals = decimals(mean, 5, 0)
	}
	s.relative = min(decimals(effect*100, 3, 1), 4)
	return s
}

// formatOf is the metric's format, or what suits its kind.
func formatOf(m metrics.MetricRow) string {
	switch {
	case m.Format != nil:
		return *m.Format
	case m.Kind == "occurrence", m.Kind == "participation", m.Kind == "funnel":
		return "percent"
	default:
		return "number"
	}
}

var unitSeconds = map[string]float64{
	"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400,
	"milliseconds": 1e-3, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400,
}

func magnitude(x *float64) float64 {
	if x == nil {
		return 0
	}
	return math.Abs(*x)
}

// decimals gives how many decimals show x with the number of digits, but no
// fewer than least.
func decimals(x float64, digits, least int) int {
	if x == 0 {
		return least
	}
	return min(max(digits-1-int(math.Floor(math.Log10(x))), least), 12)
}

// mean spells the mean of units.
func (s spelling) mean(x *float64) string {
	switch {
	case x == nil:
		return "–"
	case s.format == "percent":
		return fixed(*x*100, s.decimals) + "%"
	case s.format == "duration":
		return s.duration(*x)
	default:
		return fixed(*x, s.decimals)
	}
}

// total spells a sum; that of a share is a count.
func (s spelling) total(x *float64) string {
	switch {
	case x == nil:
		return "–"
	case s.format == "duration":
		return s.duration(*x)
	case s.format != "currency" && *x == math.Trunc(*x):
		return fixed(*x, 0)
	default:
		return fixed(*x, 2)
	}
}

// difference spells an absolute effect.
func (s spelling) difference(x *float64) string {
	switch {
	case x == nil:
		return ""
	case s.format == "percent":
		return signed(fixed(*x*100, s.decimals)) + "pp"
	case s.format == "duration":
		return signed(s.duration(*x))
	default:
		return signed(fixed(*x, s.decimals))
	}
}

// effect spells a relative effect.
func (s spelling) effect(x *float64) string {
	if x == nil {
		return ""
	}
	return signed(fixed(*x*100, s.relative)) + "%"
}

// interval spells an interval whose ends spell writes; an end may be open.
func interval(low, high *float64, spell func(*float64) string) string {
	switch {
	case low == nil && high == nil:
		return ""
	case low == nil:
		return "≤ " + spell(high)
	case high == nil:
		return "≥ " + spell(low)
	}
	l, h := spell(low), spell(high)
	for _, unit := range []string{"%", "pp"} { // once is enough
		if strings.HasSuffix(h, unit) {
			l = strings.TrimSuffix(l, unit)
		}
	}
	return l + " … " + h
}

// duration spells x units of time.
func (s spelling) duration(x float64) string {
	sec := x * s.seconds
	sign := ""
	if sec < 0 {
		sign, sec = "-", -sec
	}
	switch {
	case sec == 0:
		return "0s"
	case sec < 1e-3:
		return sign + strconv.FormatFloat(sec*1e6, 'g', 3, 64) + "µs"
	case sec < 1:
		return sign + fixed(sec*1e3, decimals(sec*1e3, 3, 0)) + "ms"
	case sec < 60:
		return sign + fixed(sec, decimals(sec, 3, 0)) + "s"
	case sec < 86400:
		text := (time.Duration(math.Round(sec)) * time.Second).String()
		if minutes, ok := strings.CutSuffix(text, "m0s"); ok {
			text = minutes + "m"
		}
		return sign + text
	default:
		return sign + fixed(sec/86400, 2) + "d"
	}
}

// pValue spells a p-value with four decimals.
func pValue(p *float64) string {
	switch {
	case p == nil:
		return ""
	case *p < 0.0001:
		return "<0.0001"
	default:
		return fixed(*p, 4)
	}
}

// figure spells any number with three digits or a few more.
func figure(x float64) string {
	if abs := math.Abs(x); abs != 0 && (abs < 1e-3 || abs >= 1e15) {
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
	return trimZeros(fixed(x, decimals(math.Abs(x), 3, 0)))
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// percent spells a share with one decimal.
func percent(x float64) string { return fixed(x*100, 1) + "%" }

// count spells a whole number.
func count(n int64) string { return group(strconv.FormatInt(n, 10)) }

// size spells a number of bytes.
func size(n int64) string {
	x := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if x < 1000 {
			return figure(x) + " " + unit
		}
		x /= 1000
	}
	return figure(x) + " TB"
}

// fixed spells x with so many decimals and commas between thousands; what is
// too large for that gets an exponent, and zero has no sign.
func fixed(x float64, decimals int) string {
	if math.Abs(x) >= 1e15 {
		return strconv.FormatFloat(x, 'g', 4, 64)
	}
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return group(s)
}

// group puts commas between the thousands of a decimal number.
func group(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// signed puts a plus before what has no minus.
func signed(s string) string {
	if strings.HasPrefix(s, "-") {
		return s
	}
	return "+" + s
}

// confidence spells the level of intervals at alpha, e.g. 95%.
func confidence(alpha float64) string {
	return trimZeros(fmt.Sprintf("%.4f", 100*(1-alpha))) + "%"
}

// instant spells a time, as a date where it is a midnight.
func instant(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02 15:04:05.999999 UTC")
}
