package loaders

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
)

// inFiles says of columns that have a number behind their names, since others
// are called so but for the case of letters, what they are called in the file:
// of uid and UID the engine makes uid and UID_1.
func inFiles(columns []compiler.Column) {
	for i := range columns {
		c := &columns[i]
		at := strings.LastIndexByte(c.Name, '_')
		if at <= 0 || strings.Trim(c.Name[at+1:], "0123456789") != "" || at+1 == len(c.Name) {
			continue
		}
		base := c.Name[:at]
		alike := func(o compiler.Column) bool { return strings.EqualFold(o.Name, base) }
		if slices.ContainsFunc(columns[:i], alike) && !slices.ContainsFunc(columns, func(o compiler.Column) bool { return o.Name == base }) {
			c.InFile = base
		}
	}
}

// engineNames are what the columns of headers are called for the engine: those
// that differ in nothing but case are one column, called as the first of them,
// unless some file has several; then each but the first gets a number.
func engineNames(headers []header) map[string]string {
	spelled := map[string][]string{} // by the name in small letters, in the order of the files
	several := map[string]bool{}
	var taken []string
	for _, h := range headers {
		here := map[string]bool{}
		for _, name := range h.names {
			folded := strings.ToLower(name)
			several[folded] = several[folded] || here[folded]
			here[folded] = true
			if !slices.Contains(spelled[folded], name) {
				spelled[folded] = append(spelled[folded], name)
			}
			taken = append(taken, folded)
		}
	}
	called := map[string]string{}
	for folded, names := range spelled {
		for i, name := range names {
			called[name] = names[0]
			if i == 0 || !several[folded] {
				continue
			}
			n := i + 1
			for slices.Contains(taken, fmt.Sprint(folded, "_", n)) {
				n += len(names)
			}
			called[name] = fmt.Sprint(name, "_", n)
		}
	}
	return called
}

// alike reports whether two members of JSON are read that differ in nothing but
// case, which the engine takes for one column, and says so.
func (in *inspector) alike() bool {
	if in.format != metrics.FormatNDJSON {
		return false
	}
	needed := in.needed()
	for i, name := range needed {
		for _, other := range needed[:i] {
			if other != name && strings.EqualFold(other, name) {
				in.list.Errorf(in.def.Name.Pos, "names-in-two-cases", "source %q reads both %s and %s, which differ only in the case of their letters", in.def.Name.V, other, name).
					WithHint("columns cannot be told apart so; leave one of them out, or rename it in the files")
				return true
			}
		}
	}
	return false
}
