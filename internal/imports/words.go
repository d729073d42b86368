package imports

import (
	"math/big"
)

// unitsOfTime are the letters of durations and their lengths in seconds, by the words
// of other tools.
var unitsOfTime = map[string]struct {
	letter  string
	seconds int64
}{
	"seconds": {"s", 1}, "minutes": {"m", 60}, "hours": {"h", 3600}, "days": {"d", 86400}, "weeks": {"w", 7 * 86400},
	"second": {"s", 1}, "minute": {"m", 60}, "hour": {"h", 3600}, "day": {"d", 86400}, "week": {"w", 7 * 86400},
}

// duration writes a length of time: in the tool's own unit where that is whole, else in
// seconds; empty where it is 0, or no length.
func duration(value, unit string) string {
	u, known := unitsOfTime[unit]
	n, ok := new(big.Rat).SetString(value)
	if !known || !ok || n.Sign() <= 0 {
		return ""
	}
	if n.IsInt() {
		return n.Num().String() + u.letter
	}
	n.Mul(n, new(big.Rat).SetInt64(u.seconds))
	return n.FloatString(0) + "s"
}

// sumOf writes the sum of two lengths of time.
func sumOf(a, unitA, b, unitB string) string {
	total := new(big.Rat)
	for _, part := range [][2]string{{a, unitA}, {b, unitB}} {
		n, ok := new(big.Rat).SetString(part[0])
		if !ok {
			continue
		}
		total.Add(total, n.Mul(n, new(big.Rat).SetInt64(unitsOfTime[part[1]].seconds)))
	}
	for _, word := range []string{"days", "hours", "minutes"} {
		if n := new(big.Rat).Quo(total, new(big.Rat).SetInt64(unitsOfTime[word].seconds)); n.IsInt() {
			return n.Num().String() + unitsOfTime[word].letter
		}
	}
	return total.FloatString(0) + "s"
}

// percent is a share such as 0.95 in percent, 95.
func percent(share string) string {
	n, ok := new(big.Rat).SetString(share)
	if !ok {
		return ""
	}
	return decimal(n.Mul(n, big.NewRat(100, 1)))
}

// isNumber reports whether a text is this number.
func isNumber(text string, n *big.Rat) bool {
	have, ok := new(big.Rat).SetString(text)
	return ok && have.Cmp(n) == 0
}

// isPercentile reports whether a text is a percentile that is neither the smallest value
// nor the greatest, nor none.
func isPercentile(text string) bool {
	n, ok := new(big.Rat).SetString(text)
	return ok && n.Sign() > 0 && n.Cmp(big.NewRat(100, 1)) < 0
}

// decimal writes a number without needless digits.
func decimal(n *big.Rat) string {
	digits, exact := n.FloatPrec()
	if !exact {
		digits = 9
	}
	return n.FloatString(digits)
}
