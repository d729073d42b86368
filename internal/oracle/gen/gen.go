// Package gen draws random warehouses and random definitions over them, for
// tests that compare two implementations of docs/semantics.md. A case stays
// within what the checker accepts, and seeks the places where
// implementations part: ties, copies of rows, missing and malformed values,
// instants at the edge of a window, units in several variations, sums at the
// limit of exactness.
package gen

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/metricsjob/metricsjob/internal/oracle"
)

// A Case is one experiment warehouse and what is asked of it.
type Case struct {
	// YAML is a definitions file; its paths are relative to the file.
	YAML string
	// Input is the rows as the oracle takes them.
	Input oracle.Input
	// Tables are the same rows as the files that YAML names.
	Tables []Table
	// Features name what the case has, in order.
	Features []string

	world *world
}

// With gives the same case over other rows, which must be some of its own.
func (c *Case) With(in oracle.Input) *Case {
	other := *c
	other.Input = in
	other.Tables = c.world.tables(in)
	return &other
}

// String gives the case for a reader.
func (c *Case) String() string {
	var b strings.Builder
	b.WriteString(c.YAML)
	for _, t := range c.Tables {
		b.WriteString("\n" + t.String())
	}
	return b.String()
}

// Draw draws a case.
func Draw(t *rapid.T) *Case {
	w := drawWorld(t)
	c := &Case{YAML: w.yaml(t)}
	c.Input = w.rows(t)
	c.Tables = w.tables(c.Input)
	slices.Sort(w.features)
	c.Features, c.world = w.features, w
	return c
}

// Definitions draws a definitions file alone.
func Definitions(t *rapid.T) string { return drawWorld(t).yaml(t) }

// A world is what rows and definitions must agree on: the sources and their
// columns, and the experiments with their instants.
type world struct {
	impressions       []*source
	events            []*source
	units             *source // nil where there is none
	excluded          bool    // whether there is a list of excluded units
	experiments       []*experiment
	features          []string
	closed            bool // the registry
	hasUnitAttributes bool
	ratio             *ratio // the last one, nil before there is one
	// extreme allows values at the limit of 10^15.
	extreme bool
	// crowd gives an attribute more than 50 values.
	crowd bool
	asOf  time.Time
	// instants are those that rows like to lie at.
	instants []time.Time
}

// A source is the layout of one export.
type source struct {
	name      string
	kinds     []string // unit kinds
	timestamp string   // column type; BIGINT is microseconds, or nanoseconds
	idColumns int
	idType    string // VARCHAR or BIGINT
	dedupe    string // "" for the default
	weight    bool   // whether weight is mapped
	isUnits   bool
	where     bool // whether the file has rows that the source's where drops
	early     int  // days; -1 for a source without partitions
	late      int
	bag       string // of attributes: MAP, STRUCT, COLUMNS
	ending    string // of its files' names
	delimiter string // of CSV

	experiment, flag, holdback bool // impressions: which columns are mapped

	hasValue   bool // events
	value      oracle.ColumnType
	properties string // events: MAP, STRUCT, JSON, LIST, COLUMNS, MIXED (a MAP and typed columns)
}

func (s *source) partitioned() bool { return s.early >= 0 }

// An experiment is what the rows need to know of one.
type experiment struct {
	key, flag, unit    string
	start              time.Time
	end, observeUntil  *time.Time
	matchExperiment    []string // values of match
	matchFlag          []string
	variations         []variation
	ignored            []string
	holdbackAs         string
	multiple           string
	cutWindows         bool
	where              string
	segments           []string // as written
	excludeUnitsIn     []string
	activation         string
	identity           string
	phases             []time.Time
	pool               string
	cuped              int // days
	compare            string
	primary, secondary []string
}

type variation struct {
	key   string
	match []string // as written in the data; none: the key
	json  string   // a JSON value in place of match
}

// The window lengths and edges that definitions and rows share.
var lengths = []string{"1h", "24h", "36h", "2d", "3d"}

// nanoseconds is the column type of instants as whole numbers of them.
const nanoseconds = "BIGINT of nanoseconds"

var (
	monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	day    = 24 * time.Hour
)

func drawWorld(t *rapid.T) *world {
	w := &world{}
	w.extreme, w.crowd = w.use(t, extremes, 15), w.use(t, crowds, 4)
	w.impressions = []*source{w.drawSource(t, "decisions")}
	w.impressions[0].experiment, w.impressions[0].flag = true, true
	w.impressions[0].holdback = chance(t, 50)
	w.drawFormat(t, w.impressions[0])
	if chance(t, 30) {
		s := w.drawSource(t, "flags")
		s.flag = true
		w.drawFormat(t, s)
		w.impressions = append(w.impressions, s)
	}
	w.events = []*source{w.drawEventSource(t, "orders")}
	if chance(t, 30) {
		name := "pages"
		if w.use(t, alikeSources, 20) {
			name = "Orders"
		}
		w.events = append(w.events, w.drawEventSource(t, name))
	}
	for i, s := range w.impressions { // without a draw of its own, so that seeds stay what they are
		s.weight = w.events[i%len(w.events)].weight
	}
	w.drawUnitSource(t)
	w.excluded = w.use(t, excludedUnits, 15)
	for i := range pick(t, "experiments", 1, 1, 1, 2, 2, 3) {
		w.experiments = append(w.experiments, w.drawExperiment(t, i))
	}
	w.linkExperiments(t)
	w.drawInstants(t)
	return w
}

func (w *world) drawSource(t *rapid.T, name string) *source {
	s := &source{
		name:      name,
		kinds:     pick(t, "kinds", []string{"user", "device"}, []string{"user", "device"}, []string{"user"}),
		timestamp: pick(t, "timestamp", "TIMESTAMP", "TIMESTAMP", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR", "BIGINT", "TIMESTAMP_NS", nanoseconds),
		idColumns: pick(t, "ids", 0, 1, 1, 1, 2),
		idType:    pick(t, "id type", "VARCHAR", "VARCHAR", "BIGINT"),
		dedupe:    pick(t, "dedupe", "", "", "", "", "none"),
		early:     -1,
		ending:    parquet,
		bag:       pick(t, "attributes", "MAP", "MAP", "STRUCT", "COLUMNS"),
	}
	s.where = w.use(t, sourceConditions, 15)
	if w.use(t, dedupeRow, 15) {
		s.dedupe = "row"
	}
	if w.use(t, partitions, 18) {
		s.early, s.late = pick(t, "early", 1, 1, 0), pick(t, "late", 2, 2, 0)
	}
	return s
}

func (w *world) drawEventSource(t *rapid.T, name string) *source {
	s := w.drawSource(t, name)
	s.weight = w.use(t, weights, 15)
	s.hasValue = !chance(t, 10)
	if s.hasValue {
		s.value = pick(t, "value type",
			oracle.ColumnType{Kind: oracle.FloatColumn}, oracle.ColumnType{Kind: oracle.FloatColumn},
			oracle.ColumnType{Kind: oracle.IntegerColumn}, oracle.ColumnType{Kind: oracle.DecimalColumn, Scale: 2},
			oracle.ColumnType{Kind: oracle.TextColumn})
	}
	s.properties = pick(t, "properties", "MAP", "MAP", "STRUCT", "JSON", "MIXED", "LIST")
	if s.dedupe == "row" && s.properties == "JSON" {
		s.properties = "MAP" // copies are drawn with texts of JSON that differ
	}
	w.drawFormat(t, s)
	return s
}

// drawFormat may make the files of a source CSV, or NDJSON where the values of its
// columns mean the same in it: types that JSON does not have, as DECIMAL, become
// other ones, and with them what is exact.
func (w *world) drawFormat(t *rapid.T, s *source) {
	lossless := contains([]string{"TIMESTAMP", "VARCHAR", "BIGINT", nanoseconds}, s.timestamp) && s.dedupe != "row" &&
		s.value.Kind != oracle.DecimalColumn && contains([]string{"", "MAP", "JSON", "MIXED"}, s.properties)
	switch {
	case lossless && w.use(t, ndjsonFiles, 12):
		s.ending = ndjson
	case w.use(t, csvFiles, 10):
		s.csvOf(t)
	}
}

// drawInstants chooses as-of and where rows like to lie: the edges of the
// experiments, dates, and a few others.
func (w *world) drawInstants(t *rapid.T) {
	w.asOf = monday.Add(time.Duration(between(t, "as-of", 3, 14)) * 12 * time.Hour)
	w.instants = []time.Time{monday, monday.Add(day), monday.Add(2 * day)}
	for range 6 {
		w.instants = append(w.instants, monday.Add(time.Duration(between(t, "hour", 0, 4*24))*time.Hour))
	}
	for _, x := range w.experiments {
		w.instants = append(w.instants, x.start)
		if x.end != nil {
			w.instants = append(w.instants, *x.end)
		}
		if x.observeUntil != nil {
			w.instants = append(w.instants, *x.observeUntil)
		}
	}
	for _, x := range w.experiments {
		w.instants = append(w.instants, x.phases...)
	}
	if chance(t, 20) {
		w.asOf = pick(t, "as-of at", w.instants[3:]...).Add(pick(t, "as-of edge", 0, time.Microsecond, -time.Microsecond))
	}
	w.instants = append(w.instants, w.asOf)
}

// chance is true in so many of a hundred cases. It shrinks to false.
func chance(t *rapid.T, percent int) bool { return below(t, "chance", 100) >= 100-percent }

// pick draws one of the values. It shrinks to the first.
func pick[T any](t *rapid.T, label string, values ...T) T {
	return values[below(t, label, len(values))]
}

// between draws a number from least to most. It shrinks to the least.
func between(t *rapid.T, label string, least, most int) int {
	return least + below(t, label, most-least+1)
}

// below draws a number from 0 to n−1, each about as often as the others
// (rapid's own ranges prefer small numbers by far). It shrinks to 0.
func below(t *rapid.T, label string, n int) int {
	return bits.Draw(t, label) * n >> bitsDrawn
}

const bitsDrawn = 10

var bits = rapid.Custom(func(t *rapid.T) int {
	v := 0
	for range bitsDrawn {
		v <<= 1
		if coin.Draw(t, "bit") {
			v++
		}
	}
	return v
})

var coin = rapid.Bool()

func contains(list []string, s string) bool { return slices.Contains(list, s) }
