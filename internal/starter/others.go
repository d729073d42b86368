package starter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// others lists the files that are neither impressions nor events, and what they may be.
func (w *writer) others() {
	for i, u := range w.survey.Others {
		if i == 0 {
			w.line("")
			w.comment("", "Files that are neither impressions nor events:")
		}
		var paths []string
		for _, p := range u.Paths {
			paths = append(paths, shown(p))
		}
		w.comment("", fmt.Sprintf("%s, %s, with the columns %s", list(paths), amount(int64(u.Files), "file"), list(u.Columns)))
		if what, columns := aboutUnits(u); what != "" {
			w.line("#   CHECK: %s, with", what)
			w.line("#     columns: {%s}", columns)
		}
	}
	if slices.ContainsFunc(w.survey.Others, func(u metrics.UnknownTable) bool { return u.OneEach }) {
		w.comment("", `Where each row is one event, such as an order, write a source of events with units, timestamp and event: '"order"', a text in both quotes.`)
	}
}

// notRead says which files were not looked at.
func (w *writer) notRead() {
	if files := w.survey.NotRead; len(files) > 0 {
		w.line("")
		some := files[:min(5, len(files))]
		w.comment("", fmt.Sprintf("Not looked at, because Parquet files hold impressions and events: %s, such as %s.", amount(int64(len(files)), "file"), list(some)))
	}
}

// aboutUnits says what rows about units are good for, and which columns they have as that.
// It is empty for what is not about units.
func aboutUnits(u metrics.UnknownTable) (what, columns string) {
	c := u.About
	if c == nil {
		return "", ""
	}
	columns = unitsFlow(c)
	if c.Timestamp.Column.IsSet() {
		columns += ", timestamp: " + scalar(c.Timestamp.Column.Src)
	}
	switch a := c.Attributes; {
	case len(a.Named) > 0:
		var named []string
		if a.From.IsSet() {
			named = append(named, "from: "+scalar(a.From.Src))
		}
		for _, n := range a.Named {
			named = append(named, scalar(n.Name.V)+": "+scalar(n.Column.Src))
		}
		columns += ", attributes: {" + strings.Join(named, ", ") + "}"
	case a.IsSet():
		columns += ", attributes: " + scalar(a.From.Src)
	case len(u.Columns) == 1:
		return "ids of units that are not to count, such as staff, stand under sources as exclude_units", columns
	case len(c.Units) == 1:
		return "", "" // no column is an attribute
	default:
		return "pairs of ids, by which identity joins events to other units, stand under sources as units", columns
	}
	return "attributes of units stand under sources as units", columns
}
