package compiler

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// prefixes are the words before a dot, with what they name.
var prefixes = map[string]RefKind{
	"properties": RefProperty, "attributes": RefAttribute, "exposure": RefExposure, "unit": RefUnit, "units": RefUnitID,
}

// builtins are the names that stand alone.
var builtins = map[string]RefKind{"value": RefValue, "event": RefEvent, "elapsed": RefElapsed}

// name resolves a plain word, prefix.name, prefix["name"], or the path of a
// column.
func (c *checker) name(n ast.Node) checked {
	at := start(n)
	bad := checked{node: NilNode{}, at: at}
	word, path, ok := c.path(n)
	if !ok {
		return bad
	}
	if columns, ok := c.scope.(pathScope); ok {
		ref, d := columns.path(word, path)
		if d != nil && c.tolerates() {
			return checked{NilNode{}, NilType, at, true}
		}
		return c.resolved(ref, d, at, at)
	}
	kind, isPrefix := prefixes[word]
	builtin, isBuiltin := builtins[word]
	last := at
	if m, ok := n.(*ast.MemberNode); ok {
		last = m.Property.Location().From
	}
	switch {
	case isPrefix && len(path) == 1:
		return c.resolved(Ref{kind, path[0]}, nil, at, last)
	case isPrefix && len(path) == 0:
		if ref, ok := c.scope.Bare(word); ok {
			return c.resolved(ref, nil, at, at)
		}
		c.fail(at, "unknown-name", "%s is not a value, it holds values by name", word).WithHint(`write %s.country or %s["country"]`, word, word)
		return bad
	case isPrefix:
		c.fail(last, "unknown-name", "%s has no values inside of values", word).
			WithHint(`a name with a dot is written %s["%s"]`, word, strings.Join(path, "."))
		return bad
	case len(path) > 0:
		d := c.fail(at, "unknown-name", "%s has no values by name", word)
		if _, ok := c.scope.Bare(word); ok {
			d.WithHint(`a property with a dot in its name is written properties["%s"]`, strings.Join(append([]string{word}, path...), "."))
		} else if hint := diag.DidYouMean(word, []string{"properties", "attributes", "exposure", "unit", "units"}); hint != "" {
			d.WithHint("%s", hint)
		} else {
			d.WithHint(`write properties["%s"] or attributes["%[1]s"]`, strings.Join(append([]string{word}, path...), "."))
		}
		return bad
	case isBuiltin:
		return c.resolved(Ref{Kind: builtin}, nil, at, at)
	}
	if ref, ok := c.scope.Bare(word); ok {
		return c.resolved(ref, nil, at, at)
	}
	c.fail(at, "unknown-name", "unknown name %q", word).Hint = c.scope.Hint(word)
	return bad
}

// resolved looks a name up in the scope.
func (c *checker) resolved(ref Ref, d *diag.Diagnostic, at, place int) checked {
	var typ Type
	if d == nil {
		typ, d = c.scope.Resolve(ref)
	}
	if d != nil {
		c.failed = true
		d.Pos = c.At(c.offset(place))
		*c.list = append(*c.list, *d)
		return checked{node: NilNode{}, at: at}
	}
	if !slices.Contains(c.expression.Refs, ref) {
		c.expression.Refs = append(c.expression.Refs, ref)
		c.expression.places = append(c.expression.places, c.At(c.offset(at)))
	}
	return checked{NameNode{ref, typ}, typ, at, true}
}

// path takes a chain of members apart into its first word and the names
// behind it.
func (c *checker) path(n ast.Node) (word string, names []string, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, nil, true
	case *ast.MemberNode:
		word, names, ok = c.path(n.Node)
		if !ok {
			return "", nil, false
		}
		switch name := n.Property.(type) {
		case *ast.StringNode:
			return word, append(names, name.Value), true
		case *ast.IntegerNode:
			if _, columns := c.scope.(pathScope); columns && name.Value >= 0 {
				return word, append(names, strconv.Itoa(name.Value)), true
			}
		}
		c.fail(start(n.Property), "expression-syntax", "the name between brackets is not a text literal").
			WithHint(`write properties["name"]`)
		return "", nil, false
	}
	c.fail(start(n), "expression-syntax", "only names have values behind a dot or between brackets").
		WithHint("write properties.name or exposure.name, without a function or bracket before the dot")
	return "", nil, false
}

// isWord reports whether a name can be written behind a dot.
func isWord(s string) bool {
	first, size := utf8.DecodeRuneInString(s)
	if s == "" || keywords[s] || !wordRune(first) || unicode.IsDigit(first) {
		return false
	}
	for _, r := range s[size:] {
		if !wordRune(r) {
			return false
		}
	}
	return true
}

func wordRune(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// keywords are words that expr reads as operators or values.
var keywords = map[string]bool{
	"not": true, "in": true, "or": true, "and": true, "matches": true, "contains": true, "startsWith": true,
	"endsWith": true, "let": true, "if": true, "else": true, "true": true, "false": true, "nil": true,
}
