package compiler

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// Column is a column of a file, or a field of a struct.
type Column struct {
	Name string
	// InFile is the name that the file has, where the engine calls the column
	// otherwise, since another one's name differs from it in nothing but case.
	InFile string
	Type   ColumnType
}

// ColumnType is the type of a column as it is stored.
type ColumnType struct {
	Kind         ColumnKind
	Width, Scale int         // ColumnDecimal
	Fields       []Column    // ColumnStruct
	Elem         *ColumnType // the values of a ColumnMap, the elements of a ColumnList
	// Pairs tells of ColumnJSON, and of ColumnText that holds JSON, that there are
	// lists of named values in it, {name, value}, {key, value} or {key, value: {string_value, …}},
	// or objects with such a list as their member key_value.
	Pairs bool
	Name  string // as the engine spells it, for messages
}

// ColumnKind is a kind of stored type.
type ColumnKind int

// The kinds of stored types.
const (
	ColumnText ColumnKind = iota
	ColumnJSON
	ColumnUUID
	ColumnInteger
	ColumnDecimal
	ColumnFloat
	ColumnBoolean
	ColumnTimestamp   // without zone: UTC; any precision up to microseconds
	ColumnTimestampNS // without zone, nanoseconds
	ColumnTimestampTZ
	ColumnDate
	ColumnStruct
	ColumnMap // keys are text
	ColumnList
	ColumnOther
)

// CompileColumn reads one entry of a source's columns: the name of a column, a
// nested path, or an expression over columns. Names of columns and of fields
// are found in any case, an equal one first. The type is the stored one for a
// name or path; for an expression it is text, float, boolean or timestamp. A
// path into JSON is the text of what it leads to, with the type ColumnJSON.
// Mistakes are added to the list.
func CompileColumn(src metrics.Expr, columns []Column, list *diag.List) (sqlast.Expr, ColumnType, bool) {
	scope := newColumnScope(columns)
	if scope.tolerant = src.Tolerant; src.Tolerant {
		src = presentOf(src, columns)
		if x, ok := mixedAlternatives(src, columns); ok {
			return x, ColumnType{Kind: ColumnText, Name: "VARCHAR"}, true
		}
		if x, ok := objectAlternatives(src, columns); ok {
			return x, ColumnType{Kind: ColumnJSON, Name: "JSON"}, true
		}
	}
	entry := strings.TrimSpace(src.Src)
	for _, name := range []string{src.Src, entry} {
		if c, ok := findColumn(columns, name); ok {
			return sqlast.Column{Name: c.Name}, c.Type, true
		}
	}
	if base, names, ok := splitPath(entry, columns); ok {
		x, typ, d := walkPath(base, names)
		if d != nil {
			d.Pos = src.At(0)
			*list = append(*list, *d)
			return nil, ColumnType{}, false
		}
		return x, typ, true
	}
	if near, ok := diag.Nearest(entry, scope.names()); ok && !isWord(entry) && !strings.ContainsAny(entry, `"'+*/%<>=!?()`) {
		d := scope.unknown(entry)
		d.Pos, d.Hint = src.At(0), "did you mean "+strconv.Quote(near)+"?"
		*list = append(*list, *d)
		return nil, ColumnType{}, false
	}
	e, ok := Parse(src, scope, NilType, list)
	if !ok {
		return nil, ColumnType{}, false
	}
	return e.Value(scope), storedType(e.Type), true
}

// CompileSourceWhere reads a source's where, as a condition over its columns.
func CompileSourceWhere(src metrics.Expr, columns []Column, list *diag.List) (sqlast.Expr, bool) {
	scope := newColumnScope(columns)
	scope.tolerant = src.Tolerant
	e, ok := Parse(src, scope, BooleanType, list)
	if !ok {
		return nil, false
	}
	return e.Condition(scope), true
}

// storedType is the type of a column that holds the values of an expression.
func storedType(t Type) ColumnType {
	switch t {
	case TextType, JSONType:
		return ColumnType{Kind: ColumnText, Name: "VARCHAR"}
	case NumberType:
		return ColumnType{Kind: ColumnFloat, Name: "DOUBLE"}
	case BooleanType:
		return ColumnType{Kind: ColumnBoolean, Name: "BOOLEAN"}
	case TimeType:
		return ColumnType{Kind: ColumnTimestamp, Name: "TIMESTAMP"}
	}
	panic("compiler: no stored type for " + t.String())
}

// findColumn finds a column by its name, or by its name in another case where
// only one has it: warehouses write names in upper case, or in lower.
func findColumn(columns []Column, name string) (found Column, ok bool) {
	for _, c := range columns {
		if c.InFile == name && name != "" {
			return c, true
		}
	}
	several := false
	for _, c := range columns {
		switch {
		case c.Name == name:
			return c, true
		case strings.EqualFold(c.Name, name):
			several = ok
			found, ok = c, true
		}
	}
	if several {
		return Column{}, false
	}
	return found, ok
}

// splitPath reads a text as a column (the longest name that fits) and the
// names behind it: context.key, props["sku"].
func splitPath(text string, columns []Column) (base Column, names []string, ok bool) {
	for _, c := range columns {
		if len(text) < len(c.Name) || ok && len(c.Name) <= len(base.Name) {
			continue
		}
		prefix, rest := text[:len(c.Name)], text[len(c.Name):]
		if same, found := findColumn(columns, prefix); !found || same.Name != c.Name {
			continue
		}
		if path, good := pathNames(rest); good {
			base, names, ok = c, path, true
		}
	}
	return base, names, ok
}

// pathNames reads .name, ["name"] and, of places in lists, .0 and [0], up to the
// end; there is at least one.
func pathNames(rest string) (names []string, ok bool) {
	for rest != "" {
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			name := rest[1 : end+1]
			if !isWord(name) && !keywords[name] && !isPlace(name) {
				return nil, false
			}
			names, rest = append(names, name), rest[end+1:]
		case strings.HasPrefix(rest, `["`), strings.HasPrefix(rest, "['"):
			end := strings.Index(rest[2:], rest[1:2]+"]")
			if end < 0 || strings.ContainsAny(rest[2:2+end], `\"'`) {
				return nil, false
			}
			names, rest = append(names, rest[2:2+end]), rest[2+end+2:]
		case rest[0] == '[':
			place, behind, _ := strings.Cut(rest[1:], "]")
			if !isPlace(place) {
				return nil, false
			}
			names, rest = append(names, place), behind
		default:
			return nil, false
		}
	}
	return names, len(names) > 0
}

// unknownField is the code of a field that a STRUCT has not.
const unknownField = "unknown-field"

// walkPath reads a path from a column on.
func walkPath(base Column, names []string) (sqlast.Expr, ColumnType, *diag.Diagnostic) {
	x, typ, so := sqlast.Expr(sqlast.Column{Name: base.Name}), base.Type, base.Name
	for _, name := range names {
		pairs, values, named := NamedValues(x, typ)
		f, isField := findColumn(typ.Fields, name)
		switch {
		case isField:
			x, typ = sqlast.Field{X: x, Name: f.Name}, f.Type
		case named && !isPlace(name):
			x, typ = sqlCall(sqlast.PairValue, pairs, sqlast.Text(name)), values
		case typ.Kind == ColumnStruct:
			d := missing("field", name, so, typ.Fields)
			d.Code = unknownField
			return nil, ColumnType{}, d
		case typ.Kind == ColumnMap && typ.Elem != nil:
			x, typ = sqlCall(sqlast.MapValue, x, sqlast.Text(name)), *typ.Elem
		case typ.Pairs && name == keyValue: // which JSONPairs takes off
		case typ.Pairs && !isPlace(name):
			x, typ = sqlCall(sqlast.PairValue, sqlCall(sqlast.JSONPairs, x), sqlast.Text(name)), ColumnType{Kind: ColumnText, Name: "VARCHAR"}
		case typ.Kind == ColumnJSON, typ.Kind == ColumnText:
			x, typ = jsonText(x, name), ColumnType{Kind: ColumnJSON, Name: "JSON"}
		case typ.Kind == ColumnList && typ.Elem != nil && isPlace(name):
			place, _ := strconv.Atoi(name)
			x, typ = sqlCall(sqlast.ListElement, x, sqlast.Int(place+1)), *typ.Elem
		default:
			return nil, ColumnType{}, &diag.Diagnostic{Code: "unknown-column", Message: "column " + so + " is " + article(typ) + ", it holds no values by name"}
		}
		so += member(name)
	}
	return x, typ, nil
}

// isPlace reports whether a name in a path is the place of an entry in a list,
// from 0 on.
func isPlace(name string) bool {
	place, err := strconv.Atoi(name)
	return err == nil && place >= 0 && strconv.Itoa(place) == name
}

// keyValue is the only field of what BigQuery makes of a MAP: the list of its entries.
const keyValue = "key_value"

// NamedValues reads a list of named values as one of {name, value}, and gives the
// type of the values. Such are lists of {name, value}, of {key, value}, and of the
// parameters of Google Analytics; and a STRUCT that has such a list as its only
// field, key_value.
func NamedValues(x sqlast.Expr, t ColumnType) (pairs sqlast.Expr, values ColumnType, ok bool) {
	if t.Kind == ColumnStruct && len(t.Fields) == 1 && strings.EqualFold(t.Fields[0].Name, keyValue) {
		x, t = sqlast.Field{X: x, Name: t.Fields[0].Name}, t.Fields[0].Type
	}
	if t.Kind != ColumnList || t.Elem == nil || t.Elem.Kind != ColumnStruct {
		return nil, ColumnType{}, false
	}
	hasText := func(field string) bool {
		f, found := findColumn(t.Elem.Fields, field)
		return found && f.Type.Kind == ColumnText
	}
	value, found := findColumn(t.Elem.Fields, "value")
	switch {
	case !found:
		return nil, ColumnType{}, false
	case hasText("key") && isParameter(value.Type):
		return sqlCall(sqlast.Parameters, x), ColumnType{Kind: ColumnText, Name: "VARCHAR"}, true
	case hasText("name"):
		return x, value.Type, true
	case hasText("key"):
		return sqlCall(sqlast.KeyPairs, x), value.Type, true
	}
	return nil, ColumnType{}, false
}

// isParameter reports whether a type is that of the value of a parameter as
// Google Analytics exports it, with a field for each type.
func isParameter(t ColumnType) bool {
	for _, name := range []string{"string_value", "int_value", "float_value", "double_value"} {
		if _, ok := findColumn(t.Fields, name); !ok {
			return false
		}
	}
	return true
}

func article(t ColumnType) string { return "of type " + t.Name }

// missing tells that a column or field is not there, with the nearest and a
// few that are.
func missing(what, name, of string, columns []Column) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: "unknown-column", Message: "there is no " + what + " " + strconv.Quote(name)}
	if of != "" {
		d.Message += " in " + of
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	if d.Hint = diag.DidYouMean(name, names); d.Hint == "" && len(names) > 0 {
		const few = 8
		more := ""
		if len(names) > few {
			names, more = names[:few], ", …"
		}
		d.Hint = "there are " + strings.Join(names, ", ") + more
	}
	return d
}

// pathScope is a scope that resolves whole paths: the names of a source are
// its columns, whatever the words of metrics mean.
type pathScope interface {
	path(word string, names []string) (Ref, *diag.Diagnostic)
	// tolerates reports whether what is nowhere is a missing value.
	tolerates() bool
}

// columnScope reads the columns of a source.
type columnScope struct {
	columns  []Column
	paths    map[string]columnPath // by the canonical text of the path
	tolerant bool                  // names that the columns lack are missing values
}

func (s *columnScope) tolerates() bool { return s.tolerant }

type columnPath struct {
	x   sqlast.Expr
	typ ColumnType
}

func newColumnScope(columns []Column) *columnScope {
	return &columnScope{columns: columns, paths: map[string]columnPath{}}
}

func (s *columnScope) names() (names []string) {
	for _, c := range s.columns {
		names = append(names, c.Name)
	}
	return names
}

func (s *columnScope) unknown(name string) *diag.Diagnostic {
	return missing("column", name, "", s.columns)
}

func (s *columnScope) path(word string, names []string) (Ref, *diag.Diagnostic) {
	text := word
	for _, name := range names {
		text += member(name)
	}
	c, ok := findColumn(s.columns, word)
	rest := names
	for i := range names { // the longest name of a column wins
		if longer, found := findColumn(s.columns, strings.Join(append([]string{word}, names[:i+1]...), ".")); found {
			c, ok, rest = longer, true, names[i+1:]
		}
	}
	if !ok {
		return Ref{}, s.unknown(word)
	}
	x, typ, d := walkPath(c, rest)
	if d != nil {
		return Ref{}, d
	}
	s.paths[text] = columnPath{x, typ}
	return Ref{RefColumn, text}, nil
}

// Bare implements Scope.
func (s *columnScope) Bare(word string) (Ref, bool) {
	_, ok := findColumn(s.columns, word)
	return Ref{RefColumn, word}, ok
}

// Words implements Scope.
func (s *columnScope) Hint(word string) string { return diag.DidYouMean(word, s.names()) }

// Resolve implements Scope.
func (s *columnScope) Resolve(r Ref) (Type, *diag.Diagnostic) {
	switch t := s.paths[r.Name].typ; t.Kind {
	case ColumnText, ColumnUUID:
		return TextType, nil
	case ColumnJSON:
		return JSONType, nil
	case ColumnInteger, ColumnDecimal, ColumnFloat:
		return NumberType, nil
	case ColumnBoolean:
		return BooleanType, nil
	case ColumnTimestamp, ColumnTimestampNS, ColumnTimestampTZ, ColumnDate:
		return TimeType, nil
	case ColumnStruct, ColumnMap:
		return NilType, &diag.Diagnostic{Code: "unknown-column", Message: "column " + r.Name + " is " + article(t) + ", not a single value",
			Hint: "name one of its values: " + r.Name + ".key or " + r.Name + `["key"]`}
	default:
		return NilType, &diag.Diagnostic{Code: "unknown-column", Message: "column " + r.Name + " is " + article(t) + ", which expressions cannot read"}
	}
}

// SQL implements Scope.
func (s *columnScope) SQL(r Ref) sqlast.Expr {
	p, ok := s.paths[r.Name]
	if !ok {
		panic("compiler: the column " + r.Name + " was not resolved")
	}
	as := func(k sqlast.Kind) sqlast.Expr { return sqlast.Cast{X: p.x, To: sqlast.Type{Kind: k}} }
	switch p.typ.Kind {
	case ColumnText, ColumnBoolean:
		return p.x
	case ColumnJSON:
		return JSONText(p.x)
	case ColumnUUID:
		return as(sqlast.Varchar)
	case ColumnInteger, ColumnDecimal:
		return as(sqlast.Double)
	case ColumnFloat:
		return sqlCall(sqlast.Finite, as(sqlast.Double))
	case ColumnTimestamp, ColumnDate:
		return as(sqlast.TimestampType)
	case ColumnTimestampNS:
		return sqlCall(sqlast.NanosToTime, p.x)
	case ColumnTimestampTZ:
		return sqlCall(sqlast.TimestampTZToTime, p.x)
	}
	panic("compiler: the column " + r.Name + " has no single value")
}

// Names are the words of an expression over columns that may be names of
// columns, each once; those of functions and of values by name are none.
func Names(src metrics.Expr) []string {
	tokens, err := lexer.Lex(file.NewSource(src.Src))
	if err != nil {
		return nil
	}
	var names []string
	for i, t := range tokens {
		word := t.Kind == lexer.Identifier && !keywords[t.Value] && !slices.Contains(names, t.Value)
		if !word || i > 0 && tokens[i-1].Is(lexer.Operator, ".", "?.") || tokens[i+1].Is(lexer.Bracket, "(") {
			continue
		}
		names = append(names, t.Value)
	}
	return names
}
