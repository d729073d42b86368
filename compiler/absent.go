package compiler

import (
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
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

// mixedAlternatives is a tolerant entry a ?? b the alternatives of which are
// stored with types that do not go together, as text; ok is false for any other.
// Where one shape of a record has only numbers and another has texts, or values
// of JSON, each value is what it is: which type the column has, a preset leaves to
// the data.
func mixedAlternatives(src metrics.Expr, columns []Column) (x sqlast.Expr, ok bool) {
	var texts []sqlast.Expr
	kinds := map[ColumnKind]bool{}
	for _, alternative := range strings.Split(src.Src, "??") {
		x, typ, found := stored(strings.TrimSpace(alternative), columns)
		if !found {
			return nil, false
		}
		kind := ColumnText
		switch typ.Kind {
		case ColumnText:
		case ColumnUUID:
			x = sqlast.Cast{X: x, To: varchar}
		case ColumnJSON:
			x = JSONText(x)
		case ColumnInteger:
			x, kind = sqlast.Cast{X: x, To: varchar}, ColumnFloat
		case ColumnDecimal:
			x, kind = PlainDecimal(x), ColumnFloat
		case ColumnFloat:
			x, kind = call(sqlast.FloatText, call(sqlast.Finite, x)), ColumnFloat
		case ColumnBoolean:
			x, kind = sqlast.Cast{X: x, To: varchar}, ColumnBoolean
		default:
			return nil, false
		}
		kinds[kind] = true
		texts = append(texts, x)
	}
	return call(sqlast.Coalesce, texts...), len(kinds) > 1
}

// objectAlternatives is a tolerant entry a ?? b the alternatives of which hold named
// values, some in a STRUCT or a MAP, as JSON, which they may all be; ok is false for any
// other. Parquet has such types where NDJSON has JSON.
func objectAlternatives(src metrics.Expr, columns []Column) (x sqlast.Expr, ok bool) {
	var objects []sqlast.Expr
	for _, alternative := range strings.Split(src.Src, "??") {
		x, typ, found := stored(strings.TrimSpace(alternative), columns)
		switch {
		case !found:
			return nil, false
		case typ.Kind == ColumnStruct, typ.Kind == ColumnMap:
			x, ok = sqlast.Cast{X: x, To: sqlast.Type{Kind: sqlast.JSONType}}, true
		case typ.Kind != ColumnJSON:
			return nil, false
		}
		objects = append(objects, x)
	}
	return call(sqlast.Coalesce, objects...), ok && len(objects) > 1
}

// stored is the column or the path that an entry names.
func stored(entry string, columns []Column) (sqlast.Expr, ColumnType, bool) {
	if c, ok := findColumn(columns, entry); ok {
		return sqlast.Column{Name: c.Name}, c.Type, true
	}
	if base, names, ok := splitPath(entry, columns); ok {
		x, typ, missing := walkPath(base, names)
		return x, typ, missing == nil
	}
	return nil, ColumnType{}, false
}

// PlainDecimal is the text of a DECIMAL: that of the whole number, if it is one,
// else with all digits of its type.
func PlainDecimal(x sqlast.Expr) sqlast.Expr {
	whole := call(sqlast.Trunc, x)
	text := func(x sqlast.Expr) sqlast.Expr { return sqlast.Cast{X: x, To: varchar} }
	return sqlast.Case{Whens: []sqlast.When{{If: compare(sqlast.Eq, whole, x), Then: text(whole)}}, Else: text(x)}
}
