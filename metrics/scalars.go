package metrics

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// scalar gives the text of a scalar as it was written.
func (d *decoder) scalar(n *yaml.Node, want string) (string, bool) {
	if !d.present(n, want) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		d.wrongKind(n, want)
		return "", false
	}
	return n.Value, true
}

// text is a scalar taken as written: off, 007 and true are text.
var text = textOf("a text")

func textOf(want string) kind[Text] {
	return kind[Text]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) (Text, bool) {
			s, ok := d.scalar(n, want)
			if !ok {
				return Text{}, false
			}
			if strings.TrimSpace(s) == "" {
				d.errorf(n, "empty-value", "%s is empty", d.subject()).WithHint("it wants %s; without one, leave it out", want)
				return Text{}, false
			}
			return Text{V: s, Pos: d.pos(n), Set: true}, true
		},
		schema: func(*schemaBuilder) schema { return schema{{"type", []string{"string", "number", "boolean"}}} },
	}
}

// texts is a list of texts.
var texts = listOf(text, "a list of texts")

// textOrTexts is a text or a list of them.
var textOrTexts = oneOrMore(text, "a text or a list of texts")

var keyPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// key is the identity of a metric, a group or an experiment.
var key = func() kind[Text] {
	k := refine(textOf("a key such as purchase_rate"), func(d *decoder, n *yaml.Node, v Text) bool {
		if keyPattern.MatchString(v.V) {
			return true
		}
		said := d.errorf(n, "bad-key", "%s is not a key: a key has small letters, digits and _, and starts with a letter", quoted(v.V))
		if s := snake(v.V); keyPattern.MatchString(s) {
			said.WithHint("write %s", s)
		}
		return false
	})
	k.schema = func(*schemaBuilder) schema { return schema{{"type", "string"}, {"pattern", keyPattern.String()}} }
	return k
}()

// snake is a word in the spelling of keys: purchaseRate and Purchase rate are purchase_rate.
func snake(s string) string {
	var b strings.Builder
	lower := false
	for _, r := range s {
		switch {
		case r >= 'A' && r <= 'Z':
			if lower {
				b.WriteByte('_')
			}
			b.WriteRune(r - 'A' + 'a')
			lower = false
		case r == '-' || r == ' ' || r == '.':
			b.WriteByte('_')
			lower = false
		default:
			b.WriteRune(r)
			lower = r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		}
	}
	return b.String()
}

// oneOf is one of a few words.
func oneOf[T ~string](words ...T) kind[At[T]] { return oneOfBeside(nil, words...) }

// oneOfBeside is one of a few words, with foreign words for the hint beside
// those that are known for the key.
func oneOfBeside[T ~string](foreign vocabulary, words ...T) kind[At[T]] {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	want := listing(names)
	return kind[At[T]]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) (At[T], bool) {
			s, ok := d.scalar(n, want)
			if !ok {
				return At[T]{}, false
			}
			for _, w := range words {
				if string(w) == s {
					return At[T]{V: w, Pos: d.pos(n), Set: true}, true
				}
			}
			d.badWord(n, s, names, foreign)
			return At[T]{}, false
		},
		schema: func(*schemaBuilder) schema { return constant(names...) },
	}
}

// badWord says that a word is none of those that its key knows.
func (d *decoder) badWord(n *yaml.Node, word string, names []string, foreign vocabulary) {
	said := d.errorf(n, "bad-value", "%s", noValue(d, word, listing(names)))
	said.Hint = diag.DidYouMean(word, names)
	if w, ok := foreignValues[d.field].and(foreign).find(word); ok {
		said.Hint = w.hint()
	}
}

// boolean is true or false.
var boolean = kind[At[bool]]{
	want: "true or false",
	decode: func(d *decoder, n *yaml.Node) (At[bool], bool) {
		s, ok := d.scalar(n, "true or false")
		if !ok {
			return At[bool]{}, false
		}
		if (s != "true" && s != "false") || n.Tag != "!!bool" {
			said := d.wrongKind(n, "true or false")
			switch strings.ToLower(s) {
			case "yes", "on", "y", "1", "true":
				said.WithHint("write true")
			case "no", "off", "n", "0", "false":
				said.WithHint("write false")
			}
			return At[bool]{}, false
		}
		return At[bool]{V: s == "true", Pos: d.pos(n), Set: true}, true
	},
	schema: func(*schemaBuilder) schema { return schema{{"type", "boolean"}} },
}

var numberPattern = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$`)

// number is a decimal number, kept as written.
var number = kind[At[Number]]{
	want: "a number",
	decode: func(d *decoder, n *yaml.Node) (At[Number], bool) {
		s, ok := d.scalar(n, "a number")
		if !ok {
			return At[Number]{}, false
		}
		if len(s) > 100 || !numberPattern.MatchString(s) || n.Style != 0 {
			d.badNumber(n, s, "a number")
			return At[Number]{}, false
		}
		return At[Number]{V: Number(s), Pos: d.pos(n), Set: true}, true
	},
	schema: func(*schemaBuilder) schema { return schema{{"type", "number"}} },
}

func (d *decoder) badNumber(n *yaml.Node, s, want string) {
	said := d.errorf(n, "bad-number", "%s wants %s, not %s", d.subject(), want, quoted(s))
	bare := strings.NewReplacer("_", "", ",", "", "'", "", " ", "").Replace(s)
	switch {
	case numberPattern.MatchString(s) && n.Style != 0:
		said.WithHint("write %s, without quotes", s)
	case strings.HasSuffix(s, "%") && numberPattern.MatchString(strings.TrimSuffix(s, "%")):
		said.WithHint("write %s, without %%", strings.TrimSuffix(s, "%"))
	case strings.HasPrefix(s, ".") && numberPattern.MatchString("0"+s):
		said.WithHint("write 0%s", s)
	case bare != s && numberPattern.MatchString(bare) && !strings.Contains(s, ","):
		said.WithHint("write %s", bare)
	}
}

// positive is a number above 0.
var positive = refine(number.saying(member{"exclusiveMinimum", 0}), func(d *decoder, n *yaml.Node, v At[Number]) bool {
	if v.V.Rat().Sign() <= 0 {
		d.errorf(n, "bad-number", "%s must be above 0, not %s", d.subject(), v.V).
			WithHint("leave it out, or write a number such as 1 or 0.01")
		return false
	}
	return true
})

// notNegative is a number of 0 or more.
var notNegative = refine(number.saying(member{"minimum", 0}), func(d *decoder, n *yaml.Node, v At[Number]) bool {
	if v.V.Rat().Sign() < 0 {
		d.errorf(n, "bad-number", "%s must be 0 or more, not %s", d.subject(), v.V).
			WithHint("write 0 for none, or leave it out")
		return false
	}
	return true
})

// share is a part of the whole, between 0 and 1 without either, as 0.05 or 5%.
var share = kind[At[Number]]{
	want: "a share such as 0.05 or 5%",
	decode: func(d *decoder, n *yaml.Node) (At[Number], bool) {
		const want = "a share such as 0.05 or 5%"
		s, ok := d.scalar(n, want)
		if !ok {
			return At[Number]{}, false
		}
		plain, percent := strings.CutSuffix(s, "%")
		if len(s) > 100 || !numberPattern.MatchString(plain) || n.Style != 0 {
			d.badNumber(n, s, want)
			return At[Number]{}, false
		}
		v := Number(plain)
		if percent {
			v = decimalOf(new(big.Rat).Quo(v.Rat(), big.NewRat(100, 1)))
		}
		if r := v.Rat(); r.Sign() <= 0 || r.Cmp(big.NewRat(1, 1)) >= 0 {
			said := d.errorf(n, "bad-number", "%s must lie between 0 and 1, not be %s", d.subject(), s)
			if r.Cmp(big.NewRat(1, 1)) >= 0 && r.Cmp(big.NewRat(100, 1)) < 0 {
				said.WithHint("for a percentage write %s%%", plain)
			}
			return At[Number]{}, false
		}
		return At[Number]{V: v, Pos: d.pos(n), Set: true}, true
	},
	schema: func(*schemaBuilder) schema {
		return anyOf(schema{{"type", "number"}, {"exclusiveMinimum", 0}, {"exclusiveMaximum", 1}}, schema{{"type", "string"}, {"pattern", `^[0-9]+(\.[0-9]+)?%$`}})
	},
}

// decimalOf writes a number whose decimal fraction ends.
func decimalOf(r *big.Rat) Number {
	digits, exact := r.FloatPrec()
	if !exact {
		panic("metrics: no end of digits in " + r.String())
	}
	return Number(r.FloatString(digits))
}

// fractionDigits is how many digits after the point the number needs.
func fractionDigits(n Number) int {
	digits, _ := n.Rat().FloatPrec()
	return digits
}

// integer is a whole number between low and high.
func integer(low, high int) kind[At[int]] {
	want := fmt.Sprintf("a whole number between %d and %d", low, high)
	return kind[At[int]]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) (At[int], bool) {
			s, ok := d.scalar(n, want)
			if !ok {
				return At[int]{}, false
			}
			v, err := strconv.Atoi(s)
			if err != nil || v < low || v > high || !numberPattern.MatchString(s) || n.Style != 0 {
				d.badNumber(n, s, want)
				return At[int]{}, false
			}
			return At[int]{V: v, Pos: d.pos(n), Set: true}, true
		},
		schema: func(*schemaBuilder) schema {
			return schema{{"type", "integer"}, {"minimum", low}, {"maximum", high}}
		},
	}
}

var durationPattern = regexp.MustCompile(`^(-?)([0-9]+)([smhdw])$`)

var durationUnits = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// longest is the longest duration that may be written.
const longest = 100 * 366 * 24 * time.Hour

// duration is a length of time above 0; signed may be 0 or below.
var (
	duration = durationOf(func(v Duration) bool { return v > 0 }, "must be above 0", `^[0-9]+[smhdw]$`)
	signed   = durationOf(func(Duration) bool { return true }, "", durationPattern.String())
	// days are whole days, 0 allowed.
	days = durationOf(func(v Duration) bool { return v >= 0 && v%(24*time.Hour) == 0 }, "must be whole days", `^[0-9]+[smhdw]$`)
)

func durationOf(fits func(Duration) bool, unfit, pattern string) kind[At[Duration]] {
	const want = "a duration such as 72h"
	return kind[At[Duration]]{
		want: want,
		decode: func(d *decoder, n *yaml.Node) (At[Duration], bool) {
			s, ok := d.scalar(n, want)
			if !ok {
				return At[Duration]{}, false
			}
			v, ok := parseDuration(s)
			switch {
			case !ok:
				said := d.errorf(n, "bad-duration", "%s wants %s, not %s", d.subject(), want, quoted(s))
				said.Hint = durationHint(s)
				return At[Duration]{}, false
			case !fits(v):
				said := d.errorf(n, "bad-duration", "%s %s, not %s", d.subject(), unfit, s)
				switch {
				case d.field == "window" && v < 0:
					said.WithHint("before the exposure is {from: %s, to: 0s}", s)
				case v > 0:
					said.WithHint("a day is 24h: write %dd", v/(24*time.Hour)+1)
				default:
					said.WithHint("leave it out")
				}
				return At[Duration]{}, false
			}
			return At[Duration]{V: v, Pos: d.pos(n), Set: true}, true
		},
		schema: func(*schemaBuilder) schema { return schema{{"type", "string"}, {"pattern", pattern}} },
	}
}

func parseDuration(s string) (Duration, bool) {
	m := durationPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[2], 10, 64)
	unit := durationUnits[m[3]]
	if err != nil || n > int64(longest/unit) {
		return 0, false
	}
	v := time.Duration(n) * unit
	if m[1] == "-" {
		v = -v
	}
	return v, true
}

var (
	longDuration  = regexp.MustCompile(`^(-?[0-9]+) *([a-zA-Z]+)$`)
	wordsForUnits = map[string]string{
		"sec": "s", "secs": "s", "second": "s", "seconds": "s",
		"min": "m", "mins": "m", "minute": "m", "minutes": "m",
		"hr": "h", "hrs": "h", "hour": "h", "hours": "h",
		"day": "d", "days": "d", "week": "w", "weeks": "w",
		"s": "s", "m": "m", "h": "h", "d": "d", "w": "w",
	}
)

func durationHint(s string) string {
	if m := longDuration.FindStringSubmatch(s); m != nil {
		if u, ok := wordsForUnits[strings.ToLower(m[2])]; ok {
			if _, ok := parseDuration(m[1] + u); ok {
				return "write " + m[1] + u
			}
		}
	}
	if numberPattern.MatchString(s) && !strings.ContainsAny(s, ".eE") {
		if len(s) > 4 {
			s = "72" // nobody means hours
		}
		return "add the unit: s, m, h, d or w, as in " + s + "h"
	}
	return "a whole number and s, m, h, d or w"
}

var instantPattern = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?$`)

// instant is a date, which is its 00:00 UTC, or a time by RFC 3339.
var instant = kind[At[time.Time]]{
	want: "a date or time",
	decode: func(d *decoder, n *yaml.Node) (At[time.Time], bool) {
		s, ok := d.scalar(n, "a date or time")
		if !ok {
			return At[time.Time]{}, false
		}
		if !instantPattern.MatchString(s) {
			said := d.errorf(n, "bad-date", "%s wants a date such as 2026-03-02 or a time such as 2026-03-02T09:30:00Z, not %s", d.subject(), quoted(s))
			said.Hint = instantHint(s)
			return At[time.Time]{}, false
		}
		layout := time.RFC3339Nano
		if len(s) == len(time.DateOnly) {
			layout = time.DateOnly
		}
		t, err := time.Parse(layout, s)
		if err != nil {
			d.errorf(n, "bad-date", "there is no %s", s).
				WithHint("months have up to 31 days, days 24 hours, hours 60 minutes")
			return At[time.Time]{}, false
		}
		if t.Nanosecond()%1000 != 0 {
			d.errorf(n, "bad-date", "%s is finer than a microsecond", s).
				WithHint("write at most six digits behind the seconds")
			return At[time.Time]{}, false
		}
		return At[time.Time]{V: t.UTC(), Pos: d.pos(n), Set: true}, true
	},
	schema: func(*schemaBuilder) schema {
		return schema{{"type", "string"}, {"pattern", instantPattern.String()}}
	},
}

func instantHint(s string) string {
	for _, layout := range []string{"2006-1-2", "2006/1/2", "2006.1.2", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil {
			return "write " + t.Format(time.DateOnly)
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return "write the zone too: " + t.Format("2006-01-02T15:04:05") + "Z"
		}
	}
	for _, layout := range []string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return "write " + t.Format(time.RFC3339)
		}
	}
	return "year, month, day"
}

// connection is a path or an address, with ${NAME} and ${NAME:-default}
// replaced from the environment.
var connection = func() kind[Text] {
	k := textOf("a path")
	inner := k.decode
	k.decode = func(d *decoder, n *yaml.Node) (Text, bool) {
		t, ok := inner(d, n)
		if !ok {
			return t, false
		}
		t.V, ok = d.expand(n, t.V)
		return t, ok
	}
	k.canon = quotedUnless(regexp.MustCompile(`^[A-Za-z0-9_./-]+$`))
	return k
}()

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// expand replaces variables of the environment.
func (d *decoder) expand(n *yaml.Node, s string) (string, bool) {
	var b strings.Builder
	places := d.exprAt(n, s)
	ok := true
	for rest, offset := s, 0; ; {
		i := strings.Index(rest, "${")
		if i < 0 {
			b.WriteString(rest)
			return b.String(), ok
		}
		b.WriteString(rest[:i])
		at := places.At(offset + i)
		m := variable.FindStringSubmatch(rest[i:])
		if m == nil || !strings.HasPrefix(rest[i:], m[0]) {
			d.diags.Errorf(at, "bad-variable", "%s is no variable", quoted(rest[i:])).
				WithHint("write ${NAME} or ${NAME:-default}")
			return s, false
		}
		value, found := d.env(m[1])
		switch {
		case found && (value != "" || m[2] == ""):
			b.WriteString(value)
		case m[2] != "":
			b.WriteString(m[3])
		default:
			d.diags.Errorf(at, "missing-variable", "the environment has no %s", m[1]).
				WithHint("set it, or write ${%s:-default}", m[1])
			ok = false
		}
		rest, offset = rest[i+len(m[0]):], offset+i+len(m[0])
	}
}

// version is the version of the language.
var version = kind[At[int]]{
	want: "1",
	decode: func(d *decoder, n *yaml.Node) (At[int], bool) {
		s, ok := d.scalar(n, "1")
		if !ok {
			return At[int]{}, false
		}
		switch {
		case s != "1":
			d.errorf(n, "bad-version", "version %s is not known; this program reads version 1", quoted(s)).WithHint("write version: 1")
			return At[int]{}, false
		case n.Style != 0: // a text, which the schema refuses too
			d.errorf(n, "bad-version", "the version is a number, not the text %s", quoted(s)).WithHint("write version: 1, without quotes")
			return At[int]{}, false
		}
		return At[int]{V: 1, Pos: d.pos(n), Set: true}, true
	},
	schema: func(*schemaBuilder) schema { return schema{{"const", 1}} },
}

// spell writes a duration as it may stand in a file.
func spell(v Duration) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	for _, u := range []string{"w", "d", "h", "m"} {
		if v != 0 && v%durationUnits[u] == 0 && (u != "w" || v > 2*durationUnits["w"]) {
			return fmt.Sprintf("%s%d%s", sign, v/durationUnits[u], u)
		}
	}
	return fmt.Sprintf("%s%ds", sign, v/time.Second)
}
