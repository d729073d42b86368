package loaders

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// conflict is a column, or a field inside of one, that is one thing in one file
// and another in another, so that no type holds both.
type conflict struct {
	// path is the name of the column, and behind it those of the fields that lead
	// to the part in question.
	path                            []string
	file, typ, otherFile, otherType string
	// asText: in all files it is text or whole numbers, which lose nothing where
	// text is wanted.
	asText bool
}

func (c conflict) String() string {
	return fmt.Sprintf("%s in %s, but %s in %s", c.typ, c.file, c.otherType, c.otherFile)
}

// meets reports whether who reads the path reads the conflict: all of it, a part
// of it, or what it is a part of.
func (c conflict) meets(path []string) bool {
	n := min(len(path), len(c.path))
	return slices.EqualFunc(path[:n], c.path[:n], strings.EqualFold)
}

// agreed reports whether the files agree on the types of the columns of an
// expression, or of those parts of them that it reads. Of a column that is read
// as text, text beside whole numbers is agreement enough, and only said.
func (in *inspector) agreed(e *metrics.Expr, sql sqlast.Expr) bool {
	for _, path := range readPaths(sql) {
		if in.isPartition(path[0]) {
			continue
		}
		clash, found := in.schema.conflictAt(path)
		if !found && in.isID(e) {
			clash, found = in.schema.pointsInTexts(path)
		}
		if !found {
			continue
		}
		if clash.asText && in.readAsText(e) {
			in.list.Warnf(e.Pos, "column-types", "the column %s of source %q is %s; it is read as text", path[0], in.def.Name.V, clash).
				WithHint("007 is another text than 7; see whether the export changed")
			continue
		}
		said := in.list.Errorf(e.Pos, "column-types", "the column %s of source %q is %s", strings.Join(clash.path, "."), in.def.Name.V, clash)
		said.WithHint("write the files anew with one type, or make them two sources")
		if len(clash.path) > len(path) {
			said.WithHint("write the files anew with one type, make them two sources, or name the parts that are needed: {price: %s.price}", strings.Join(path, "."))
		}
		return false
	}
	return true
}

// readAsText reports whether the source reads an expression as text, whatever
// its type: what names units, rows, experiments, variations and events, and what
// is told of them by name.
func (in *inspector) readAsText(e *metrics.Expr) bool {
	if in.isID(e) {
		return true
	}
	c := &in.def.Columns
	texts := []*metrics.Expr{&c.Experiment, &c.Flag, &c.Variation, &c.Event}
	for _, b := range []*metrics.Bag{&c.Properties, &c.Attributes} {
		for i := range b.Named {
			texts = append(texts, &b.Named[i].Column)
		}
	}
	return slices.Contains(texts, e)
}

// isID reports whether an expression names units or rows.
func (in *inspector) isID(e *metrics.Expr) bool {
	c := &in.def.Columns
	for i := range c.Units {
		if e == &c.Units[i].Column {
			return true
		}
	}
	for i := range c.ID {
		if e == &c.ID[i] {
			return true
		}
	}
	return false
}

// conflictAt is the first conflict that who reads a path meets.
func (s schema) conflictAt(path []string) (conflict, bool) {
	i := slices.IndexFunc(s.conflicts, func(c conflict) bool { return c.meets(path) })
	if i < 0 {
		return conflict{}, false
	}
	return s.conflicts[i], true
}

// pointsInTexts finds numbers with a point beside texts at a path inside of a
// column: the engine would make 4.0 of the number 4, which is another id.
func (s schema) pointsInTexts(path []string) (conflict, bool) {
	var text, number *conflict
	for _, k := range s.kinds {
		t, ok := typeAt(k.speaking(), path)
		switch {
		case !ok:
		case single(t).Kind == compiler.ColumnText && text == nil:
			text = &conflict{path: path, file: k.files[0], typ: t.Name}
		case hasPoint(single(t)) && number == nil:
			number = &conflict{path: path, file: k.files[0], typ: t.Name}
		}
	}
	if text == nil || number == nil {
		return conflict{}, false
	}
	number.otherFile, number.otherType = text.file, text.typ
	return *number, true
}

// typeAt is the type of a field that a path leads to.
func typeAt(columns []compiler.Column, path []string) (compiler.ColumnType, bool) {
	i := slices.IndexFunc(columns, func(c compiler.Column) bool { return strings.EqualFold(c.Name, path[0]) })
	if i < 0 {
		return compiler.ColumnType{}, false
	}
	if len(path) == 1 {
		return columns[i].Type, true
	}
	return typeAt(columns[i].Type.Fields, path[1:])
}

// single is the type of the values in a map or list, else the type itself.
func single(t compiler.ColumnType) compiler.ColumnType {
	if t.Elem != nil {
		return single(*t.Elem)
	}
	return t
}

// hasPoint reports whether a type has numbers that the engine writes with a point.
func hasPoint(t compiler.ColumnType) bool {
	return t.Kind == compiler.ColumnFloat || t.Kind == compiler.ColumnDecimal && t.Scale > 0
}

// conflicts compares the types of every column in all files; of each column it
// gives the first place where two have nothing in common.
func conflicts(all []fileColumns) []conflict {
	type place struct {
		file string
		typ  compiler.ColumnType
	}
	var found []conflict
	known := map[string][]place{} // the types of a column, by lower-case name
	for _, f := range all {
		for _, c := range f.speaking() {
			name := strings.ToLower(c.Name)
			if slices.ContainsFunc(known[name], func(p place) bool { return p.typ.Name == c.Type.Name }) {
				continue
			}
			for _, p := range known[name] {
				clash([]string{c.Name}, p.typ, c.Type, func(path []string, a, b compiler.ColumnType) {
					asText := len(path) == 1 && textBesideWhole(a, b)
					i := slices.IndexFunc(found, func(o conflict) bool { return slices.EqualFunc(o.path, path, strings.EqualFold) })
					if i < 0 {
						found = append(found, conflict{slices.Clone(path), p.file, a.Name, f.files[0], b.Name, asText})
						return
					}
					found[i].asText = found[i].asText && asText
				})
			}
			known[name] = append(known[name], place{f.files[0], c.Type})
		}
	}
	return found
}

// clash calls tell for each part of two types that no type can hold without
// loss. What is inside of lists and maps is read as a whole.
func clash(path []string, a, b compiler.ColumnType, tell func(path []string, a, b compiler.ColumnType)) {
	switch {
	case a.Kind == compiler.ColumnStruct && b.Kind == compiler.ColumnStruct:
		for _, field := range a.Fields {
			i := slices.IndexFunc(b.Fields, func(o compiler.Column) bool { return strings.EqualFold(o.Name, field.Name) })
			if i >= 0 {
				clash(append(slices.Clone(path), field.Name), field.Type, b.Fields[i].Type, tell)
			}
		}
	case a.Kind == b.Kind && (a.Kind == compiler.ColumnList || a.Kind == compiler.ColumnMap):
		inside := false
		clash(append(slices.Clone(path), ""), *a.Elem, *b.Elem, func([]string, compiler.ColumnType, compiler.ColumnType) { inside = true })
		if inside {
			tell(path, a, b)
		}
	case !reconcilable(a, b, len(path) > 1):
		tell(path, a, b)
	}
}

// reconcilable reports whether one type holds the values of both. Inside of a
// column text is such a type for all single values, since properties are read by
// what stands in them; of a column as a whole somebody meant one or the other.
func reconcilable(a, b compiler.ColumnType, inside bool) bool {
	one, other := family(a.Kind), family(b.Kind)
	switch {
	case one == compiler.ColumnOther && other == compiler.ColumnOther:
		return a.Name == b.Name
	case one == other:
		return fitsDecimal(a, b)
	case one == compiler.ColumnText:
		return inside && isSingle(b)
	case other == compiler.ColumnText:
		return inside && isSingle(a)
	default:
		return false
	}
}

// textBesideWhole reports whether one type is text, and the other of whole numbers.
func textBesideWhole(a, b compiler.ColumnType) bool {
	if b.Kind == compiler.ColumnText {
		a, b = b, a
	}
	return a.Kind == compiler.ColumnText && (b.Kind == compiler.ColumnInteger || b.Kind == compiler.ColumnDecimal && b.Scale == 0)
}

var isSingle = isKind(compiler.ColumnInteger, compiler.ColumnDecimal, compiler.ColumnFloat, compiler.ColumnBoolean,
	compiler.ColumnTimestamp, compiler.ColumnTimestampNS, compiler.ColumnTimestampTZ, compiler.ColumnDate)

// mostDigits are those that a DECIMAL holds.
const mostDigits = 38

// fitsDecimal reports whether a DECIMAL has room for the digits of both types
// before the point and after it, where it is one that would hold them: DuckDB
// drops digits behind the point rather than saying so.
func fitsDecimal(a, b compiler.ColumnType) bool {
	if a.Kind != compiler.ColumnDecimal && b.Kind != compiler.ColumnDecimal {
		return true
	}
	wholeA, scaleA, okA := digits(a)
	wholeB, scaleB, okB := digits(b)
	return !okA || !okB || max(wholeA, wholeB)+max(scaleA, scaleB) <= mostDigits
}

// integerDigits are those of the largest number of each type of integers.
var integerDigits = map[string]int{
	"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 38,
	"UTINYINT": 3, "USMALLINT": 5, "UINTEGER": 10, "UBIGINT": 20, "UHUGEINT": 38,
}

// digits are those before and after the point of an exact type.
func digits(t compiler.ColumnType) (whole, scale int, ok bool) {
	if t.Kind == compiler.ColumnDecimal {
		return t.Width - t.Scale, t.Scale, true
	}
	whole, ok = integerDigits[t.Name]
	return whole, 0, ok
}

// rounds reports whether a column has types in several files to one of which the
// values of another cannot be taken without rounding. A column that has conflicts
// inside is none such, for it can be read by its parts alone.
func (s schema) rounds(column string) bool {
	if slices.ContainsFunc(s.conflicts, func(c conflict) bool { return strings.EqualFold(c.path[0], column) && !c.asText }) {
		return false
	}
	var types []compiler.ColumnType
	for _, k := range s.kinds {
		for _, c := range k.speaking() {
			if strings.EqualFold(c.Name, column) {
				types = append(types, c.Type)
			}
		}
	}
	return slices.ContainsFunc(types, func(t compiler.ColumnType) bool { return roundsTo(types[0], t) })
}

// roundsTo reports whether values of one of the types, or of fields of both, are
// not exactly values of the other. Of whole numbers and of microseconds with and
// without zone they are, or are none at all.
func roundsTo(a, b compiler.ColumnType) bool {
	exact := isKind(compiler.ColumnTimestamp, compiler.ColumnTimestampTZ)
	switch {
	case a.Name == b.Name, a.Kind == compiler.ColumnInteger && b.Kind == compiler.ColumnInteger, exact(a) && exact(b):
		return false
	case a.Kind == compiler.ColumnStruct && b.Kind == compiler.ColumnStruct:
		return slices.ContainsFunc(a.Fields, func(f compiler.Column) bool {
			i := slices.IndexFunc(b.Fields, func(o compiler.Column) bool { return strings.EqualFold(o.Name, f.Name) })
			return i >= 0 && roundsTo(f.Type, b.Fields[i].Type)
		})
	}
	return true
}

// family groups the types that can stand in for each other without a change
// of meaning: DuckDB widens the narrower one.
func family(k compiler.ColumnKind) compiler.ColumnKind {
	switch k {
	case compiler.ColumnText, compiler.ColumnJSON, compiler.ColumnUUID:
		return compiler.ColumnText
	case compiler.ColumnInteger, compiler.ColumnDecimal, compiler.ColumnFloat:
		return compiler.ColumnInteger
	case compiler.ColumnTimestamp, compiler.ColumnTimestampNS, compiler.ColumnTimestampTZ, compiler.ColumnDate:
		return compiler.ColumnTimestamp
	case compiler.ColumnBoolean, compiler.ColumnStruct, compiler.ColumnMap, compiler.ColumnList, compiler.ColumnOther:
		return k
	default:
		panic(fmt.Sprintf("loaders: no case for %v", k))
	}
}

// readPaths are the columns that an expression reads, and the fields of columns
// where it reads no more of them.
func readPaths(x sqlast.Expr) [][]string {
	var paths [][]string
	columns := sqlast.Columns(x) // those that are no parameters of lambdas
	var walk func(sqlast.Expr) sqlast.Expr
	walk = func(x sqlast.Expr) sqlast.Expr {
		path, ok := fieldPath(x)
		if !ok {
			return sqlast.Map(x, walk)
		}
		if slices.Contains(columns, path[0]) {
			paths = append(paths, path)
		}
		return x
	}
	walk(x)
	return paths
}

// fieldPath is the path of a column, or of a field inside of one.
func fieldPath(x sqlast.Expr) (path []string, ok bool) {
	switch x := x.(type) {
	case sqlast.Column:
		return []string{x.Name}, true
	case sqlast.Field:
		path, ok = fieldPath(x.X)
		return append(path, x.Name), ok
	default:
		return nil, false
	}
}
