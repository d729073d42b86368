package loaders

import (
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
)

// valueKinds counts what the values of a property are, over all sources.
type valueKinds struct {
	stored []compiler.FieldKind
	rows   map[string]int64 // with a value, by event key
	// all is the sum of rows. The others count the values in text that can be
	// read as a number, a boolean or a time.
	all, numbers, booleans, times int64
}

// typeOf gives the type that fits every value of a property, and whether the
// values are text that reads as numbers.
func (k *valueKinds) typeOf(name string) (typ metrics.PropertyType, numberLike bool) {
	if !slices.ContainsFunc(k.stored, func(kind compiler.FieldKind) bool { return kind != compiler.FieldText }) {
		return k.typeOfText(name)
	}
	var types []metrics.PropertyType
	for _, kind := range k.stored {
		types = append(types, storedType(kind))
	}
	slices.Sort(types)
	types = slices.Compact(types)
	switch {
	case len(types) == 1:
		return types[0], false
	case slices.Equal(types, []metrics.PropertyType{metrics.TypeInteger, metrics.TypeNumber}):
		return metrics.TypeNumber, false
	default:
		return metrics.TypeString, false
	}
}

func (k *valueKinds) typeOfText(name string) (typ metrics.PropertyType, numberLike bool) {
	switch {
	case k.all == 0:
		return metrics.TypeString, false
	case k.numbers == k.all && namesIDs(name):
		return metrics.TypeString, true
	case k.numbers == k.all:
		return metrics.TypeNumber, true
	case k.booleans == k.all:
		return metrics.TypeBoolean, false
	case k.times == k.all:
		return metrics.TypeTimestamp, false
	default:
		return metrics.TypeString, false
	}
}

// namesIDs reports whether a name is that of an id or code: nothing to compute
// with, even where it is written in digits.
func namesIDs(name string) bool {
	word := plainWord(name)
	return slices.ContainsFunc([]string{"id", "sku", "code", "zip", "postcode", "phone", "ean", "isbn", "gtin", "hash", "uuid", "version"}, func(ending string) bool {
		return strings.HasSuffix(word, ending)
	})
}

// storedType is the type that a stored field has without looking at its values.
func storedType(kind compiler.FieldKind) metrics.PropertyType {
	switch kind {
	case compiler.FieldInteger:
		return metrics.TypeInteger
	case compiler.FieldDecimal, compiler.FieldFloat:
		return metrics.TypeNumber
	case compiler.FieldBoolean:
		return metrics.TypeBoolean
	case compiler.FieldTime:
		return metrics.TypeTimestamp
	case compiler.FieldText, compiler.FieldJSON:
		return metrics.TypeString
	default:
		panic("loaders: no case for a kind of field")
	}
}
