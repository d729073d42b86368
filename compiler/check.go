package compiler

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// checker turns expr's tree into ours, in one walk that resolves names and
// checks types.
type checker struct {
	*source
	scope      Scope
	expression *Expression
	failed     bool
}

// checked is a node with its type and where it begins. With ok false a
// mistake in it has been told, and nothing more is to be said about its type.
type checked struct {
	node Node
	typ  Type
	at   int // the first character
	ok   bool
}

// fail adds an error at a character.
func (c *checker) fail(at int, code, format string, args ...any) *diag.Diagnostic {
	c.failed = true
	return c.errorf(at, code, format, args...)
}

func (c *checker) check(n ast.Node) checked {
	at := start(n)
	is := func(node Node, typ Type) checked { return checked{node, typ, at, true} }
	bad := checked{node: NilNode{}, at: at}
	switch n := n.(type) {
	case *ast.NilNode:
		return is(NilNode{}, NilType)
	case *ast.BoolNode:
		return is(BooleanNode{n.Value}, BooleanType)
	case *ast.IntegerNode:
		return is(NumberNode{float64(n.Value)}, NumberType)
	case *ast.FloatNode:
		return is(NumberNode{n.Value}, NumberType)
	case *ast.StringNode:
		return is(TextNode{n.Value}, TextType)
	case *ast.IdentifierNode, *ast.MemberNode:
		return c.name(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.choice(n)
	case *ast.BuiltinNode:
		return c.call(at, n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(at, callee.Value, n.Arguments)
		}
		c.fail(n.Location().From, "expression-syntax", "a value has no methods").
			WithHint("write lower(x), not x.lower()")
		return bad
	case *ast.ArrayNode:
		c.fail(at, "expression-syntax", "a list can only stand behind in").
			WithHint(`country in ["NL", "BE"]`)
		return bad
	case *ast.SliceNode:
		c.fail(n.Location().From, "expression-syntax", "slices are not allowed").
			WithHint("startsWith, endsWith and matches look at a part of a text")
		return bad
	case *ast.ChainNode, *ast.MapNode, *ast.PairNode, *ast.PredicateNode, *ast.PointerNode,
		*ast.SequenceNode, *ast.VariableDeclaratorNode, *ast.BytesNode, *ast.ConstantNode:
		c.fail(at, "expression-syntax", "this is not allowed in an expression").
			WithHint("an expression has names, literals, comparisons, arithmetic, and, or, not, and one-line functions")
		return bad
	}
	panic("compiler: no case for " + n.String())
}

// wanted checks the type of the whole.
func (c *checker) wanted(got checked, want Type) checked {
	if want != NilType {
		got = got.as(want)
	}
	switch {
	case !got.ok || want == NilType && got.typ != NilType || got.typ == want && want != NilType:
	case got.typ == NilType:
		c.fail(got.at, "expression-type", "the expression is always missing").
			WithHint("write a name, such as properties.price")
	case want == BooleanType && got.typ == NumberType:
		c.fail(got.at, "expression-type", "a condition is wanted, this is a number").WithHint("compare it: %s > 0", brief(got.node, "x"))
	case want == BooleanType:
		c.fail(got.at, "expression-type", "a condition is wanted, this is %v", got.typ).WithHint("compare it: %s != nil", brief(got.node, "x"))
	case want == NumberType && got.typ == TextType:
		c.fail(got.at, "expression-type", "a number is wanted, this is a text").WithHint("%s", numberOf(got))
	case want == NumberType && got.typ == BooleanType:
		c.fail(got.at, "expression-type", "a number is wanted, this is a condition").WithHint("write condition ? 1 : 0")
	case want == TextType && (got.typ == NumberType || got.typ == BooleanType):
		c.fail(got.at, "expression-type", "a text is wanted, this is %v", got.typ).WithHint("write text(%s)", brief(got.node, "x"))
	default:
		c.fail(got.at, "expression-type", "%v is wanted, this is %v", want, got.typ).
			WithHint("times can only be compared with each other")
	}
	return got
}

// brief gives a node as text for a hint, or something shorter.
func brief(n Node, otherwise string) string {
	if s := Format(n); len(s) <= 40 {
		return s
	}
	return otherwise
}

// numberOf is the hint for a text where a number is wanted.
func numberOf(t checked) string {
	if text, ok := t.node.(TextNode); ok {
		if plainNumber.MatchString(text.Value) {
			return "leave out the quotes: " + text.Value
		}
		return "a number stands without quotes: 3.5"
	}
	return "write number(" + brief(t.node, "…") + ")"
}

func (c *checker) unary(n *ast.UnaryNode) checked {
	at := start(n)
	switch n.Operator {
	case "not", "!":
		x := c.condition(c.check(n.Node), "not")
		return checked{NotNode{x.node}, BooleanType, at, x.ok}
	case "-":
		x := c.number(c.check(n.Node), "-")
		if lit, ok := x.node.(NumberNode); ok && unsigned(n.Node) {
			return checked{NumberNode{-lit.Value}, NumberType, at, x.ok}
		}
		return checked{MinusNode{x.node}, NumberType, at, x.ok}
	case "+":
		c.fail(n.Location().From, "expression-operator", "a sign + is not allowed").WithHint("leave it out")
		return checked{node: NilNode{}, at: at}
	}
	panic("compiler: no case for the operator " + n.Operator)
}

// unsigned reports whether a node is a number as it is written.
func unsigned(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	}
	return false
}

// tolerates reports whether names that are nowhere are missing values.
func (c *checker) tolerates() bool {
	columns, ok := c.scope.(pathScope)
	return ok && columns.tolerates()
}

// operand checks that an operand has the type that is needed.
func (c *checker) operand(x checked, want Type, by string) checked {
	x = x.as(want)
	if !x.ok || x.typ == want || x.typ == NilType && c.tolerates() {
		return x
	}
	d := c.fail(x.at, "expression-type", "%s needs %v, this is %v", by, want, x.typ)
	switch {
	case x.typ == NilType:
		d.WithHint("nil can be compared with == and !=")
	case want == NumberType && x.typ == TextType:
		d.WithHint("%s", numberOf(x))
	case want == TextType && (x.typ == NumberType || x.typ == BooleanType):
		d.WithHint("write text(%s)", brief(x.node, "…"))
	case want == BooleanType && x.typ == TextType:
		d.WithHint(`compare it: %s == "yes"`, brief(x.node, "x"))
	case want == BooleanType && x.typ == NumberType:
		d.WithHint("compare it: %s > 0", brief(x.node, "x"))
	case want == NumberType && x.typ == BooleanType:
		d.WithHint("write %s ? 1 : 0", brief(x.node, "condition"))
	default:
		d.WithHint("times can only be compared")
	}
	x.ok = false
	return x
}

func (c *checker) condition(x checked, by string) checked { return c.operand(x, BooleanType, by) }
func (c *checker) number(x checked, by string) checked    { return c.operand(x, NumberType, by) }

// spellings maps the other spellings of operators to ours.
var spellings = map[string]Operator{"&&": And, "||": Or}

func (c *checker) binary(n *ast.BinaryNode) checked {
	at := start(n)
	op, ok := spellings[n.Operator]
	if !ok {
		op = Operator(n.Operator)
	}
	if op == "in" {
		return c.in(n)
	}
	l, r := c.sides(n)
	typ := BooleanType
	switch op {
	case And, Or:
		l, r = c.condition(l, n.Operator), c.condition(r, n.Operator)
	case Plus, Minus, Times, Divide, Remainder:
		typ = NumberType
		if op == Plus && l.ok && r.ok && l.typ == TextType && r.typ == TextType {
			c.fail(n.Location().From, "expression-type", "texts cannot be put together").WithHint("compare the parts on their own")
			return checked{node: NilNode{}, at: at}
		}
		l, r = c.number(l, n.Operator), c.number(r, n.Operator)
	case Contains, StartsWith, EndsWith:
		l, r = c.operand(l, TextType, n.Operator), c.operand(r, TextType, n.Operator)
	case Matches:
		l, r = c.operand(l, TextType, n.Operator), c.pattern(r)
	case Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual:
		l, r = c.compared(l, r, op, n.Location().From)
	case Otherwise:
		l, r = c.alike(l, r, "??", n.Location().From)
		typ = l.typ
		if typ == NilType {
			typ = r.typ
		}
	default:
		panic("compiler: no case for the operator " + n.Operator)
	}
	if l.ok && r.ok && (op == Equal || op == NotEqual) {
		c.noteComparison(l, r)
	}
	return checked{BinaryNode{op, l.node, r.node}, typ, at, l.ok && r.ok}
}

// sides checks both sides. Of two alternatives a ?? b over columns one may be a field
// that a STRUCT has not, since there is another, as where files have records of two
// shapes: it is missing, and that is said.
func (c *checker) sides(n *ast.BinaryNode) (l, r checked) {
	failed, first := c.failed, len(*c.list)
	l = c.check(n.Left)
	second := len(*c.list)
	r = c.check(n.Right)
	lost, said := &l, (*c.list)[first:second]
	if l.ok {
		lost, said = &r, (*c.list)[second:]
	}
	if _, columns := c.scope.(pathScope); !columns || n.Operator != "??" || l.ok == r.ok ||
		slices.ContainsFunc(said, func(d diag.Diagnostic) bool { return d.Code != unknownField }) {
		return l, r
	}
	for i := range said {
		said[i].Severity = diag.Warning
		said[i].Message += ", so that the other value counts alone"
	}
	c.failed = failed
	*lost = checked{NilNode{}, NilType, lost.at, true}
	return l, r
}

// compared checks the two sides of a comparison.
func (c *checker) compared(l, r checked, op Operator, at int) (checked, checked) {
	if !l.ok || !r.ok {
		return l, r
	}
	ordered := op != Equal && op != NotEqual
	if ordered {
		for _, x := range []*checked{&l, &r} {
			if x.typ == NilType || x.typ == BooleanType {
				c.fail(x.at, "expression-type", "%s needs numbers, texts or times, this is %v", op, x.typ).
					WithHint("conditions and nil can be compared with == and !=")
				x.ok = false
				return l, r
			}
		}
	}
	if word, ok := c.quotedName(l); ok && constant(r) {
		c.fail(l.at, "expression-type", "%q is a text here, not the name", word).WithHint("a name stands without quotes: %s", word)
		l.ok = false
		return l, r
	}
	l, r = c.asTime(l, r)
	r, l = c.asTime(r, l)
	return c.alike(l, r, string(op), at)
}

// quotedName gives the text of a literal that spells a name, as names stand
// between quotes in SQL.
func (c *checker) quotedName(x checked) (string, bool) {
	text, ok := x.node.(TextNode)
	if !ok {
		return "", false
	}
	_, ok = c.scope.Bare(text.Value)
	return text.Value, ok
}

// constant reports whether a value stands in the expression itself.
func constant(x checked) bool {
	switch x.node.(type) {
	case TextNode, NumberNode, BooleanNode, NilNode:
		return true
	}
	return false
}

// asTime reads a text literal as a time where it stands against a time.
func (c *checker) asTime(x, against checked) (checked, checked) {
	text, ok := x.node.(TextNode)
	if !ok || !x.ok || !against.ok || against.typ != TimeType {
		return x, against
	}
	t, ok := parseTime(text.Value)
	if !ok {
		c.fail(x.at, "expression-type", "%q is not a time", text.Value).
			WithHint(`times are written as in RFC 3339: "2026-03-02T00:00:00Z", or as a date: "2026-03-02"`)
		x.ok = false
	}
	x.node, x.typ = TimeNode{t}, TimeType
	return x, against
}

// alike checks that two values have one type, or that one is nil.
func (c *checker) alike(l, r checked, by string, at int) (checked, checked) {
	l, r = l.beside(r), r.beside(l)
	if !l.ok || !r.ok || l.typ == r.typ || l.typ == NilType || r.typ == NilType {
		return l, r
	}
	text, number := l, r
	if r.typ == TextType {
		text, number = r, l
	}
	switch {
	case text.typ == TextType && number.typ == NumberType:
		c.fail(text.at, "expression-type", "a text stands against a number with %s", by).WithHint("%s", numberOf(text))
	case text.typ == TextType && number.typ == BooleanType:
		d := c.fail(text.at, "expression-type", "a text stands against a condition with %s", by)
		if lit, ok := text.node.(TextNode); ok {
			d.WithHint("a condition is compared with true or false, not with %q", lit.Value)
		} else if lit, ok := number.node.(BooleanNode); ok {
			d.WithHint("write the value as a text: %q", Format(lit))
		} else {
			d.WithHint(`compare the text first: (%s == "yes")`, brief(text.node, "x"))
		}
	case text.typ == TextType && number.typ == TimeType:
		c.fail(text.at, "expression-type", "a text stands against a time with %s", by).
			WithHint("declare the property as a timestamp under events")
	default:
		d := c.fail(at, "expression-type", "%v stands against %v with %s", l.typ, r.typ, by)
		if l.typ == TimeType || r.typ == TimeType {
			d.WithHint(`a time is compared with a time: "2026-03-02T00:00:00Z"`)
		} else {
			d.WithHint("a condition is compared with true or false")
		}
	}
	l.ok = false
	return l, r
}

// pattern checks the right side of matches.
func (c *checker) pattern(r checked) checked {
	if !r.ok {
		return r
	}
	text, ok := r.node.(TextNode)
	if !ok {
		c.fail(r.at, "expression-pattern", "the pattern of matches is not a text literal").
			WithHint(`write it between quotes: category matches "^elec"`)
		r.ok = false
		return r
	}
	if problem, hint := checkPattern(text.Value); problem != "" {
		d := c.fail(r.at, "expression-pattern", "%s", problem)
		if hint == "" {
			hint = "for a part of a text as it stands write contains"
		}
		d.WithHint("%s", hint)
		r.ok = false
	}
	return r
}

func (c *checker) choice(n *ast.ConditionalNode) checked {
	cond := c.condition(c.check(n.Cond), "?")
	then, otherwise := c.check(n.Exp1), c.check(n.Exp2)
	then, otherwise = then.beside(otherwise), otherwise.beside(then)
	typ := then.typ
	if typ == NilType {
		typ = otherwise.typ
	}
	if then.ok && otherwise.ok && then.typ != otherwise.typ && then.typ != NilType && otherwise.typ != NilType {
		d := c.fail(otherwise.at, "expression-type", "one branch is %v, the other is %v", then.typ, otherwise.typ)
		if then.typ == TextType && otherwise.typ == NumberType {
			d.WithHint("%s", numberOf(then))
		} else if then.typ == NumberType && otherwise.typ == TextType {
			d.WithHint("%s", numberOf(otherwise))
		} else {
			d.WithHint("give both branches one type")
		}
		then.ok = false
	}
	return checked{ChoiceNode{cond.node, then.node, otherwise.node}, typ, cond.at, cond.ok && then.ok && otherwise.ok}
}

// functions are the functions by name, with the types that they take and
// the type that they give.
var functions = map[string]struct {
	takes []Type
	gives Type
}{
	"lower":  {[]Type{TextType}, TextType},
	"upper":  {[]Type{TextType}, TextType},
	"trim":   {[]Type{TextType}, TextType},
	"len":    {[]Type{TextType}, NumberType},
	"abs":    {[]Type{NumberType}, NumberType},
	"ceil":   {[]Type{NumberType}, NumberType},
	"floor":  {[]Type{NumberType}, NumberType},
	"round":  {[]Type{NumberType}, NumberType},
	"int":    {[]Type{NumberType}, NumberType},
	"number": {[]Type{NumberType, TextType}, NumberType},
	"float":  {[]Type{NumberType, TextType}, NumberType}, // another name of number
	"text":   {[]Type{NumberType, BooleanType, TextType}, TextType},
}

// otherFunctions are functions of other languages, with ours.
var otherFunctions = map[string]string{
	"string": "text", "str": "text", "tostring": "text", "tonumber": "number", "cast": "number",
	"length": "len", "size": "len", "lowercase": "lower", "uppercase": "upper", "tolower": "lower", "toupper": "upper",
	"starts_with": "startsWith", "ends_with": "endsWith", "hasprefix": "startsWith", "hassuffix": "endsWith", "startswith": "startsWith", "endswith": "endsWith", "contains": "contains", "matches": "matches", "coalesce": "??", "ifnull": "??", "nvl": "??", "trunc": "int",
	"strip": "trim", "double": "number", "regexp_matches": "matches", "includes": "contains",
}

// aggregates are the functions of other languages over several rows.
var aggregates = map[string]bool{
	"sum": true, "avg": true, "mean": true, "average": true, "min": true, "max": true, "count": true, "median": true, "first": true, "last": true,
}

func (c *checker) call(at int, name string, args []ast.Node) checked {
	bad := checked{node: NilNode{}, at: at}
	if name == "vwo_uuid" {
		return c.vwoUUID(at, args)
	}
	f, ok := functions[name]
	if !ok {
		d := c.fail(at, "unknown-function", "%s is not a function of this language", name)
		names := make([]string, 0, len(functions))
		for k := range functions {
			names = append(names, k)
		}
		slices.Sort(names)
		switch ours := otherFunctions[strings.ToLower(name)]; {
		case ours == "??":
			d.WithHint("write a ?? b")
		case strings.HasSuffix(ours, "With"), ours == "matches", ours == "contains":
			d.WithHint(`write x %s "…"`, ours)
		case ours != "":
			d.WithHint("write %s(…)", ours)
		case aggregates[strings.ToLower(name)]:
			d.WithHint("an expression sees one event; per_unit says how the values of a unit become one")
		default:
			if hint := diag.DidYouMean(name, names); hint != "" {
				d.WithHint("%s", hint)
			} else {
				d.WithHint("the functions are %s", strings.Join(names, ", "))
			}
		}
		return bad
	}
	if len(args) != 1 {
		c.fail(at, "expression-type", "%s takes one value, not %d", name, len(args)).WithHint("write %s(x)", name)
		return bad
	}
	x := c.check(args[0])
	if x.typ == NilType && c.tolerates() {
		return x
	}
	if slices.Contains(f.takes, TextType) {
		x = x.as(TextType)
	}
	if x.ok && !slices.Contains(f.takes, x.typ) {
		x = c.operand(x, f.takes[0], name+"()")
	}
	if name == "float" {
		name = "number"
	}
	return checked{CallNode{name, x.node, x.typ}, f.gives, at, x.ok}
}

// noteComparison keeps a name that is compared with a text.
func (c *checker) noteComparison(l, r checked) {
	if _, ok := l.node.(NameNode); !ok {
		l, r = r, l
	}
	c.noteList(l, []Node{r.node})
}

// noteList keeps a name that is looked for among texts.
func (c *checker) noteList(x checked, list []Node) {
	name, ok := x.node.(NameNode)
	if !ok {
		return
	}
	var values []string
	for _, n := range list {
		if text, ok := n.(TextNode); ok {
			values = append(values, text.Value)
		}
	}
	if len(values) > 0 {
		c.expression.literals = append(c.expression.literals, Comparison{name.Ref, values, c.At(c.offset(x.at))})
	}
}

// timeText is RFC 3339 text, T or blank between, zone optional, or a date:
// stricter than time.Parse, which takes a comma, an hour of one digit and
// offsets beyond a day.
var timeText = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?$`)

// parseTime reads a time; finer than microseconds is floored.
func parseTime(s string) (time.Time, bool) {
	m := timeText.FindStringSubmatch(s)
	switch {
	case m == nil:
		return time.Time{}, false
	case m[1] == "":
		s += "T00:00:00Z"
	case m[2] == "":
		s += "Z"
	}
	t, err := time.Parse(time.RFC3339Nano, s[:len(time.DateOnly)]+"T"+strings.ToUpper(s[len(time.DateOnly)+1:]))
	if err != nil {
		return time.Time{}, false
	}
	t = t.UTC().Truncate(time.Microsecond)
	return t, t.Year() >= 1 && t.Year() <= 9999
}
