package loaders

import (
	"fmt"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
)

// parseType reads a type as DuckDB spells it, e.g.
// STRUCT(id VARCHAR, "name" VARCHAR)[]. What it does not know is ColumnOther.
func parseType(spelling string) compiler.ColumnType {
	p := typeParser{rest: spelling}
	t, ok := p.parse()
	if !ok || p.rest != "" {
		return compiler.ColumnType{Kind: compiler.ColumnOther, Name: spelling}
	}
	return t
}

// typeParser is the part of a spelling that is not read yet.
type typeParser struct{ rest string }

var scalarKinds = map[string]compiler.ColumnKind{
	"VARCHAR":                  compiler.ColumnText,
	"JSON":                     compiler.ColumnJSON,
	"UUID":                     compiler.ColumnUUID,
	"TINYINT":                  compiler.ColumnInteger,
	"SMALLINT":                 compiler.ColumnInteger,
	"INTEGER":                  compiler.ColumnInteger,
	"BIGINT":                   compiler.ColumnInteger,
	"HUGEINT":                  compiler.ColumnInteger,
	"UTINYINT":                 compiler.ColumnInteger,
	"USMALLINT":                compiler.ColumnInteger,
	"UINTEGER":                 compiler.ColumnInteger,
	"UBIGINT":                  compiler.ColumnInteger,
	"UHUGEINT":                 compiler.ColumnInteger,
	"FLOAT":                    compiler.ColumnFloat,
	"DOUBLE":                   compiler.ColumnFloat,
	"BOOLEAN":                  compiler.ColumnBoolean,
	"TIMESTAMP":                compiler.ColumnTimestamp,
	"TIMESTAMP_S":              compiler.ColumnTimestamp,
	"TIMESTAMP_MS":             compiler.ColumnTimestamp,
	"TIMESTAMP_NS":             compiler.ColumnTimestampNS,
	"TIMESTAMP WITH TIME ZONE": compiler.ColumnTimestampTZ,
	"DATE":                     compiler.ColumnDate,
}

func (p *typeParser) parse() (compiler.ColumnType, bool) {
	start := p.rest
	read := func() string { return start[:len(start)-len(p.rest)] }
	t, ok := p.element()
	t.Name = read()
	for ok && p.skip("[") {
		if !p.skip("]") { // an array of fixed length
			end := strings.IndexByte(p.rest, ']')
			if end < 0 {
				return t, false
			}
			p.rest = p.rest[end+1:]
		}
		elem := t
		t = compiler.ColumnType{Kind: compiler.ColumnList, Elem: &elem, Name: read()}
	}
	return t, ok
}

func (p *typeParser) element() (compiler.ColumnType, bool) {
	word := p.word()
	switch word {
	case "STRUCT":
		fields, ok := p.fields()
		return compiler.ColumnType{Kind: compiler.ColumnStruct, Fields: fields}, ok
	case "MAP":
		return p.mapping()
	case "DECIMAL":
		return p.decimal()
	}
	kind, ok := scalarKinds[word]
	if !ok {
		kind = compiler.ColumnOther
		if p.skip("(") {
			ok = p.skipParens()
		}
		return compiler.ColumnType{Kind: kind}, ok || word != ""
	}
	return compiler.ColumnType{Kind: kind}, true
}

// word reads the name of a type, which may have blanks in it.
func (p *typeParser) word() string {
	end := strings.IndexAny(p.rest, "(),[]")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return strings.TrimSpace(word)
}

func (p *typeParser) fields() ([]compiler.Column, bool) {
	if !p.skip("(") {
		return nil, false
	}
	var fields []compiler.Column
	for {
		name, ok := p.identifier()
		if !ok || !p.skip(" ") {
			return nil, false
		}
		t, ok := p.parse()
		if !ok {
			return nil, false
		}
		fields = append(fields, compiler.Column{Name: name, Type: t})
		if p.skip(")") {
			return fields, true
		}
		if !p.skip(", ") {
			return nil, false
		}
	}
}

func (p *typeParser) mapping() (compiler.ColumnType, bool) {
	other := compiler.ColumnType{Kind: compiler.ColumnOther}
	if !p.skip("(") {
		return other, false
	}
	key, ok := p.parse()
	if !ok || !p.skip(", ") {
		return other, false
	}
	value, ok := p.parse()
	if !ok || !p.skip(")") {
		return other, false
	}
	if key.Kind != compiler.ColumnText {
		return other, true
	}
	return compiler.ColumnType{Kind: compiler.ColumnMap, Elem: &value}, true
}

func (p *typeParser) decimal() (compiler.ColumnType, bool) {
	var width, scale int
	end := strings.IndexByte(p.rest, ')')
	if end < 0 {
		return compiler.ColumnType{}, false
	}
	if _, err := fmt.Sscanf(p.rest[:end+1], "(%d,%d)", &width, &scale); err != nil {
		return compiler.ColumnType{}, false
	}
	p.rest = p.rest[end+1:]
	return compiler.ColumnType{Kind: compiler.ColumnDecimal, Width: width, Scale: scale}, true
}

// identifier reads the name of a field, which may be in double quotes.
func (p *typeParser) identifier() (string, bool) {
	if !strings.HasPrefix(p.rest, `"`) {
		end := strings.IndexByte(p.rest, ' ')
		if end <= 0 {
			return "", false
		}
		name := p.rest[:end]
		p.rest = p.rest[end:]
		return name, true
	}
	for i := 1; i < len(p.rest); i++ {
		if p.rest[i] != '"' {
			continue
		}
		if i+1 < len(p.rest) && p.rest[i+1] == '"' {
			i++
			continue
		}
		name := strings.ReplaceAll(p.rest[1:i], `""`, `"`)
		p.rest = p.rest[i+1:]
		return name, true
	}
	return "", false
}

// skipParens reads up to the parenthesis that closes one already open.
func (p *typeParser) skipParens() bool {
	depth := 1
	for i, r := range p.rest {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			p.rest = p.rest[i+1:]
			return true
		}
	}
	return false
}

func (p *typeParser) skip(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}
