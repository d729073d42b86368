package compiler

import (
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Absent reports whether the columns have nothing of what a tolerant entry
// names, so that there is nothing to compile.
func Absent(src metrics.Expr, columns []Column) bool {
	if !src.Tolerant {
		return false
	}
	src = presentOf(src, columns)
	if src.Src == "" {
		return true
	}
	if _, isName := lookUp(src.Src, columns); isName {
		return false
	}
	scope := newColumnScope(columns)
	scope.tolerant = true
	Parse(src, scope, NilType, &diag.List{})
	return len(scope.paths) == 0
}

// presentOf is a tolerant entry without the alternatives (a ?? b) that the
// columns lack, so that the one that is there has its own type, which may be
// one that expressions cannot read. An entry in which expressions stand is left
// as it is.
func presentOf(src metrics.Expr, columns []Column) metrics.Expr {
	var present []string
	for _, alternative := range strings.Split(src.Src, "??") {
		alternative = strings.TrimSpace(alternative)
		found, isName := lookUp(alternative, columns)
		if !isName {
			return src
		}
		if found {
			present = append(present, alternative)
		}
	}
	src.Src = strings.Join(present, " ?? ")
	return src
}

// lookUp reports whether an entry is a name or a path, and whether the columns
// have it.
func lookUp(entry string, columns []Column) (found, isName bool) {
	if _, ok := findColumn(columns, entry); ok {
		return true, true
	}
	if base, names, ok := splitPath(entry, columns); ok {
		_, _, missing := walkPath(base, names)
		return missing == nil, true
	}
	word, rest := entry, ""
	if i := strings.IndexAny(entry, ".["); i >= 0 {
		word, rest = entry[:i], entry[i:]
	}
	if !isWord(word) {
		return false, false
	}
	_, isPath := pathNames(rest)
	return false, rest == "" || isPath
}
