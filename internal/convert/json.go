package convert

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// jsonReader reads lines of JSON one by one. It takes what RFC 8259 allows. Of the
// members of an object that have one name, which the engine stumbles on, the first
// counts, as it does where a run reads the lines.
type jsonReader struct {
	data []byte
	pos  int
	// object counts the objects that were read.
	object uint64
	// news are what the line tells that the shapes do not know yet: they are told
	// when the whole line is good.
	news []news
	// repeats are the members of the line that have the name of one before.
	repeats []span
	// day is that of the line's time, where it is plain to see.
	day   []byte
	epoch epochDays
}

// span is a piece of a line: what stands from a byte up to another.
type span struct{ from, to int }

// news is something new about the values of one place.
type news struct {
	shape        *shape
	kinds        kinds
	whole, scale int
	null         *member
}

var (
	errNoObject = errors.New("the line is JSON, but no object")
	errNoText   = errors.New("the line is not in UTF-8")
	errTooDeep  = errors.New("the JSON has more than 500 levels")
	errLong     = fmt.Errorf("the line has more than %d MiB", maxRecord>>20)
)

// jsonLevels bounds recursion, also that of programs which read the line later.
const jsonLevels = 500

// read reads a line and tells the shape of rows what is new. The error says why the line
// cannot be read.
func (r *jsonReader) read(line []byte, rows *shape) (reading, error) {
	if err := r.line(line, rows); err != nil {
		return reading{}, err
	}
	for _, n := range r.news {
		if n.null != nil {
			n.null.null = true
			continue
		}
		n.shape.kinds |= n.kinds
		n.shape.whole, n.shape.scale = max(n.shape.whole, n.whole), max(n.shape.scale, n.scale)
	}
	return reading{r.repeats, r.day}, nil
}

// line is read, but for telling what is new.
func (r *jsonReader) line(line []byte, rows *shape) error {
	r.data, r.pos, r.news, r.repeats, r.day = line, 0, r.news[:0], r.repeats[:0], nil
	if !utf8.Valid(line) {
		return errNoText
	}
	r.blanks()
	if r.peek() != '{' {
		if err := r.value(nil, 0); err != nil {
			return err
		}
		return errNoObject
	}
	if err := r.objectOf(rows, 0); err != nil {
		return err
	}
	r.blanks()
	if r.pos < len(line) {
		return r.unexpected()
	}
	return nil
}

// unexpected says where the line is no JSON.
func (r *jsonReader) unexpected() error {
	if r.pos >= len(r.data) {
		return fmt.Errorf("the JSON ends too early, after %d bytes", len(r.data))
	}
	c, _ := utf8.DecodeRune(r.data[r.pos:])
	return fmt.Errorf("the JSON has an unexpected %q at byte %d", c, r.pos+1)
}

// peek is the next byte, 0 at the end.
func (r *jsonReader) peek() byte {
	if r.pos < len(r.data) {
		return r.data[r.pos]
	}
	return 0
}

func (r *jsonReader) blanks() {
	if r.pos < len(r.data) && r.data[r.pos] > ' ' {
		return // as a rule
	}
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\r', '\n':
			r.pos++
		default:
			return
		}
	}
}

// is notes the kind of a value.
func (r *jsonReader) is(s *shape, k kinds) {
	if s != nil && s.kinds&k == 0 {
		r.news = append(r.news, news{shape: s, kinds: k})
	}
}

// value reads any value. A nil shape is of a value whose inside is not told.
func (r *jsonReader) value(s *shape, depth int) error {
	switch c := r.peek(); {
	case c == '"':
		r.is(s, isText)
		inside, _, err := r.text()
		if s != nil && s.time {
			r.day = dayOfText(inside)
		}
		return err
	case c == '-' || c >= '0' && c <= '9':
		return r.number(s)
	case c == '{':
		r.is(s, isObject)
		return r.objectOf(s, depth)
	case c == '[':
		r.is(s, isList)
		return r.list(s, depth)
	case c == 't':
		r.is(s, isBoolean)
		return r.word("true")
	case c == 'f':
		r.is(s, isBoolean)
		return r.word("false")
	case c == 'n':
		return r.word("null")
	}
	return r.unexpected()
}

func (r *jsonReader) word(word string) error {
	for i := range len(word) {
		if r.peek() != word[i] {
			return r.unexpected()
		}
		r.pos++
	}
	return nil
}

// objectOf reads an object whose members the shape has.
func (r *jsonReader) objectOf(s *shape, depth int) error {
	if depth >= jsonLevels {
		return errTooDeep
	}
	if s != nil && depth >= maxDepth {
		s.open = true
	}
	r.pos++
	r.object++
	this := r.object
	var others names // the members that the shape does not have
	next, comma := 0, 0
	r.blanks()
	if r.peek() == '}' {
		r.pos++
		return nil
	}
	for {
		if r.peek() != '"' {
			return r.unexpected()
		}
		name, escaped, err := r.text()
		if err != nil {
			return err
		}
		if escaped {
			if name, err = unescape(name); err != nil {
				return err
			}
		}
		var m *member
		repeated := false
		if s != nil {
			if next = s.at(name, next); next >= 0 {
				m = s.members[next]
				repeated = m.last == this
				m.last = this
			}
			next = max(next, 0) + 1
		}
		if m == nil {
			repeated = !others.add(name)
		}
		if depth == 0 && len(name) == 0 {
			return errors.New("the object has a key without letters")
		}
		r.blanks()
		if r.peek() != ':' {
			return r.unexpected()
		}
		r.pos++
		r.blanks()
		inner := (*shape)(nil)
		if m != nil && !repeated {
			inner = m.shape
			if r.peek() == 'n' && !m.null {
				r.news = append(r.news, news{null: m})
			}
		}
		if err := r.value(inner, depth+1); err != nil {
			return err
		}
		if repeated {
			r.repeat(comma)
		}
		switch r.blanks(); r.peek() {
		case ',':
			comma = r.pos
			r.pos++
			r.blanks()
		case '}':
			r.pos++
			return nil
		default:
			return r.unexpected()
		}
	}
}

// repeat notes the member that has been read from a comma on as a repeated one.
func (r *jsonReader) repeat(comma int) {
	for n := len(r.repeats); n > 0 && r.repeats[n-1].from > comma; n-- {
		r.repeats = r.repeats[:n-1] // is inside of it
	}
	r.repeats = append(r.repeats, span{comma, r.pos})
}

// appendWithout appends a line but for some pieces of it.
func appendWithout(to, line []byte, pieces []span) []byte {
	at := 0
	for _, p := range pieces {
		to = append(to, line[at:p.from]...)
		at = p.to
	}
	return append(to, line[at:]...)
}

// names are the names of members, to find those that stand twice.
type names struct {
	few  [][]byte
	many map[string]bool
}

// add reports whether the name is new.
func (n *names) add(name []byte) bool {
	if n.many == nil {
		for _, other := range n.few {
			if bytes.Equal(name, other) {
				return false
			}
		}
		if n.few = append(n.few, name); len(n.few) == 16 {
			n.many = map[string]bool{}
			for _, other := range n.few {
				n.many[string(other)] = true
			}
		}
		return true
	}
	if n.many[string(name)] {
		return false
	}
	n.many[string(name)] = true
	return true
}

// list reads a list.
func (r *jsonReader) list(s *shape, depth int) error {
	if depth >= jsonLevels {
		return errTooDeep
	}
	var elems *shape
	if s != nil && depth < maxDepth {
		if s.elems == nil {
			s.elems = &shape{}
		}
		elems = s.elems
	}
	r.pos++
	r.blanks()
	if r.peek() == ']' {
		r.pos++
		return nil
	}
	for {
		if err := r.value(elems, depth+1); err != nil {
			return err
		}
		switch r.blanks(); r.peek() {
		case ',':
			r.pos++
			r.blanks()
		case ']':
			r.pos++
			return nil
		default:
			return r.unexpected()
		}
	}
}

// plain gives how many bytes at the beginning of data are neither a quote nor a
// backslash nor a control character. It looks at eight at a time.
func plain(data []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(data); i += 8 {
		x := binary.LittleEndian.Uint64(data[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		// Subtracting borrows from the top bit of the first byte that is too small, and
		// perhaps of some after it.
		if found := ((x - ones*0x20) | (quote - ones) | (slash - ones)) & ^x & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(data) && data[i] >= 0x20 && data[i] != '"' && data[i] != '\\' {
		i++
	}
	return i
}

// text reads a text and gives what stands between the quotes, and whether some of
// it is escaped.
func (r *jsonReader) text() (inside []byte, escaped bool, err error) {
	r.pos++
	start := r.pos
	for {
		r.pos += plain(r.data[r.pos:])
		switch r.peek() {
		case '"':
			inside = r.data[start:r.pos]
			r.pos++
			return inside, escaped, nil
		case '\\':
			escaped = true
			if err := r.escape(); err != nil {
				return nil, false, err
			}
		default:
			return nil, false, r.unexpected()
		}
	}
}

// escape reads what a backslash begins. Halves of surrogate pairs are no text.
func (r *jsonReader) escape() error {
	r.pos++
	switch r.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.pos++
		return nil
	case 'u':
		code, err := r.hex()
		switch {
		case err != nil:
			return err
		case code >= 0xDC00 && code <= 0xDFFF:
			return errHalf
		case code < 0xD800 || code > 0xDFFF:
			return nil
		}
		if !bytes.HasPrefix(r.data[r.pos:], []byte(`\u`)) {
			return errHalf
		}
		r.pos++
		if code, err = r.hex(); err != nil {
			return err
		}
		if code < 0xDC00 || code > 0xDFFF {
			return errHalf
		}
		return nil
	}
	return r.unexpected()
}

var errHalf = errors.New("the JSON has half of a surrogate pair, which is no character")

// hex reads the four digits after a u.
func (r *jsonReader) hex() (code int, err error) {
	r.pos++
	for range 4 {
		c := r.peek()
		switch {
		case c >= '0' && c <= '9':
			code = code<<4 | int(c-'0')
		case c >= 'a' && c <= 'f':
			code = code<<4 | int(c-'a'+10)
		case c >= 'A' && c <= 'F':
			code = code<<4 | int(c-'A'+10)
		default:
			return 0, r.unexpected()
		}
		r.pos++
	}
	return code, nil
}

// unescape is what an escaped text stands for.
func unescape(inside []byte) ([]byte, error) {
	var text string
	if err := json.Unmarshal(append(append([]byte{'"'}, inside...), '"'), &text); err != nil {
		return nil, fmt.Errorf("read a key: %w", err)
	}
	return []byte(text), nil
}

// number reads a number.
func (r *jsonReader) number(s *shape) error {
	if r.peek() == '-' {
		r.pos++
	}
	start, whole, scale, exponent := r.pos, 0, 0, false
	switch first := r.peek(); {
	case first == '0':
		r.pos++
		whole = 1
	case first >= '1' && first <= '9':
		whole = r.digits()
	default:
		return r.unexpected()
	}
	if r.peek() == '.' {
		r.pos++
		if scale = r.digits(); scale == 0 {
			return r.unexpected()
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		exponent = true
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		if r.digits() == 0 {
			return r.unexpected()
		}
	}
	if s == nil {
		return nil
	}
	if s.time && r.pos == start+whole && r.data[start-1] != '-' {
		r.day = r.epoch.of(r.data[start:r.pos])
	}
	k := numberKind(whole, scale, exponent)
	if k == isHuge && fits64(r.data[start:start+whole]) {
		k = isLong
	}
	if k&(isShort|isFixed) == 0 {
		r.is(s, k)
	} else if s.kinds&k == 0 || whole > s.whole || scale > s.scale {
		r.news = append(r.news, news{shape: s, kinds: k, whole: whole, scale: scale})
	}
	return nil
}

// numberKind is the kind of a number with so many digits before and after its point.
func numberKind(whole, scale int, exponent bool) kinds {
	switch {
	case exponent:
		return isFloat
	case scale > 0 && scale <= fixedScale && whole+scale <= fixedDigits:
		return isFixed
	case scale > 0:
		return isFloat
	case whole <= 15:
		return isShort
	case whole <= 18:
		return isLong
	case whole <= 38:
		return isHuge
	}
	return isDigits
}

// fits64 reports whether an integer of the digits has at most 64 bits, whatever
// its sign.
func fits64(digits []byte) bool {
	const most = "9223372036854775807"
	return len(digits) < len(most) || len(digits) == len(most) && string(digits) <= most
}

// digits skips digits and counts them.
func (r *jsonReader) digits() int {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - start
}
