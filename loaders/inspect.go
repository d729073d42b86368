package loaders

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/compiler"
	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/metrics"
)

// InspectOptions say how to look at the sources.
type InspectOptions struct {
	// Sources selects sources by name; empty: all.
	Sources []string
	// From and To bound the rows that matter of impressions and events, [From,
	// To). Objects of other days are not listed. Zero: all rows matter.
	From, To time.Time
}

// Inspect finds the files of every source, reads
// what their footers say, and gives the compiler a catalog. Mistakes of the
// definitions about the data (no file, no such column, a type that cannot be
// read as wanted) are in the list, at their places; the error is for what
// could not be read at all.
func Inspect(ctx context.Context, engine *Engine, defs *metrics.Definitions, opts InspectOptions) (*compiler.Catalog, diag.List, error) {
	var list diag.List
	catalog := &compiler.Catalog{Engine: engine.Version()}
	inspect := func(defs []*metrics.Source, into *[]*compiler.Source) error {
		for _, def := range defs {
			if len(opts.Sources) > 0 && !slices.Contains(opts.Sources, def.Name.V) {
				continue
			}
			var matters span
			if def.Role == metrics.RoleImpressions || def.Role == metrics.RoleEvents {
				matters = span{opts.From, opts.To}
			}
			src, err := inspectSource(ctx, engine, def, matters, &list)
			if err != nil {
				return fmt.Errorf("inspect source %s: %w", def.Name.V, err)
			}
			if src != nil {
				*into = append(*into, src)
			}
		}
		return nil
	}
	if err := inspect(defs.Sources.Impressions, &catalog.Impressions); err != nil {
		return nil, list, err
	}
	if err := inspect(defs.Sources.Events, &catalog.Events); err != nil {
		return nil, list, err
	}
	if err := inspect(defs.Sources.Units, &catalog.Units); err != nil {
		return nil, list, err
	}
	var excluded []*metrics.Source
	for _, def := range defs.Sources.ExcludeUnits {
		named := *def
		named.Name.V = string(metrics.RoleExclude)
		excluded = append(excluded, &named)
	}
	opts.Sources = nil
	if err := inspect(excluded, &catalog.Excluded); err != nil {
		return nil, list, err
	}
	exclude(catalog)
	return catalog, list, nil
}

// exclude tells the sources of which of their unit kinds some ids are excluded.
func exclude(catalog *compiler.Catalog) {
	for _, src := range catalog.Sources() {
		for _, u := range src.Units {
			if slices.ContainsFunc(catalog.Excluded, func(s *compiler.Source) bool {
				return slices.ContainsFunc(s.Units, func(x compiler.UnitField) bool { return x.Kind == u.Kind })
			}) {
				src.Excluded = append(src.Excluded, u.Kind)
			}
		}
	}
}

// inspector maps the columns of one source.
type inspector struct {
	def     *metrics.Source
	list    *diag.List
	schema  schema
	format  metrics.FileFormat
	columns []compiler.Column // those of the schema and the partition, a list that is taken apart as one element
	from    sqlast.From       // of a table or query; nil for files
	rows    *elements         // nil where each record is a row
	absent  []string          // what expressions name and no record of JSON has
	levels  []string          // folder levels name=value that are columns
	stored  map[*metrics.Expr]stored
	footers map[string]*footer
	out     *compiler.Source
}

// inspectSource gives nil where a mistake, now in the list, leaves nothing to give.
func inspectSource(ctx context.Context, engine *Engine, def *metrics.Source, matters span, list *diag.List) (*compiler.Source, error) {
	in := &inspector{def: def, list: list, stored: map[*metrics.Expr]stored{}, out: &compiler.Source{Def: def}}
	if len(def.Paths) == 0 {
		if ok, err := in.relation(ctx, engine); err != nil || !ok {
			return nil, err
		}
		return in.meanings(ctx, engine, nil)
	}
	files, err := findFiles(ctx, engine, def, matters, list)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	if in.format, err = formatOfSource(ctx, engine, def, files, list); err != nil {
		return nil, in.refused(err)
	}
	if in.format == "" {
		return nil, nil
	}
	in.out.Lines = in.format != metrics.FormatParquet
	if err := in.readSchema(ctx, engine, files); err != nil {
		return nil, in.unreadable(ctx, engine, files, err)
	}
	for i, f := range files {
		file := compiler.File{Path: f, Anchor: slices.Contains(in.schema.first, f)}
		in.out.Files = append(in.out.Files, file)
		if foot := in.footers[f]; foot != nil {
			in.out.Files[i].Unreadable = foot.unreadable
		}
	}
	if ok, err := in.hasRows(ctx, engine); err != nil || !ok {
		return nil, in.refused(err)
	}
	return in.meanings(ctx, engine, files)
}

// meanings finds what the columns mean, once the schema is known. Files are none
// for tables and queries.
func (in *inspector) meanings(ctx context.Context, engine *Engine, files []string) (_ *compiler.Source, err error) {
	def, said := in.def, len(*in.list)
	in.columns = in.schema.columns
	if def.Partition != nil && !in.partition() {
		return nil, nil
	}
	in.offerLevels()
	if err := in.findPairs(ctx, engine); err != nil {
		return nil, err
	}
	in.chooseRows()
	if in.def.Rows.Set && !in.takeApart() {
		return nil, nil
	}
	if in.def.Preset.Set {
		in.def = withoutAbsent(in.def, in.columns)
		in.out.Def = in.def
		if !in.fitsPreset() {
			return nil, nil
		}
		in.noID()
	}
	if !in.resolve() || in.hidden() || in.alike() {
		return nil, nil
	}
	if err := in.forgive(ctx, engine, files); err != nil {
		return nil, in.unreadable(ctx, engine, files, err)
	}
	if in.format == metrics.FormatParquet {
		if in.footers, err = readFooters(ctx, engine, files, in.plainColumns()); err != nil {
			return nil, in.unreadable(ctx, engine, files, err)
		}
	}
	in.read(ctx, engine, files)
	if err := in.countElements(ctx, engine); err != nil {
		return nil, err
	}
	in.files()
	if !in.fields() {
		return nil, nil
	}
	in.whole()
	if in.out.Rows == 0 && def.Role != metrics.RoleExclude { // that may well be nobody
		in.noRows(said)
	}
	var q questions
	in.askOccurring(&q)
	in.askIDs(&q)
	if err := q.ask(ctx, engine, in.out.Read); err != nil {
		return nil, fmt.Errorf("look through the rows: %w", err)
	}
	if ok, err := in.occurring(ctx, engine, &q); err != nil || !ok {
		return nil, err
	}
	if err := in.settleIDs(ctx, engine, &q); err != nil {
		return nil, err
	}
	return in.out, nil
}

// readSchema reads what the files have in common; those that are not Parquet
// have their rows counted by it.
func (in *inspector) readSchema(ctx context.Context, engine *Engine, files []string) (err error) {
	if in.format == metrics.FormatParquet {
		in.schema, err = readSchema(ctx, engine, files, in.def.Rows.V)
		return err
	}
	var lines map[string]lineFile
	switch in.format {
	case metrics.FormatNDJSON:
		lines, in.schema, err = readLines(ctx, engine, files)
	case metrics.FormatCSV:
		lines, in.schema, err = readCSV(ctx, engine, files)
	default:
		panic("loaders: no case for " + string(in.format))
	}
	if err != nil {
		return err
	}
	in.footers = map[string]*footer{}
	for _, file := range files {
		size, err := engine.size(ctx, file)
		if err != nil {
			return err
		}
		in.footers[file] = &footer{rows: lines[file].rows, bytes: size, unreadable: lines[file].unreadable}
	}
	return nil
}

// rowsOf says what lines are rows.
var rowsOf = map[metrics.FileFormat]struct{ what, hint string }{
	metrics.FormatNDJSON: {"a JSON object", "each line is one object; of a list of objects, jq -c '.[]' makes lines"},
	metrics.FormatCSV:    {"a row of its header", "each row has as many fields as the first line"},
}

// hasRows says which files hold lines, but no row; the definitions cannot mean
// those.
func (in *inspector) hasRows(ctx context.Context, engine *Engine) (bool, error) {
	ok := true
	for _, f := range in.out.Files {
		if foot := in.footers[f.Path]; foot != nil && foot.rows == 0 && foot.unreadable > 0 {
			ending, err := hiddenCompression(ctx, engine, f.Path)
			if err != nil {
				return false, err
			}
			said := in.list.Errorf(pathTo(in.def, f.Path), "bad-file", "%s has no line that is %s", f.Path, rowsOf[in.format].what)
			if said.Hint = rowsOf[in.format].hint; ending != "" {
				said.WithHint("it is compressed, which its name does not say: let it end in %s", ending)
			}
			ok = false
		}
	}
	return ok, nil
}

// mapped are the expressions of a source's columns.
func mapped(c *metrics.Columns) []*metrics.Expr {
	var all []*metrics.Expr
	for _, m := range c.Mapped() {
		all = append(all, m.Column)
	}
	return all
}

// chooseRows leaves out the list of a preset that the files lack, so that their
// records are rows, and one that was taken apart before, as convert does with --rows:
// then a STRUCT has its name, and each row one element.
func (in *inspector) chooseRows() {
	rows := in.def.Rows
	if !in.ofPreset(rows.Pos) {
		return
	}
	t, known := typeAt(in.columns, strings.Split(rows.V, "."))
	if known && t.Kind == compiler.ColumnStruct || compiler.Absent(metrics.Expr{Src: rows.V, Tolerant: true}, in.columns) {
		whole := *in.def
		whole.Rows = metrics.Text{}
		in.def = &whole
	}
}

// noID leaves out the id of a preset that the data lacks, and says so.
func (in *inspector) noID() {
	c := &in.def.Columns
	if in.def.Dedupe.Set || !slices.ContainsFunc(c.ID, func(e metrics.Expr) bool { return compiler.Absent(e, in.columns) }) {
		return
	}
	in.list.Warnf(in.def.Preset.Pos, "no-id", "source %q has not every column of the id by which the preset %s tells rows apart, so that duplicates are counted twice", in.def.Name.V, in.def.Preset.V).
		WithHint("map id under columns, or write dedupe: none where there are no duplicates")
	c.ID = nil
}

// resolve finds what every expression of the columns stands for.
func (in *inspector) resolve() bool {
	ok := true
	for _, m := range in.def.Columns.Mapped() {
		e := m.Column
		if compiler.Absent(*e, in.columns) {
			in.list.Errorf(e.Pos, "unknown-column", "source %q has no column for %s: the preset %s reads %s", in.def.Name.V, m.Name, in.def.Preset.V, e.Src).
				WithHint("map it under columns, or see with metricsjob presets whether it is another export")
			ok = false
			continue
		}
		sql, typ, found := compiler.CompileColumn(*e, in.open(*e), in.list)
		in.stored[e] = stored{sql, typ}
		ok = found && in.agreed(e, sql) && ok
	}
	var conds sqlast.And
	for _, e := range in.wheres() {
		if compiler.Absent(*e, in.columns) {
			in.list.Errorf(e.Pos, "unknown-column", "source %q has no column of those that tell its rows by the preset %s: %s", in.def.Name.V, in.def.Preset.V, e.Src).
				WithHint("see with metricsjob presets whether it is another export, or write columns in place of the preset")
			ok = false
			continue
		}
		where, found := compiler.CompileSourceWhere(*e, in.open(*e), in.list)
		ok = found && in.agreed(e, where) && ok
		conds = append(conds, where)
	}
	switch len(conds) {
	case 0:
	case 1:
		in.out.Where = conds[0]
	default:
		in.out.Where = conds
	}
	if !ok {
		return false
	}
	if t := &in.def.Columns.Timestamp; t.Column.Tolerant && isTime(in.stored[&t.Column].typ) {
		t.Epoch = "" // which the preset says for exports that write numbers
	}
	in.lacking()
	return true
}

// wheres are the conditions under which rows exist: those of the source and of
// its preset.
func (in *inspector) wheres() []*metrics.Expr {
	return slices.DeleteFunc([]*metrics.Expr{&in.def.Where, &in.def.PresetWhere}, func(e *metrics.Expr) bool { return !e.IsSet() })
}

// lacking warns of columns that only some of the files have: those of the
// others count as missing.
func (in *inspector) lacking() {
	said := map[string]bool{}
	var ofPreset []string // which are told together
	warn := func(e *metrics.Expr, sql sqlast.Expr) {
		for _, name := range sqlast.Columns(sql) {
			n, file := in.schema.lacking(name)
			if n == 0 || said[name] || in.inPath(name) || in.alternative(e) {
				continue
			}
			said[name] = true
			if in.ofPreset(e.Pos) {
				ofPreset = append(ofPreset, name)
				continue
			}
			in.list.Warnf(e.Pos, "column-lacking", "source %q: the column %s is missing in %d of %d files, e.g. %s", in.def.Name.V, name, n, len(in.out.Files), file).
				WithHint("in the rows of such files it counts as missing; see whether the export changed")
		}
	}
	for _, e := range mapped(&in.def.Columns) {
		warn(e, in.stored[e].sql)
	}
	for _, e := range in.wheres() {
		warn(e, in.out.Where)
	}
	switch len(ofPreset) {
	case 0:
		return
	case 1:
		n, file := in.schema.lacking(ofPreset[0])
		in.list.Warnf(in.def.Preset.Pos, "column-lacking", "source %q: the column %s is missing in %d of %d files, e.g. %s", in.def.Name.V, ofPreset[0], n, len(in.out.Files), file).
			WithHint("in the rows of such files it counts as missing; see whether the export changed")
	default:
		in.list.Warnf(in.def.Preset.Pos, "column-lacking", "source %q: some files have not all columns of the preset %s: %s", in.def.Name.V, in.def.Preset.V, some(ofPreset, 8)).
			WithHint("in the rows of such files they count as missing, as in tables of single events; see whether the export changed")
	}
}

// plainColumns are the columns that are mapped as they are, in lower case:
// those of which footers tell something.
func (in *inspector) plainColumns() []string {
	var names []string
	for _, s := range in.stored {
		if c, ok := s.sql.(sqlast.Column); ok && !in.inPath(c.Name) && !in.rows.is(c.Name) {
			names = append(names, strings.ToLower(c.Name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// files takes sizes and the bounds of the timestamp from the footers.
func (in *inspector) files() {
	when := in.def.Columns.Timestamp
	column := in.stored[&in.def.Columns.Timestamp.Column]
	for i := range in.out.Files {
		f := &in.out.Files[i]
		foot := in.footers[f.Path]
		f.Rows, f.Bytes = foot.rows, foot.bytes
		if c, ok := column.sql.(sqlast.Column); ok {
			f.MinTime, f.MaxTime = foot.columns[strings.ToLower(c.Name)].times(column.typ.Kind, when.Epoch)
		}
	}
	in.out.Rows, in.out.Bytes = totals(in.out.Files)
}

// fields gives the mapped columns their types.
func (in *inspector) fields() bool {
	c, out, ok := &in.def.Columns, in.out, true
	required := func(e *metrics.Expr, read func(stored) (compiler.Field, *cannot), into *compiler.Field) {
		if e.IsSet() {
			f, good := in.field(e, read)
			*into, ok = f, ok && good
		}
	}
	optional := func(e *metrics.Expr, read func(stored) (compiler.Field, *cannot), into **compiler.Field) {
		if e.IsSet() {
			*into = &compiler.Field{}
			required(e, read, *into)
		}
	}
	for i := range c.Units {
		unit := compiler.UnitField{Kind: c.Units[i].Kind.V}
		required(&c.Units[i].Column, identifier, &unit.Field)
		out.Units = append(out.Units, unit)
	}
	required(&c.Timestamp.Column, func(s stored) (compiler.Field, *cannot) { return timestampOf(s, c.Timestamp) }, &out.Time)
	if c.Timestamp.Column.IsSet() {
		switch s := plain(in.stored[&c.Timestamp.Column]); s.typ.Kind {
		case compiler.ColumnText, compiler.ColumnInteger, compiler.ColumnFloat, compiler.ColumnDecimal:
			out.TimeText = cast(s.sql, varchar)
		}
	}
	required(&c.Event, text, &out.Event)
	required(&c.Variation, variation, &out.Variation)
	optional(&c.Experiment, text, &out.Experiment)
	optional(&c.Flag, text, &out.Flag)
	optional(&c.Holdback, boolean, &out.Holdback)
	optional(&c.Value, number, &out.Value)
	optional(&c.Weight, weight, &out.Weight)
	if !in.def.Dedupe.Set || in.def.Dedupe.V == metrics.DedupeID {
		for i := range c.ID {
			var id compiler.Field
			required(&c.ID[i], rowID, &id)
			out.ID = append(out.ID, id)
		}
	}
	properties := in.bag(&c.Properties, &out.Properties)
	attributes := in.bag(&c.Attributes, &out.Attributes)
	if in.def.Dedupe.V == metrics.DedupeRow {
		out.ID = in.rowKey()
	}
	return ok && properties && attributes
}

// bag gives the columns of named values their types.
func (in *inspector) bag(b *metrics.Bag, into *compiler.Bag) bool {
	ok := true
	if b.From.IsSet() {
		var err *cannot
		if *into, err = bag(in.stored[&b.From]); err != nil {
			in.refuse(&b.From, err)
			ok = false
		}
		into.Internal = b.Internal
	}
	if len(b.Named) > 0 {
		into.Named = map[string]compiler.Field{}
	}
	for i := range b.Named {
		f, good := in.field(&b.Named[i].Column, property)
		into.Named[b.Named[i].Name.V] = f
		ok = ok && good
	}
	return ok
}

// field reads one expression of the columns and adds what footers prove.
func (in *inspector) field(e *metrics.Expr, read func(stored) (compiler.Field, *cannot)) (compiler.Field, bool) {
	s := in.stored[e]
	f, err := read(s)
	if err != nil {
		in.refuse(e, err)
		return f, false
	}
	c, ok := s.sql.(sqlast.Column)
	if !ok || in.inPath(c.Name) || in.rows.is(c.Name) {
		return f, true
	}
	known := merged(in.footers, in.out.Files, strings.ToLower(c.Name))
	f.NeverNull = in.neverNull(f, s, known)
	if f.Type.Exact() {
		f.Min, f.Max = known.between()
	}
	return f, true
}

// neverNull reports whether the footers of a column prove that a field of it
// is never missing: that no value is, and that none is one that cannot be
// read.
func (in *inspector) neverNull(f compiler.Field, s stored, known *bounds) bool {
	if !known.neverNull() {
		return false
	}
	switch s.typ.Kind {
	case compiler.ColumnText:
		if nullIf, is := f.SQL.(sqlast.Call); is && nullIf.Fn == sqlast.NullIf {
			return known.neverEmpty()
		}
		return f.SQL == s.sql
	case compiler.ColumnInteger, compiler.ColumnDecimal:
		if f.Type.Kind == compiler.FieldTime {
			first, _ := known.times(s.typ.Kind, in.def.Columns.Timestamp.Epoch)
			return !first.IsZero()
		}
		return f.Type.Kind == compiler.FieldText || f.Type.Exact()
	case compiler.ColumnFloat, compiler.ColumnJSON:
		return false
	default:
		return true
	}
}

func (in *inspector) refuse(e *metrics.Expr, err *cannot) {
	s := in.stored[e]
	in.list.Errorf(e.Pos, "column-type", "%s of source %q is %s, %s", e.Src, in.def.Name.V, typeName(s.typ), err.why).Hint = err.hint
}

// typeName is the name of a type for people.
func typeName(t compiler.ColumnType) string {
	if t.Name != "" {
		return t.Name
	}
	switch t.Kind {
	case compiler.ColumnText:
		return "text"
	case compiler.ColumnFloat:
		return "a number"
	case compiler.ColumnBoolean:
		return "true or false"
	case compiler.ColumnTimestamp:
		return "a time"
	default:
		return "of another type"
	}
}

// whole marks the files of which the footers prove that no row is dropped for
// want of a timestamp, an event key or an id.
func (in *inspector) whole() {
	c := &in.def.Columns
	for i := range in.out.Files {
		f := &in.out.Files[i]
		f.Whole = (!c.Timestamp.Column.IsSet() || in.neverMissing(&c.Timestamp.Column, in.out.Time, f)) &&
			(!c.Event.IsSet() || in.neverMissing(&c.Event, in.out.Event, f))
		for j, unit := range in.out.Units {
			f.Whole = f.Whole && in.neverMissing(&c.Units[j].Column, unit.Field, f)
		}
	}
}

// neverMissing reports whether the footer of one file proves that no row
// lacks the field.
func (in *inspector) neverMissing(e *metrics.Expr, field compiler.Field, f *compiler.File) bool {
	c, ok := in.stored[e].sql.(sqlast.Column)
	if !ok || in.isPartition(c.Name) {
		return ok
	}
	if in.rows.is(c.Name) || in.isLevel(c.Name) {
		return false
	}
	return in.neverNull(field, in.stored[e], in.footers[f.Path].columns[strings.ToLower(c.Name)])
}
