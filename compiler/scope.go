package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// metricScope says what names mean in the expressions of a metric. Without
// sources (a file checked on its own) every mapped name is taken to exist.
type metricScope struct {
	registry metrics.Registry
	events   []string
	// sources are the event sources that the metric reads; exposures the
	// impression sources of the experiments.
	sources   []*Source
	exposures []*Source
	// traits are the units sources that describe the experiments' units.
	traits []*Source
	// alone reports that the file is checked without data.
	alone bool
}

// declared gives the declaration of a property among the metric's events: the
// first one, and whether the others agree on its type.
func (s *metricScope) declared(name string) (first *metrics.Property, conflict *metrics.Property) {
	for _, e := range s.events {
		t := s.registry.Event(e)
		if t == nil {
			continue
		}
		p := t.Property(name)
		switch {
		case p == nil:
		case first == nil:
			first = p
		case p.Type.V != first.Type.V && conflict == nil:
			conflict = p
		}
	}
	return first, conflict
}

func (s *metricScope) Resolve(r Ref) (Type, *diag.Diagnostic) {
	switch r.Kind {
	case RefProperty:
		return s.property(r.Name)
	case RefValue:
		if !s.alone && !slices.ContainsFunc(s.sources, func(src *Source) bool { return src.Value != nil }) {
			return NumberType, &diag.Diagnostic{Code: "no-value",
				Message: "the events of " + sourceNames(s.sources) + " have no value",
				Hint:    "map one under columns: value, or use a property"}
		}
		return NumberType, nil
	case RefEvent:
		return TextType, nil
	case RefElapsed:
		return NumberType, nil
	case RefAttribute:
		return TextType, s.inBag("event attribute", r.Name, s.sources, func(src *Source) Bag { return src.Attributes })
	case RefExposure:
		return TextType, s.inBag("exposure attribute", r.Name, s.exposures, func(src *Source) Bag { return src.Attributes })
	case RefUnit:
		if s.alone {
			return TextType, nil
		}
		return TextType, hasTrait(r.Name, s.traits)
	case RefUnitID:
		return TextType, s.unitKind(r.Name)
	}
	return NilType, unknownName(r.Name, s.words())
}

func (s *metricScope) property(name string) (Type, *diag.Diagnostic) {
	typ := TextType
	p, conflict := s.declared(name)
	if conflict != nil {
		return typ, &diag.Diagnostic{Code: "property-type",
			Message: "property " + quoted(name) + " is declared as " + string(p.Type.V) + " and as " + string(conflict.Type.V),
			Hint:    "declare it with one type for all events of this metric"}
	}
	if p != nil {
		typ = propertyType(p.Type.V)
	}
	return typ, s.inBag("event property", name, s.sources, func(src *Source) Bag { return src.Properties })
}

// inBag checks that one of the sources can hold the name.
func (s *metricScope) inBag(what, name string, sources []*Source, bag func(*Source) Bag) *diag.Diagnostic {
	if s.alone {
		return nil
	}
	var known []string
	internal := false
	for _, src := range sources {
		b := bag(src)
		if _, ok := b.Lookup(name); ok {
			return nil
		}
		known = append(known, b.Names()...)
		internal = internal || slices.Contains(b.Internal, name)
	}
	d := &diag.Diagnostic{Code: "unknown-name", Message: sourceNames(sources) + " has no " + what + " " + quoted(name)}
	if internal {
		column := "properties"
		if strings.HasSuffix(what, "attribute") {
			column = "attributes"
		}
		d.Hint = "the vendor's software writes it for itself; where it is yours, map it under the source's columns, with its path: " + column + ": {" + name + ": …}"
		return d
	}
	d.Hint = diag.DidYouMean(name, known)
	if d.Hint == "" && len(known) > 0 {
		slices.Sort(known)
		d.Hint = "it has " + strings.Join(slices.Compact(known), ", ")
	}
	if d.Hint == "" {
		d.Hint = "map it in the source's columns"
	}
	return d
}

func (s *metricScope) unitKind(kind string) *diag.Diagnostic {
	if s.alone {
		return nil
	}
	var kinds []string
	for _, src := range s.sources {
		for _, u := range src.Units {
			if u.Kind == kind {
				return nil
			}
			kinds = append(kinds, u.Kind)
		}
	}
	return unknownName("units."+kind, kinds)
}

func (s *metricScope) SQL(Ref) sqlast.Expr {
	panic("compiler: a metric's names have no SQL before a source is chosen")
}

func (s *metricScope) Bare(word string) (Ref, bool) {
	if p, _ := s.declared(word); p != nil {
		return Ref{Kind: RefProperty, Name: word}, true
	}
	return Ref{}, false
}

func (s *metricScope) Hint(word string) string {
	if near := diag.DidYouMean(word, s.words()); near != "" {
		return near
	}
	return fmt.Sprintf(`write properties[%q] for a property that is not declared under events, or "%[1]s" for a text`, word)
}

// words are the words that can begin a name.
func (s *metricScope) words() []string {
	words := []string{"value", "event", "elapsed", "properties", "attributes", "exposure", "unit", "units"}
	for _, e := range s.events {
		if t := s.registry.Event(e); t != nil {
			for _, p := range t.Properties {
				words = append(words, p.Name.V)
			}
		}
	}
	return words
}

// audienceScope says what names mean in an experiment's where.
type audienceScope struct {
	sources []*Source // of impressions
	traits  []*Source
	alone   bool
	column  func(Ref) sqlast.Expr
}

func (s *audienceScope) Resolve(r Ref) (Type, *diag.Diagnostic) {
	switch r.Kind {
	case RefExposure, RefUnit:
		m := metricScope{exposures: s.sources, traits: s.traits, alone: s.alone}
		return m.Resolve(r)
	default:
		d := &diag.Diagnostic{Code: "unknown-name", Message: "an audience is over exposure.* and unit.*, not " + formatRef(r),
			Hint: "an audience is chosen by the impression; for units that did something write activation"}
		if r.Kind == RefProperty || r.Kind == RefAttribute {
			d.Hint = "write " + formatRef(Ref{Kind: RefExposure, Name: r.Name})
		}
		return TextType, d
	}
}

func (s *audienceScope) SQL(r Ref) sqlast.Expr { return s.column(r) }

func (s *audienceScope) Bare(string) (Ref, bool) { return Ref{}, false }

func (s *audienceScope) Hint(word string) string {
	if near := diag.DidYouMean(word, []string{"exposure", "unit"}); near != "" {
		return near
	}
	return fmt.Sprintf(`write %s for an attribute of the impression, or %q for a text`, formatRef(Ref{Kind: RefExposure, Name: word}), word)
}

// Names are the names that the bag is known to hold; a MAP, JSON text or list
// may hold more.
func (b Bag) Names() []string {
	var out []string
	for n := range b.Named {
		out = append(out, n)
	}
	for n := range b.Fields {
		if _, named := b.Named[n]; !named && !slices.Contains(b.Internal, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

func propertyType(t metrics.PropertyType) Type {
	switch t {
	case metrics.TypeNumber, metrics.TypeInteger:
		return NumberType
	case metrics.TypeBoolean:
		return BooleanType
	case metrics.TypeTimestamp:
		return TimeType
	default:
		return TextType
	}
}

func unknownName(name string, words []string) *diag.Diagnostic {
	return &diag.Diagnostic{Code: "unknown-name", Message: "unknown name " + quoted(name), Hint: diag.Suggest("names", name, words)}
}

func quoted(s string) string { return `"` + s + `"` }

func sourceNames(sources []*Source) string {
	var names []string
	for _, s := range sources {
		names = append(names, s.Def.Name.V)
	}
	if len(names) == 0 {
		return "no source"
	}
	return "source " + strings.Join(names, ", ")
}
