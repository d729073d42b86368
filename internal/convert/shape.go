package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
)

// kinds are what the values of one place have been, a set.
type kinds uint16

const (
	isBoolean kinds = 1 << iota
	isShort         // an integer of at most 15 digits, which floating numbers hold
	isLong          // an integer of at most 64 bits
	isHuge          // an integer of at most 38 digits
	isFixed         // a number with at most 6 digits after its point, and at most 15 in all
	isFloat         // any other number
	isDigits        // an integer of more digits than any type has
	isText
	isObject
	isList
)

// The bounds within which numbers with a point are decimals. Of 15 digits none is
// lost on the way through a floating number, which the engine takes; 6 are the
// decimals that a run keeps of floating numbers, so that it computes the same.
const (
	fixedDigits = 15
	fixedScale  = 6
)

// The bounds within which an object is a STRUCT. One with more members holds
// them by a name that is data. Rows have more columns than objects have members.
const (
	maxMembers = 256
	maxColumns = 4096
	maxDepth   = 8
)

// shape is what was seen of the values of one place: of a column, of a member
// of an object, or of the elements of a list.
type shape struct {
	kinds kinds
	// whole and scale are the most digits before and after the point.
	whole, scale int
	members      []*member
	byName       map[string]int
	// open says that the names of the members are not known, being too many.
	open  bool
	elems *shape
	// row says that it is the shape of rows, and time that it is that of their time.
	row, time bool
}

// limit is how many members it may have.
func (s *shape) limit() int {
	if s.row {
		return maxColumns
	}
	return maxMembers
}

// member is a member of an object. One that only rejected lines have has a
// shape without kinds.
type member struct {
	name  string
	shape *shape
	last  uint64 // the object that had it last, by its number
	null  bool   // some line has it as null
}

// skipped is about how many members an object may lack for the next to be found
// sooner by comparing names than by looking it up.
const skipped = 4

// at gives the place of a member, which follows the one at hint as a rule. It is
// negative where there are too many.
func (s *shape) at(name []byte, hint int) int {
	for i := hint; i < min(hint+skipped, len(s.members)); i++ {
		if s.members[i].name == string(name) {
			return i
		}
	}
	if i, ok := s.byName[string(name)]; ok {
		return i
	}
	if s.open || len(s.members) == s.limit() {
		s.open = true
		return -1
	}
	return s.add(string(name))
}

func (s *shape) add(name string) int {
	if s.byName == nil {
		s.byName = map[string]int{}
	}
	s.byName[name] = len(s.members)
	s.members = append(s.members, &member{name: name, shape: &shape{}})
	return len(s.members) - 1
}

// merge adds what was seen elsewhere.
func (s *shape) merge(other *shape) {
	s.kinds |= other.kinds
	s.whole, s.scale = max(s.whole, other.whole), max(s.scale, other.scale)
	s.open = s.open || other.open
	for _, m := range other.members {
		i, ok := s.byName[m.name]
		if !ok {
			i = s.add(m.name)
		}
		s.members[i].null = s.members[i].null || m.null
		s.members[i].shape.merge(m.shape)
	}
	s.open = s.open || len(s.members) > s.limit()
	if other.elems != nil {
		if s.elems == nil {
			s.elems = &shape{}
		}
		s.elems.merge(other.elems)
	}
}

// seen are the members that rows have, by name.
func (s *shape) seen() []*member {
	var seen []*member
	for _, m := range s.members {
		if m.shape.kinds != 0 || m.null {
			seen = append(seen, m)
		}
	}
	slices.SortFunc(seen, func(a, b *member) int { return strings.Compare(a.name, b.name) })
	return seen
}

// twins are two names that differ only in the case of their letters, which
// columns cannot.
func (s *shape) twins() (a, b string, ok bool) {
	folded := map[string]string{}
	for _, m := range s.seen() {
		key := strings.ToLower(m.name)
		if other, taken := folded[key]; taken {
			return other, m.name, true
		}
		folded[key] = m.name
	}
	return "", "", false
}

// sqlType is the type that holds all values without loss, as the engine spells
// it: JSON where no other does.
func (s *shape) sqlType() string {
	const whole = isShort | isLong
	only := func(of kinds) bool { return s.kinds != 0 && s.kinds&^of == 0 }
	switch {
	case only(isText):
		return "VARCHAR"
	case only(isBoolean):
		return "BOOLEAN"
	case only(whole):
		return "BIGINT"
	case only(whole | isHuge):
		return "DECIMAL(38,0)"
	case only(isShort|isFixed) && s.whole+s.scale <= fixedDigits:
		return fmt.Sprintf("DECIMAL(18,%d)", s.scale)
	case only(isShort | isFixed | isFloat):
		return "DOUBLE"
	case only(isObject):
		return s.structType()
	}
	return jsonType // lists too, of which paths reach the parts
}

// under gives the shape of the values at a path; nil where there are none.
func (s *shape) under(path string) *shape {
	for _, name := range strings.Split(path, ".") {
		i, ok := s.byName[name]
		if !ok {
			return nil
		}
		s = s.members[i].shape
	}
	return s
}

// has reports whether there is a value at a path.
func (s *shape) has(path string) bool {
	at := s.under(path)
	return at != nil && at.kinds != 0
}

// numbersAndTexts reports whether some values at a path are numbers, and all others texts.
func (s *shape) numbersAndTexts(path string) bool {
	at := s.under(path)
	return at != nil && at.numberOrText()
}

// numberOrText reports whether some values are numbers, and all others texts.
func (s *shape) numberOrText() bool {
	const number = isShort | isLong | isHuge | isFixed | isFloat | isDigits
	return s.kinds&isText != 0 && s.kinds&number != 0 && s.kinds&^(isText|number) == 0
}

// rowsType is the type of a list whose elements are to be rows, and reports
// whether it is one.
func (s *shape) rowsType() (string, bool) {
	if s.kinds != isList || s.elems == nil || s.elems.kinds != isObject {
		return jsonType, false
	}
	return s.elems.structType() + "[]", true
}

// elementColumns are the members of the objects in a list, of which numbers beside texts are
// texts.
func (s *shape) elementColumns() []loaders.NewColumn {
	var columns []loaders.NewColumn
	if s.elems == nil {
		return nil
	}
	for _, field := range s.elems.seen() {
		typ := field.shape.sqlType()
		if field.shape.numberOrText() {
			typ = "VARCHAR"
		}
		columns = append(columns, loaders.NewColumn{Name: field.name, Type: typ})
	}
	return columns
}

const jsonType = "JSON"

// structType is the type of objects: a STRUCT, where their members can be the
// fields of one.
func (s *shape) structType() string {
	if s.open {
		return jsonType
	}
	if _, _, ok := s.twins(); ok {
		return jsonType
	}
	var fields []string
	for _, m := range s.seen() {
		if m.name == "" {
			return jsonType
		}
		fields = append(fields, quoteName(m.name)+" "+m.shape.sqlType())
	}
	if len(fields) == 0 {
		return jsonType
	}
	return "STRUCT(" + strings.Join(fields, ", ") + ")"
}

// quoteName is an identifier of SQL.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quoteText is a text of SQL.
func quoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
