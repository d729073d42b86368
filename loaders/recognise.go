package loaders

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/metrics"
)

// recognised is what the names and types of columns say that the rows are.
type recognised struct {
	// preset is the name of a known export, empty where the columns were guessed.
	preset string
	// impressions and events map the columns; nil where rows are not that.
	impressions, events *metrics.Columns
	// facts maps the columns of rows that would be events if something said of which
	// event, as in a table of orders alone.
	facts *metrics.Columns
	// about maps the columns of rows that may be about units; nil where they are not.
	about *metrics.Columns
	// noImpressions and noEvents say what the columns lack; empty: nothing.
	noImpressions, noEvents string
	// key is equal for columns that mean the same.
	key string
	// part is what a file is among tables of which each event has one.
	part part
}

// role is what the rows are taken for: events, where they may be both. It is
// empty where they are neither.
func (r recognised) role() metrics.SourceRole {
	switch {
	case r.events != nil:
		return metrics.RoleEvents
	case r.impressions != nil:
		return metrics.RoleImpressions
	}
	return ""
}

// columns are those of the role.
func (r recognised) columns(role metrics.SourceRole) *metrics.Columns {
	if role == metrics.RoleImpressions {
		return r.impressions
	}
	return r.events
}

// recognise reads the names and types of columns, and the names of those that stand
// in the paths of files alone: as a known export, else meaning by meaning.
func recognise(columns []compiler.Column, inPath []string) recognised {
	if r, ok := recognisePreset(columns); ok {
		return r
	}
	r := recognised{}
	for _, more := range [][]string{nil, inPath} {
		if r.role() != "" {
			break
		}
		g := newGuess(columns, more)
		r.impressions, r.noImpressions = g.impressions()
		r.events, r.noEvents = g.events()
		r.facts = g.facts()
		r.about = g.about()
	}
	switch r.role() {
	case metrics.RoleImpressions:
		r.key = fmt.Sprint("impressions ", required(r.impressions))
	case metrics.RoleEvents:
		r.key = fmt.Sprint("events ", required(r.events))
	default:
		for _, c := range columns {
			r.key += c.Name + "\n"
		}
	}
	return r
}

// recognisePreset finds the known exports whose signs the columns have: of
// each role the one with the most signs, and only those of the preset that has
// the most of all, since a table is of one vendor.
func recognisePreset(columns []compiler.Column) (recognised, bool) {
	best, most := recognised{}, 0
	for _, name := range Presets() {
		preset, err := Preset(name)
		if err != nil {
			panic("loaders: " + err.Error())
		}
		r := recognised{preset: name}
		impressions, events := signs(preset.Impressions, columns), signs(preset.Events, columns)
		if impressions > 0 {
			r.impressions = &metrics.Columns{}
			r.noEvents = "they are impressions by the preset " + name
		}
		if events > 0 {
			r.events = &metrics.Columns{}
			r.noImpressions = "they are events by the preset " + name
		}
		if n := max(impressions, events); n > most {
			r.key = fmt.Sprint("preset ", name, " ", r.role())
			best, most = r, n
		}
	}
	return best, most > 0
}

// signs is how many signs the columns have of a known export; 0 where one is
// missing, or a column without which rows cannot be read.
func signs(known *metrics.PresetSource, columns []compiler.Column) int {
	if known == nil {
		return 0
	}
	lacks := func(e metrics.Expr) bool {
		e.Tolerant = true
		return compiler.Absent(e, columns)
	}
	c := &known.Columns
	for _, e := range append(slices.Clone(known.Signs), c.Timestamp.Column, c.Event, c.Variation) {
		if e.IsSet() && lacks(e) {
			return 0
		}
	}
	if !slices.ContainsFunc(c.Units, func(u metrics.UnitColumn) bool { return !lacks(u.Column) }) {
		return 0
	}
	return len(known.Signs)
}

// required are the columns without which rows are neither impressions nor events.
func required(c *metrics.Columns) string {
	names := []string{c.Timestamp.Column.Src, c.Event.Src, c.Experiment.Src, c.Flag.Src, c.Variation.Src}
	for _, u := range c.Units {
		names = append(names, u.Kind.V+"="+u.Column.Src)
	}
	return strings.Join(names, ", ")
}

// plainName is a name that can stand in an expression as it is.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// bareName is a name that definitions can have as it is, in YAML's quotes where it needs
// them: that of a column is looked for before it is read as an expression.
var bareName = regexp.MustCompile(`^[\pL_%#(]([^\pC\pZ"'\\.` + "`" + `$]| )*$`)

// The names of columns that tell what they mean, the most telling first. They
// are compared without case and punctuation.
var (
	unitWords = []struct {
		kind  string
		words []string
	}{
		{"user", []string{"userid", "user", "uid", "visitorid", "visitor", "customerid", "memberid", "personid", "profileid", "subjectid", "subject", "subjectkey", "userkey", "userpseudoid", "distinctid", "contextkey", "unitid", "unit", "uniquekey"}},
		{"anonymous", []string{"anonymousid", "anonid", "cookieid"}},
		{"device", []string{"deviceid", "clientid", "installationid"}},
		{"account", []string{"accountid", "organizationid", "organisationid", "orgid", "companyid", "tenantid", "workspaceid"}},
	}
	timeWords = []string{"timestamp", "ts", "time", "eventtime", "eventtimestamp", "occurredat", "exposedat", "assignedat", "exposuretime", "exposuretimestamp", "impressiontime",
		"createdat", "clienttime", "originaltimestamp", "sentat", "servertime", "receivedat", "datetime", "epoch", "timestampms", "tsms", "date", "day"}
	eventWords      = []string{"event", "eventname", "eventkey", "eventtype", "eventtypeid", "metrickey", "metricname", "action", "name"}
	variationWords  = []string{"variation", "variationkey", "variationid", "variationname", "variant", "variantkey", "variantid", "variantname", "treatment", "arm", "bucket", "testgroup", "experimentgroup", "groupname", "groupkey", "groupid", "group", "variationindex", "flagvalue", "featurevalue", "variationvalue"}
	experimentWords = []string{"experiment", "experimentkey", "experimentid", "experimentname", "expid", "expkey", "testid", "testkey", "testname", "abtest", "campaignid"}
	flagWords       = []string{"flag", "flagkey", "flagid", "flagname", "featureflag", "featureflagkey", "feature", "featurekey", "featureid", "featurename", "split", "splitname", "toggle"}
	valueWords      = []string{"value", "eventvalue", "metricvalue", "numericvalue", "revenue", "amount", "ordervalue", "total", "price"}
	propertyWords   = []string{"properties", "props", "eventproperties", "tags", "params", "parameters", "eventparams", "eventdata", "payload", "data", "metadata", "attributes", "context"}
	attributeWords  = []string{"contextattributes", "attributes", "userattributes", "userproperties", "traits", "dimensions", "context", "properties", "props", "metadata"}
	idWords         = []string{"uuid", "id", "rowid", "insertid", "messageid", "hitid", "eventuuid", "eventid", "impressionid", "exposureid", "decisionid"}
	sinceWords      = []string{"validfrom", "effectivefrom", "effectiveat", "updatedat", "changedat", "asof", "snapshotat", "snapshotdate"}
	holdbackWords   = []string{"isholdback", "holdback", "isholdout", "holdout"}
)

// guess finds the meanings of columns, each column once.
type guess struct {
	columns []compiler.Column // with the fields of structs, under their paths
	inner   map[string]bool   // the paths of those fields
	inPath  []string          // the columns that stand in the paths of files alone
	used    map[string]bool
}

func newGuess(columns []compiler.Column, inPath []string) *guess {
	g := &guess{inPath: inPath, used: map[string]bool{}, inner: map[string]bool{}}
	g.add("", columns)
	return g
}

func (g *guess) add(prefix string, columns []compiler.Column) {
	for _, c := range columns {
		name := prefix + c.Name
		g.inner[name] = g.inner[name] || prefix != ""
		g.columns = append(g.columns, compiler.Column{Name: name, Type: c.Type})
		if c.Type.Kind == compiler.ColumnStruct && prefix == "" && plainName.MatchString(c.Name) {
			g.add(name+".", slices.DeleteFunc(slices.Clone(c.Type.Fields), func(f compiler.Column) bool { return !plainName.MatchString(f.Name) }))
		}
	}
}

// impressions maps the columns of impressions, or says what is missing.
func (g *guess) impressions() (*metrics.Columns, string) {
	clear(g.used)
	c := &metrics.Columns{Units: g.units(), Timestamp: g.time()}
	c.Variation = g.key(variationWords, isServed)
	c.Experiment = g.key(experimentWords, isKey)
	c.Flag = g.key(flagWords, isKey)
	c.Holdback = g.take(holdbackWords, isSwitch)
	if lacks := lacking(
		need{len(c.Units) > 0, "the id of a unit"},
		need{c.Timestamp.Column.IsSet(), "a timestamp"},
		need{c.Variation.IsSet(), "a variation"},
		need{c.Experiment.IsSet() || c.Flag.IsSet(), "an experiment or flag"},
	); lacks != "" {
		return nil, lacks
	}
	c.ID = g.id()
	c.Attributes = g.bag(attributeWords, isLabel)
	return c, ""
}

// events maps the columns of events, or says what is missing.
func (g *guess) events() (*metrics.Columns, string) {
	c, lacks := g.eventColumns()
	if lacks != "" {
		return nil, lacks
	}
	return c, ""
}

// facts maps the columns of events without an event key; nil for what is anything
// else.
func (g *guess) facts() *metrics.Columns {
	c, lacks := g.eventColumns()
	if lacks != lackingEvent {
		return nil
	}
	return c
}

// about maps the columns of rows about units: their attributes, pairs of their ids, or
// ids alone. It is nil for what has no ids, and for impressions and events that lack
// something.
func (g *guess) about() *metrics.Columns {
	clear(g.used)
	c := &metrics.Columns{Units: g.units()}
	shown := g.take(variationWords, isServed).IsSet() && (g.take(experimentWords, isKey).IsSet() || g.take(flagWords, isKey).IsSet())
	done := g.take(slices.DeleteFunc(slices.Clone(eventWords), func(word string) bool { return word == "name" }), isName).IsSet()
	if len(c.Units) == 0 || shown || done {
		return nil
	}
	clear(g.used)
	c.Units = g.units()
	c.Timestamp.Column = g.take(sinceWords, func(t compiler.ColumnType) bool { return isTime(t) || t.Kind == compiler.ColumnText })
	c.Attributes = g.bag(attributeWords, isLabel)
	return c
}

// lackingEvent is what is missing of events whose key no column tells.
var lackingEvent = lacking(need{false, "an event key"})

// eventColumns maps the columns of events, and says what of them is missing.
func (g *guess) eventColumns() (c *metrics.Columns, lacks string) {
	clear(g.used)
	c = &metrics.Columns{Units: g.units(), Timestamp: g.time()}
	c.Event = g.key(eventWords, isName)
	lacks = lacking(
		need{len(c.Units) > 0, "the id of a unit"},
		need{c.Timestamp.Column.IsSet(), "a timestamp"},
		need{c.Event.IsSet(), "an event key"},
	)
	c.ID = g.id()
	c.Value = g.take(valueWords, isAmount)
	delete(g.used, c.Value.Src) // it is a property too
	c.Properties = g.bag(propertyWords, isProperty)
	return c, lacks
}

// need is something without which rows are not of a role.
type need struct {
	met  bool
	what string
}

// lacking says which needs are not met; it is empty where all are.
func lacking(needs ...need) string {
	var lacks []string
	for _, n := range needs {
		if !n.met {
			lacks = append(lacks, n.what)
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "they lack " + strings.Join(lacks, ", ")
}

// take gives the column with the most telling of the names, and marks it as used.
func (g *guess) take(words []string, fits func(compiler.ColumnType) bool) metrics.Expr {
	for _, word := range words {
		for _, c := range g.columns {
			if !g.used[c.Name] && plainWord(c.Name) == word && fits(c.Type) {
				g.used[c.Name] = true
				return metrics.Expr{Src: c.Name}
			}
		}
	}
	return metrics.Expr{}
}

// key gives a column of the rows as take does, else one that stands in the paths of
// the files, as the flag of flag=checkout/part-0.parquet does.
func (g *guess) key(words []string, fits func(compiler.ColumnType) bool) metrics.Expr {
	if e := g.take(words, fits); e.IsSet() {
		return e
	}
	for _, word := range words {
		for _, name := range g.inPath {
			if !g.used[name] && plainWord(name) == word {
				g.used[name] = true
				return metrics.Expr{Src: name}
			}
		}
	}
	return metrics.Expr{}
}

func (g *guess) units() []metrics.UnitColumn {
	var units []metrics.UnitColumn
	for _, u := range unitWords {
		if e := g.take(u.words, isID); e.IsSet() {
			units = append(units, metrics.UnitColumn{Kind: metrics.Text{V: u.kind}, Column: e})
		}
	}
	return units
}

// time gives the column of instants: by its name, else the only one of a type
// that holds nothing but instants. The unit of a number is not known yet.
func (g *guess) time() metrics.TimestampColumn {
	for _, fits := range []func(compiler.ColumnType) bool{isInstant, isTimeText} {
		if e := g.take(timeWords, fits); e.IsSet() {
			return metrics.TimestampColumn{Column: e}
		}
	}
	var instants []string
	for _, c := range g.columns {
		if isInstant(c.Type) {
			instants = append(instants, c.Name)
		}
	}
	if len(instants) != 1 {
		return metrics.TimestampColumn{}
	}
	g.used[instants[0]] = true
	return metrics.TimestampColumn{Column: metrics.Expr{Src: instants[0]}}
}

func (g *guess) id() []metrics.Expr {
	if e := g.take(idWords, isID); e.IsSet() {
		return []metrics.Expr{e}
	}
	return nil
}

// bag gives the column of named values, and besides it the single columns
// that nothing else took.
func (g *guess) bag(words []string, fits func(compiler.ColumnType) bool) metrics.Bag {
	b := metrics.Bag{From: g.take(words, isBag)}
	if !b.From.IsSet() {
		b.From = g.onlyBag()
	}
	for _, c := range g.columns {
		if g.used[c.Name] || !fits(c.Type) || g.inner[c.Name] || !isBare(c.Name) || c.Name == "from" || slices.Contains(timeWords, plainWord(c.Name)) {
			continue
		}
		g.used[c.Name] = true
		b.Named = append(b.Named, metrics.NamedColumn{Name: metrics.Text{V: c.Name}, Column: metrics.Expr{Src: c.Name}})
	}
	return b
}

// onlyBag gives the only column of a type that is for named values, whatever it is
// called. Text may be anything, and of a STRUCT a field may be used.
func (g *guess) onlyBag() metrics.Expr {
	var bags []string
	for _, c := range g.columns {
		if !g.used[c.Name] && !g.inner[c.Name] && isBare(c.Name) && isBag(c.Type) && c.Type.Kind != compiler.ColumnText && c.Type.Kind != compiler.ColumnStruct {
			bags = append(bags, c.Name)
		}
	}
	if len(bags) != 1 {
		return metrics.Expr{}
	}
	g.used[bags[0]] = true
	return metrics.Expr{Src: bags[0]}
}

// isBare reports whether a column can be named as it is called.
func isBare(name string) bool { return bareName.MatchString(name) && strings.TrimSpace(name) == name }

// plainWord is a name of a column without case and punctuation.
func plainWord(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, name)
}

func isKind(kinds ...compiler.ColumnKind) func(compiler.ColumnType) bool {
	return func(t compiler.ColumnType) bool { return slices.Contains(kinds, t.Kind) }
}

// What the types of columns are good for.
var (
	isName     = isKind(compiler.ColumnText)
	isID       = isKind(compiler.ColumnText, compiler.ColumnUUID, compiler.ColumnInteger, compiler.ColumnFloat)
	isKey      = isKind(compiler.ColumnText, compiler.ColumnUUID, compiler.ColumnInteger, compiler.ColumnFloat, compiler.ColumnBoolean)
	isServed   = func(t compiler.ColumnType) bool { return isKey(t) || t.Kind == compiler.ColumnJSON }
	isSwitch   = isKind(compiler.ColumnBoolean, compiler.ColumnText)
	isInstant  = isKind(compiler.ColumnTimestamp, compiler.ColumnTimestampNS, compiler.ColumnTimestampTZ)
	isTime     = isKind(compiler.ColumnTimestamp, compiler.ColumnTimestampNS, compiler.ColumnTimestampTZ, compiler.ColumnDate)
	isTimeText = isKind(compiler.ColumnText, compiler.ColumnInteger, compiler.ColumnFloat, compiler.ColumnDate)
	isAmount   = isKind(compiler.ColumnInteger, compiler.ColumnDecimal, compiler.ColumnFloat, compiler.ColumnText)
	isLabel    = isKind(compiler.ColumnText, compiler.ColumnBoolean, compiler.ColumnInteger)
	isProperty = isKind(compiler.ColumnText, compiler.ColumnUUID, compiler.ColumnBoolean, compiler.ColumnInteger, compiler.ColumnDecimal, compiler.ColumnFloat,
		compiler.ColumnTimestamp, compiler.ColumnTimestampTZ)
	isBag = func(t compiler.ColumnType) bool {
		_, err := bag(stored{typ: t})
		return err == nil
	}
)
