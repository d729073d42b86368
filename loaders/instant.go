package loaders

import (
	"fmt"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/metrics"
)

// The instants from the year 1 to the year 9999, in microseconds since 1970.
// Numbers outside are no times: missing.
const (
	firstMicro = -62_135_596_800_000_000
	lastMicro  = 253_402_300_799_999_999
)

// The instants that 64 bits of nanoseconds can hold, years 1677 to 2262, with
// room to round.
const (
	firstNano = -9_223_372_036_854_774_000
	lastNano  = 9_223_372_036_854_774_000
)

// epochs are the units of numeric timestamps: how many of them, or how many
// to one, make a microsecond.
var epochs = map[string]struct{ times, per int64 }{
	"s":  {1_000_000, 1},
	"ms": {1_000, 1},
	"us": {1, 1},
	"ns": {1, 1_000},
}

// timestampOf reads the column that a source maps as timestamp. Where a preset
// maps it, text may be either the number or the time.
func timestampOf(c stored, t metrics.TimestampColumn) (compiler.Field, *cannot) {
	field, err := instant(c, t.Epoch)
	if c = plain(c); err == nil && t.Column.Tolerant && t.Epoch != "" && c.typ.Kind == compiler.ColumnText {
		field.SQL = call(sqlast.Coalesce, field.SQL, call(sqlast.ParseTime, c.sql))
	}
	return field, err
}

// instant reads a column as a TIMESTAMP in UTC, floored to microseconds.
// epoch is the unit of a number since 1970, or empty.
func instant(c stored, epoch string) (compiler.Field, *cannot) {
	c = plain(c)
	field := compiler.Field{Type: compiler.FieldType{Kind: compiler.FieldTime}}
	if epoch != "" {
		var err *cannot
		field.SQL, err = sinceEpoch(c, epoch)
		return field, err
	}
	switch c.typ.Kind {
	case compiler.ColumnTimestamp:
		field.SQL = c.sql
		if c.typ.Name != "TIMESTAMP" {
			field.SQL = cast(c.sql, timestamp)
		}
	case compiler.ColumnTimestampNS:
		field.SQL = call(sqlast.NanosToTime, c.sql)
	case compiler.ColumnTimestampTZ:
		field.SQL = call(sqlast.TimestampTZToTime, c.sql)
	case compiler.ColumnDate:
		field.SQL, field.Type.Date = cast(c.sql, timestamp), true
	case compiler.ColumnText:
		field.SQL = call(sqlast.ParseTime, c.sql)
	case compiler.ColumnInteger, compiler.ColumnDecimal, compiler.ColumnFloat:
		return field, &cannot{why: "a number, and nothing says of what", hint: "{column: …, epoch: ms} for milliseconds since 1970; or s, us, ns"}
	default:
		return field, &cannot{why: "which is no time"}
	}
	return field, nil
}

// sinceEpoch reads a number of seconds, milliseconds, … since 1970.
func sinceEpoch(c stored, epoch string) (sqlast.Expr, *cannot) {
	unit, ok := epochs[epoch]
	if !ok {
		panic("loaders: no case for epoch " + epoch)
	}
	switch c.typ.Kind {
	case compiler.ColumnInteger:
		return microsOfInteger(c.sql, unit.times, unit.per), nil
	case compiler.ColumnFloat:
		return microsOfFloat(cast(c.sql, double), unit.times, unit.per), nil
	case compiler.ColumnDecimal:
		// wide enough for the bounds to be compared with
		wide := cast(c.sql, sqlast.Type{Kind: sqlast.Decimal, Width: 38, Scale: min(c.typ.Scale, 18)})
		if c.typ.Scale == 0 {
			return microsOfInteger(wide, unit.times, unit.per), nil
		}
		return microsOfDecimal(wide, unit.times, unit.per), nil
	case compiler.ColumnText:
		return sqlast.Case{
			Whens: []sqlast.When{{
				If:   sqlast.IsNull{X: call(sqlast.ParseInteger, c.sql), Not: true},
				Then: microsOfInteger(sqlast.Cast{X: c.sql, To: bigint, Try: true}, unit.times, unit.per),
			}},
			Else: microsOfFloat(call(sqlast.ParseNumber, c.sql), unit.times, unit.per),
		}, nil
	case compiler.ColumnTimestamp, compiler.ColumnTimestampNS, compiler.ColumnTimestampTZ, compiler.ColumnDate:
		return nil, &cannot{why: "a time already", hint: "leave epoch out"}
	default:
		return nil, &cannot{why: fmt.Sprintf("which is no number of %s", epoch)}
	}
}

// epochRange gives the first and the last number that is a time.
func epochRange(times, per int64) (low, high int64) {
	if per > 1 {
		return firstNano, lastNano
	}
	return firstMicro / times, lastMicro / times
}

// bounded gives the time of micros where x, in its own unit, lies within the
// years 1 to 9999. Nothing overflows inside.
func bounded(x sqlast.Expr, low, high int64, micros sqlast.Expr) sqlast.Expr {
	return onlyIf(within(x, sqlast.Int(low), sqlast.Int(high)), call(sqlast.MicrosToTime, cast(micros, bigint)))
}

func microsOfInteger(x sqlast.Expr, times, per int64) sqlast.Expr {
	low, high := epochRange(times, per)
	wide := cast(x, bigint)
	switch {
	case times > 1:
		return bounded(x, low, high, binary(sqlast.Mul, wide, sqlast.Int(times)))
	case per > 1:
		// whole-number division cuts towards zero; below zero it must floor
		before := binary(sqlast.Sub, wide, sqlast.Int(per-1))
		return bounded(x, low, high, sqlast.Case{
			Whens: []sqlast.When{{If: binary(sqlast.Less, x, sqlast.Int(0)), Then: binary(sqlast.IntDiv, before, sqlast.Int(per))}},
			Else:  binary(sqlast.IntDiv, wide, sqlast.Int(per)),
		})
	default:
		return bounded(x, low, high, wide)
	}
}

func microsOfDecimal(x sqlast.Expr, times, per int64) sqlast.Expr {
	low, high := epochRange(times, per)
	if per > 1 {
		whole := cast(call(sqlast.Floor, x), bigint)
		return onlyIf(within(x, sqlast.Int(low), sqlast.Int(high)), microsOfInteger(whole, times, per))
	}
	return bounded(x, low, high, call(sqlast.Floor, binary(sqlast.Mul, x, sqlast.Int(times))))
}

func microsOfFloat(x sqlast.Expr, times, per int64) sqlast.Expr {
	low, high := epochRange(times, per)
	micros := x
	switch {
	case times > 1:
		micros = binary(sqlast.Mul, x, sqlast.Float(times))
	case per > 1:
		micros = binary(sqlast.Div, x, sqlast.Float(per))
	}
	return onlyIf(within(x, sqlast.Float(low), sqlast.Float(high)),
		call(sqlast.MicrosToTime, cast(call(sqlast.Floor, micros), bigint)))
}
