package diag

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Nearest returns the candidate that word was probably meant to be: the one
// with the smallest edit distance (insert, delete, replace, swap of
// neighbours), at most a third of the longer word and at most 3, case
// ignored. A single letter is near to itself alone, in the other case. Ties go
// to the first in alphabetical order.
func Nearest(word string, candidates []string) (string, bool) {
	sorted := slices.Clone(candidates)
	slices.Sort(sorted)
	best, bestDist := "", 1<<30
	for _, c := range sorted {
		if c == "" || c == word {
			continue
		}
		limit := min(3, (max(len(c), len(word))+2)/3)
		if min(utf8.RuneCountInString(c), utf8.RuneCountInString(word)) == 1 {
			limit = 0
		}
		d := distance(strings.ToLower(word), strings.ToLower(c))
		if d <= limit && d < bestDist {
			best, bestDist = c, d
		}
	}
	return best, best != ""
}

// DidYouMean is the usual hint for a word that is not among the candidates;
// it is empty where none is near.
func DidYouMean(word string, candidates []string) string {
	if c, ok := Nearest(word, candidates); ok {
		return "did you mean " + quote(c) + "?"
	}
	return ""
}

// Suggest is the hint for a word that is not among the candidates: the nearest
// one, else what there is, as in "the metrics are a, b and 3 more". It is empty
// only where there is nothing.
func Suggest(what, word string, candidates []string) string {
	if near := DidYouMean(word, candidates); near != "" || len(candidates) == 0 {
		return near
	}
	const most = 10
	names := slices.Compact(slices.Sorted(slices.Values(candidates)))
	if len(names) == 1 {
		return "the only one here is " + names[0]
	}
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return "the " + what + " here are " + strings.Join(names, ", ") + more
}

func quote(s string) string { return `"` + s + `"` }

// distance is the optimal string alignment distance.
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	prev2, prev, cur := make([]int, len(rb)+1), make([]int, len(rb)+1), make([]int, len(rb)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		cur[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(rb)]
}
