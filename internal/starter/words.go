package starter

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/metricsjob/metricsjob/metrics"
)

// names makes keys of the words of an export, each once.
type names struct{ taken map[string]bool }

// of makes the key for a word: what can stand in a key of it, behind the
// prefix where that does not begin with a letter.
func (n names) of(word, prefix, suffix string) string {
	base := metrics.KeyOf(word, prefix)
	key := base + suffix
	for i := 2; n.taken[key]; i++ {
		key = fmt.Sprintf("%s_%d%s", base, i, suffix)
	}
	n.taken[key] = true
	return key
}

// plain are texts that mean themselves in YAML wherever they stand.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// scalar is a text as YAML, quoted where it must be.
func scalar(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return quoted(s)
	}
	if plain.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted is a text in the quotes of YAML.
func quoted(s string) string {
	if !printable(s) {
		return strconv.QuoteToASCII(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// shown is a text in a comment.
func shown(s string) string {
	if printable(s) {
		return s
	}
	return strconv.QuoteToASCII(s)
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0
}

// list joins the first words and says how many more there are.
func list(words []string) string {
	const most = 100
	more := ""
	if len(words) > most {
		more = fmt.Sprintf(" and %d more", len(words)-most)
		words = words[:most]
	}
	var out []string
	for _, word := range words {
		out = append(out, shown(word))
	}
	return strings.Join(out, ", ") + more
}

// sentence is a note that ends in a full stop.
func sentence(s string) string { return shown(s) + "." }

// amount is a number with its noun: 1 row, 12,345 rows.
func amount(n int64, noun string) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n != 1 {
		noun += "s"
	}
	return digits + " " + noun
}

// share is a part of a whole in percent.
func share(part, whole int64) string {
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}
