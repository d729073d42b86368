package compiler

import (
	"math/big"
	"slices"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// rowScope reads the names of a measure's expressions from the columns of
// matched (or typed), asking for the columns that it needs.
type rowScope struct {
	scan    *scanBuilder
	measure *Measure
}

func (s *rowScope) Resolve(r Ref) (Type, *diag.Diagnostic) {
	panic("compiler: the names of a planned measure are resolved already")
}

func (s *rowScope) Bare(string) (Ref, bool) { return Ref{}, false }

func (s *rowScope) Hint(string) string { return "" }

func (s *rowScope) SQL(r Ref) sqlast.Expr {
	switch r.Kind {
	case RefEvent:
		return col("", colEvent)
	case RefExposure:
		return col("", attributeColumn(r.Name))
	case RefUnit:
		return col("", traitColumn(r.Name))
	case RefElapsed:
		return s.elapsed()
	case RefUnitID:
		if r.Name == s.scan.plan.Kind {
			return s.raw("units."+spelled(r.Name), s.scan.ownID(), false)
		}
	}
	field, name, ok := s.stored(r)
	typ := s.typeOf(r)
	if !ok {
		return sqlast.Null{Type: declaredType(typ)}
	}
	stored, read := beforeReading(field.SQL)
	raw := s.raw(name, inRow(stored), extracted(stored))
	if typ == metrics.TypeString && field.Type.Kind == FieldText {
		return raw
	}
	return s.typed(name+" as "+string(typ), s.convert(read(raw), field, r, typ), raw, typ)
}

// stored gives the stored field of a name and the name of its column.
func (s *rowScope) stored(r Ref) (Field, string, bool) {
	field, ok := s.scan.src.field(r)
	switch r.Kind {
	case RefValue:
		return field, "value", ok
	case RefProperty:
		return field, "properties." + spelled(r.Name), ok
	case RefAttribute:
		return field, "attributes." + spelled(r.Name), ok
	case RefUnitID:
		return field, "units." + spelled(r.Name), ok
	}
	panic("compiler: no stored field for a name of this kind")
}

// typeOf is the declared type of a name; undeclared ones are text.
func (s *rowScope) typeOf(r Ref) metrics.PropertyType {
	switch r.Kind {
	case RefValue:
		return metrics.TypeNumber
	case RefProperty:
		if p, _ := (&metricScope{registry: s.registry(), events: s.measure.Events}).declared(r.Name); p != nil {
			return p.Type.V
		}
	}
	return metrics.TypeString
}

func (s *rowScope) registry() metrics.Registry { return s.scan.plan.Registry }

func declaredType(t metrics.PropertyType) sqlast.Type {
	switch t {
	case metrics.TypeNumber, metrics.TypeInteger:
		return sqlast.Type{Kind: sqlast.Double}
	case metrics.TypeBoolean:
		return sqlast.Type{Kind: sqlast.Boolean}
	case metrics.TypeTimestamp:
		return sqlast.Type{Kind: sqlast.TimestampType}
	default:
		return sqlast.Type{Kind: sqlast.Varchar}
	}
}

// extracted reports whether reading the field is more than reading a column,
// so that it is worth a guard by event.
func extracted(x sqlast.Expr) bool {
	switch x := x.(type) {
	case sqlast.Column:
		return false
	case sqlast.Cast:
		return extracted(x.X)
	case sqlast.Field:
		return extracted(x.X)
	}
	return true
}

// beforeReading takes a field apart into what is stored and how that is read
// as a number, so that what is stored but is no finite number can be counted,
// and copies of rows are compared by what is stored.
func beforeReading(x sqlast.Expr) (stored sqlast.Expr, read func(sqlast.Expr) sqlast.Expr) {
	c, ok := x.(sqlast.Call)
	if !ok || c.Fn != sqlast.Finite && c.Fn != sqlast.ParseNumber {
		return x, func(x sqlast.Expr) sqlast.Expr { return x }
	}
	return c.Args[0], func(x sqlast.Expr) sqlast.Expr { return call(c.Fn, x) }
}

// rawColumn is a column of matched: a stored field, read once for each row of
// the events that need it.
type rawColumn struct {
	name    string
	x       sqlast.Expr
	guarded bool
	events  []string // that need it, where guarded
}

// raw asks for a column of matched.
func (s *rowScope) raw(name string, x sqlast.Expr, guarded bool) sqlast.Expr {
	sc := s.scan
	i := slices.IndexFunc(sc.rawColumns, func(c rawColumn) bool { return c.name == name })
	if i < 0 {
		i = len(sc.rawColumns)
		sc.rawColumns = append(sc.rawColumns, rawColumn{name: name, x: x, guarded: guarded})
	}
	if s.measure.Any {
		sc.rawColumns[i].guarded = false
	}
	for _, e := range s.measure.Events {
		sc.rawColumns[i].events = appendNew(sc.rawColumns[i].events, e)
	}
	return col("", name)
}

// rawItems are the columns that were asked for.
func (sc *scanBuilder) rawItems() []sqlast.Item {
	var out []sqlast.Item
	for _, c := range sc.rawColumns {
		x := c.x
		if c.guarded {
			slices.Sort(c.events)
			x = when(oneOf(inRow(sc.src.Event.SQL), c.events), x)
		}
		out = append(out, item(x, c.name))
	}
	return out
}

// typed asks for a column of typed. A value that is there but is not of the
// type where a number is needed is suspicious.
func (s *rowScope) typed(name string, x, raw sqlast.Expr, typ metrics.PropertyType) sqlast.Expr {
	if sameExpr(x, raw) {
		return raw
	}
	sc := s.scan
	// The conversion may differ between measures, because scales belong to events.
	for _, it := range sc.typed {
		if sameExpr(it.X, x) {
			return col("", it.As)
		}
	}
	name = keyed(sc.taken, name)
	sc.typed = append(sc.typed, item(x, name))
	if typ == metrics.TypeNumber || typ == metrics.TypeInteger {
		sc.suspicious = append(sc.suspicious, all(s.measure.isEvent(col("", colEvent)), notNull(raw), isNull(col("", name))))
	}
	return col("", name)
}

// elapsed is the time since the window's start in seconds.
func (s *rowScope) elapsed() sqlast.Expr {
	start := plus(col("", s.measure.After.start()), s.measure.Window.From)
	if w := s.measure.Window; w.HasLookback {
		start = call(sqlast.Greatest, start, col("", lookbackColumn(w.Lookback)))
	}
	micros := compare(sqlast.Sub, call(sqlast.TimeToMicros, col("", colTime)), call(sqlast.TimeToMicros, start))
	return compare(sqlast.Div, sqlast.Cast{X: micros, To: sqlast.Type{Kind: sqlast.Double}}, sqlast.Float(1e6))
}

// convert reads a stored value as its declared type: a double for numbers,
// with the scale applied.
func (s *rowScope) convert(raw sqlast.Expr, f Field, r Ref, typ metrics.PropertyType) sqlast.Expr {
	if typ == metrics.TypeNumber || typ == metrics.TypeInteger {
		return s.byScale(r, func(scale metrics.Number) sqlast.Expr { return asType(raw, f, typ, scale) })
	}
	return asType(raw, f, typ, noScale)
}

// noScale is the scale of what has none.
const noScale metrics.Number = "1"

// asType is a stored field as a declared type, numbers scaled: NULL where it
// does not fit.
func asType(raw sqlast.Expr, f Field, typ metrics.PropertyType, scale metrics.Number) sqlast.Expr {
	switch typ {
	case metrics.TypeString:
		return asText(raw, f)
	case metrics.TypeNumber, metrics.TypeInteger:
		return asDouble(raw, f, typ, scale)
	case metrics.TypeBoolean:
		switch f.Type.Kind {
		case FieldBoolean:
			return raw
		case FieldText:
			return call(sqlast.ParseBoolean, raw)
		}
	case metrics.TypeTimestamp:
		switch f.Type.Kind {
		case FieldTime:
			return raw
		case FieldText:
			return call(sqlast.ParseTime, raw)
		}
	default:
		panic("compiler: no case for property type " + string(typ))
	}
	return sqlast.Null{Type: declaredType(typ)}
}

// byScale chooses an expression by the scale that the registry gives each event.
func (s *rowScope) byScale(r Ref, with func(metrics.Number) sqlast.Expr) sqlast.Expr {
	scales := scalesOf(s.registry(), r, s.measure.Events)
	var order []metrics.Number
	events := map[metrics.Number][]string{}
	for _, e := range s.measure.Events {
		order = appendNew(order, scales[e])
		events[scales[e]] = append(events[scales[e]], e)
	}
	c := sqlast.Case{}
	if s.measure.Any {
		order = slices.DeleteFunc(order, func(n metrics.Number) bool { return isOne(n) })
		if len(order) == 0 {
			return with(noScale)
		}
		c.Else = with(noScale)
	} else if len(order) == 1 {
		return with(order[0])
	}
	for _, scale := range order {
		c.Whens = append(c.Whens, sqlast.When{If: oneOf(col("", colEvent), events[scale]), Then: with(scale)})
	}
	return c
}

// Text is the value of the field as text (semantics 2.2): numbers in plain
// decimal, times as RFC 3339.
func (f Field) Text() sqlast.Expr { return asText(f.SQL, f) }

// asText is a stored value of a field as text.
func asText(raw sqlast.Expr, f Field) sqlast.Expr {
	switch f.Type.Kind {
	case FieldText, FieldJSON:
		return raw
	case FieldInteger, FieldDecimal, FieldBoolean:
		return sqlast.Cast{X: raw, To: varchar}
	case FieldFloat:
		if f.Type.Single {
			raw = sqlast.Cast{X: raw, To: sqlast.Type{Kind: sqlast.Real}}
		}
		return call(sqlast.FloatText, raw)
	case FieldTime:
		if f.Type.Date {
			return sqlast.Cast{X: sqlast.Cast{X: raw, To: sqlast.Type{Kind: sqlast.DateType}}, To: varchar}
		}
		return call(sqlast.TimeText, raw)
	}
	panic("compiler: no case for a kind of field")
}

var varchar = sqlast.Type{Kind: sqlast.Varchar}

var double = sqlast.Type{Kind: sqlast.Double}

// asDouble is a stored number as the nearest double, scaled: exactly where the
// field is exact, as one product where it floats.
func asDouble(raw sqlast.Expr, f Field, typ metrics.PropertyType, scale metrics.Number) sqlast.Expr {
	whole := typ == metrics.TypeInteger
	switch f.Type.Kind {
	case FieldInteger:
		return scaledExact(raw, f.Type, scale)
	case FieldDecimal:
		x := scaledExact(raw, f.Type, scale)
		if whole {
			x = when(compare(sqlast.Eq, raw, call(sqlast.Trunc, raw)), x)
		}
		return x
	case FieldFloat:
		x := scaledFloat(raw, scale)
		if whole {
			x = when(compare(sqlast.Eq, raw, call(sqlast.Trunc, raw)), x)
		}
		return x
	case FieldText:
		fn := sqlast.ParseNumber
		if whole {
			fn = sqlast.ParseInteger
		}
		return scaledFloat(call(fn, raw), scale)
	default:
		return sqlast.Null{Type: double}
	}
}

func isOne(scale metrics.Number) bool { return scale.Rat().Cmp(big.NewRat(1, 1)) == 0 }

func scaledFloat(x sqlast.Expr, scale metrics.Number) sqlast.Expr {
	if isOne(scale) {
		return x
	}
	return call(sqlast.Finite, compare(sqlast.Mul, x, sqlast.Float(scale.Float())))
}

// scaledExact is the nearest double of an exact number times the scale. A
// number that is too large for exact arithmetic floats before it is scaled.
func scaledExact(x sqlast.Expr, t FieldType, scale metrics.Number) sqlast.Expr {
	if isOne(scale) {
		return sqlast.Cast{X: x, To: double}
	}
	n := fractionDigits(scale)
	factor := new(big.Rat).Mul(scale.Rat(), new(big.Rat).SetInt(pow10(n)))
	inexact := call(sqlast.Finite, compare(sqlast.Mul, sqlast.Cast{X: x, To: double}, sqlast.Float(scale.Float())))
	largest := new(big.Int).Quo(maxHugeint, factor.Num())
	if largest.Sign() == 0 {
		return inexact
	}
	whole := compare(sqlast.Mul, unscaled(x, t), wideLiteral(factor.Num()))
	out := sqlast.Expr(sqlast.Cast{X: whole, To: double})
	if n+t.Scale > 0 {
		power, _ := new(big.Float).SetInt(pow10(n + t.Scale)).Float64()
		out = compare(sqlast.Div, out, sqlast.Float(power))
	}
	width := t.Width
	if t.Kind == FieldInteger {
		width = 19
	}
	if largest.Cmp(pow10(width)) < 0 {
		return sqlast.Case{Whens: []sqlast.When{{If: between(x, largest, t), Then: out}}, Else: inexact}
	}
	return out
}

var (
	bigint  = sqlast.Type{Kind: sqlast.Bigint}
	hugeint = sqlast.Type{Kind: sqlast.Hugeint}
)

// maxHugeint is the largest HUGEINT.
var maxHugeint = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1))

// unscaled is an exact number as a whole number of 10^-scale.
func unscaled(x sqlast.Expr, t FieldType) sqlast.Expr {
	switch {
	case t.Scale == 0:
		return sqlast.Cast{X: x, To: hugeint}
	case t.Width+t.Scale > 38:
		return call(sqlast.Unscaled, x)
	}
	wide := sqlast.Cast{X: x, To: sqlast.Type{Kind: sqlast.Decimal, Width: 38, Scale: t.Scale}}
	return sqlast.Cast{X: compare(sqlast.Mul, wide, literal(pow10(t.Scale))), To: hugeint}
}

// literal is a whole number as a literal.
func literal(n *big.Int) sqlast.Expr {
	if n.IsInt64() {
		return sqlast.Int(n.Int64())
	}
	return sqlast.Cast{X: sqlast.Text(n.String()), To: hugeint}
}

func wideLiteral(n *big.Int) sqlast.Expr {
	if n.IsInt64() {
		return sqlast.Cast{X: sqlast.Int(n.Int64()), To: hugeint}
	}
	return literal(n)
}

// A row whose whole number is beyond maxWhole has one of these values
// instead, so large that the sum of the unit is beyond maxWhole, too. (A unit
// would need 8,999 other rows near -10^15 to hide it, for an average 4,500.)
var tooLarge = sqlast.Int(9_000_000_000_000_000_000)

// value is what a row counts for: a whole number of 10^-decimals, a text, or 1 where
// rows are counted.
func (s *rowScope) value() sqlast.Expr {
	switch n := s.measure; {
	case n.numeric():
		return s.whole()
	case n.Value != nil:
		return s.computed(n.Value.Value(s))
	}
	return sqlast.Int(1)
}

// whole is the measure's value of a row as a whole number of 10^-decimals.
func (s *rowScope) whole() sqlast.Expr {
	n := s.measure
	if r, bare := n.Value.Bare(); bare && r.Kind != RefElapsed {
		field, name, ok := s.stored(r)
		if ok && field.Type.Exact() && s.typeOf(r) != metrics.TypeString {
			raw := s.raw(name, inRow(field.SQL), extracted(field.SQL))
			if s.typeOf(r) == metrics.TypeInteger && field.Type.Kind == FieldDecimal {
				raw = when(compare(sqlast.Eq, raw, call(sqlast.Trunc, raw)), raw)
			}
			return s.byScale(r, func(scale metrics.Number) sqlast.Expr { return wholeOfExact(raw, field, scale, n.Decimals) })
		}
	}
	v := n.Value.Value(s)
	if _, plain := v.(sqlast.Column); !plain {
		v = s.computed(v)
	}
	return wholeOfFloat(v, n.Decimals)
}

// computed asks for a column of computed values, so that they are computed once.
func (s *rowScope) computed(v sqlast.Expr) sqlast.Expr {
	sc := s.scan
	if cond := s.measure.isEvent(col("", colEvent)); cond != nil {
		v = when(cond, v)
	}
	for _, it := range sc.computed {
		if sameExpr(it.X, v) {
			return col("", it.As)
		}
	}
	name := keyed(sc.taken, s.measure.Name+" value")
	sc.computed = append(sc.computed, item(v, name))
	return col("", name)
}

// wholeOfFloat rounds v·10^d to a whole number, half away from zero.
func wholeOfFloat(v sqlast.Expr, d int) sqlast.Expr {
	power, _ := new(big.Float).SetInt(pow10(d)).Float64()
	scaled := v
	if d > 0 {
		scaled = compare(sqlast.Mul, v, sqlast.Float(power))
	}
	fits := compare(sqlast.Less, call(sqlast.Abs, scaled), sqlast.Float(1e15+0.5))
	return guarded(fits, v, sqlast.Cast{X: call(sqlast.Round, scaled), To: bigint})
}

// guarded is k where it fits, too large where it does not, missing where v is.
func guarded(fits, v, k sqlast.Expr) sqlast.Expr {
	return sqlast.Case{Whens: []sqlast.When{{If: fits, Then: k}, {If: notNull(v), Then: tooLarge}}}
}

// wholeOfExact gives x·scale·10^d as a whole number, rounded half away from
// zero where it is none.
func wholeOfExact(x sqlast.Expr, f Field, scale metrics.Number, d int) sqlast.Expr {
	factor := new(big.Rat).Mul(scale.Rat(), new(big.Rat).SetFrac(pow10(d), pow10(f.Type.Scale)))
	if factor.Sign() == 0 {
		return when(notNull(x), sqlast.Int(0))
	}
	limit := largestWithin(factor)
	var k sqlast.Expr
	switch {
	case limit.Sign() == 0: // any number but zero is too large
		k = sqlast.Int(0)
	case factor.IsInt() && f.Type.Kind == FieldInteger:
		k = sqlast.Cast{X: x, To: bigint}
		if factor.Num().Cmp(big.NewInt(1)) != 0 {
			k = compare(sqlast.Mul, k, literal(factor.Num()))
		}
	case factor.IsInt():
		k = sqlast.Cast{X: compare(sqlast.Mul, unscaled(x, f.Type), literal(factor.Num())), To: bigint}
	default:
		half := new(big.Int).Rsh(factor.Denom(), 1)
		room := new(big.Int).Quo(new(big.Int).Sub(maxHugeint, half), factor.Num())
		if room.Sign() <= 0 { // every number rounds to zero, or cannot be told from others
			return when(notNull(x), sqlast.Int(0))
		}
		if limit.Cmp(room) > 0 {
			limit = room
		}
		num := compare(sqlast.Mul, unscaled(x, f.Type), wideLiteral(factor.Num()))
		k = sqlast.Cast{X: roundedBy(num, half, factor.Denom()), To: bigint}
	}
	if within(f, limit) {
		return k
	}
	return guarded(between(x, limit, f.Type), x, k)
}

// between says whether |x| is at most i·10^-scale.
func between(x sqlast.Expr, i *big.Int, t FieldType) sqlast.Expr {
	return sqlast.And{
		compare(sqlast.GreaterEq, x, exactLiteral(new(big.Int).Neg(i), t)),
		compare(sqlast.LessEq, x, exactLiteral(i, t)),
	}
}

// largestWithin is the largest whole number i with |i·factor| rounded at most
// maxWhole.
func largestWithin(factor *big.Rat) *big.Int {
	bound := new(big.Rat).SetFrac(new(big.Int).Add(new(big.Int).Mul(maxWhole, big.NewInt(2)), big.NewInt(1)), big.NewInt(2))
	bound.Quo(bound, new(big.Rat).Abs(factor))
	q := new(big.Int).Quo(bound.Num(), bound.Denom())
	if bound.IsInt() {
		q.Sub(q, big.NewInt(1))
	}
	return q
}

// within reports whether the type or the footers prove that every value fits.
func within(f Field, limit *big.Int) bool {
	if f.Type.Width > 0 && limit.Cmp(pow10(f.Type.Width)) >= 0 {
		return true
	}
	if f.Min == nil || f.Max == nil {
		return false
	}
	l := new(big.Rat).SetFrac(limit, pow10(f.Type.Scale))
	return f.Max.Cmp(l) <= 0 && f.Min.Cmp(new(big.Rat).Neg(l)) >= 0
}

// exactLiteral is i·10^-scale as a literal of the field's own kind.
func exactLiteral(i *big.Int, t FieldType) sqlast.Expr {
	if t.Kind == FieldInteger {
		return literal(i)
	}
	return sqlast.Cast{X: sqlast.Text(decimalText(i, t.Scale)), To: sqlast.Type{Kind: sqlast.Decimal, Width: 38, Scale: t.Scale}}
}

// roundedBy is num / den as a whole number, half away from zero; half is that
// of den, without its fraction.
func roundedBy(num sqlast.Expr, half, den *big.Int) sqlast.Expr {
	rounded := func(n sqlast.Expr) sqlast.Expr {
		return compare(sqlast.IntDiv, compare(sqlast.Add, n, wideLiteral(half)), wideLiteral(den))
	}
	return sqlast.Case{
		Whens: []sqlast.When{{If: compare(sqlast.GreaterEq, num, sqlast.Int(0)), Then: rounded(num)}},
		Else:  sqlast.Negative{X: rounded(sqlast.Negative{X: num})},
	}
}

// roundedQuotient is num / den as a whole number, half away from zero; den is positive.
func roundedQuotient(num, den sqlast.Expr) sqlast.Expr {
	two := sqlast.Int(2)
	half := func(n sqlast.Expr) sqlast.Expr {
		return compare(sqlast.IntDiv, compare(sqlast.Add, compare(sqlast.Mul, two, n), den), compare(sqlast.Mul, two, den))
	}
	return sqlast.Case{
		Whens: []sqlast.When{{If: compare(sqlast.GreaterEq, num, sqlast.Int(0)), Then: half(num)}},
		Else:  sqlast.Negative{X: half(sqlast.Negative{X: num})},
	}
}
