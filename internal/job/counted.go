package job

import (
	"fmt"
	"regexp"
)

// numerals are the words of a text that go with its number: {many|one}.
var numerals = regexp.MustCompile(`\{([^|}]*)\|([^|}]*)\}`)

// counted is a text about a number, as in "%d {rows have|row has} no event key".
func counted(text string, n int64) string {
	words := "$1"
	if n == 1 {
		words = "$2"
	}
	return fmt.Sprintf(numerals.ReplaceAllString(text, words), n)
}
