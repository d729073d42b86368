package sqlast

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// text spells a text literal. Characters that a reader could not see or tell
// apart (controls, blanks other than the plain one, direction marks) are
// written by their code, so that every literal stands on one line and says
// what it is.
func (d *Dialect) text(s string) string {
	var parts []string
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			parts = append(parts, "'"+plain.String()+"'")
			plain.Reset()
		}
	}
	for _, r := range s {
		switch {
		case r == '\'':
			plain.WriteString("''")
		case unicode.IsPrint(r): // among blanks, only U+0020
			plain.WriteRune(r)
		default:
			flush()
			parts = append(parts, strings.ReplaceAll(d.Char, "{1}", strconv.Itoa(int(r))))
		}
	}
	flush()
	switch len(parts) {
	case 0:
		return "''"
	case 1:
		return parts[0]
	}
	return "(" + strings.Join(parts, d.Concat) + ")"
}

// float spells a double. The exponent makes it one: 1.5 alone is a DECIMAL.
func float(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		panic("sqlast: a literal that is not finite")
	}
	if s := strconv.FormatFloat(f, 'f', -1, 64); len(s) < 7 {
		return s + "e0"
	}
	digits, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	n, err := strconv.Atoi(exp)
	if err != nil {
		panic(err)
	}
	if n >= 0 && n < 16 { // 1234567.25e0, 1e6
		if s := strconv.FormatFloat(f, 'f', -1, 64); len(s)+2 <= len(digits)+len(strconv.Itoa(n))+1 {
			return s + "e0"
		}
	}
	return digits + "e" + strconv.Itoa(n)
}

// timestamp spells an instant.
func timestamp(t time.Time) string {
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		panic(fmt.Sprintf("sqlast: a timestamp literal of the year %d", y))
	}
	return "TIMESTAMP '" + t.Truncate(time.Microsecond).Format("2006-01-02 15:04:05.999999") + "'"
}

// date spells the UTC date of an instant.
func date(t time.Time) string { return "DATE '" + t.UTC().Format(time.DateOnly) + "'" }

// interval spells a length of time in the largest unit that it is a whole
// number of.
func interval(d time.Duration) string {
	if d%time.Microsecond != 0 {
		panic("sqlast: an interval finer than microseconds")
	}
	n, unit := d.Microseconds(), "MICROSECOND"
	switch {
	case d%time.Hour == 0:
		n, unit = int64(d/time.Hour), "HOUR"
	case d%time.Minute == 0:
		n, unit = int64(d/time.Minute), "MINUTE"
	case d%time.Second == 0:
		n, unit = int64(d/time.Second), "SECOND"
	}
	if n < 0 || n > math.MaxInt32 {
		return fmt.Sprintf("INTERVAL '%d' %s", n, unit)
	}
	return fmt.Sprintf("INTERVAL %d %s", n, unit)
}
