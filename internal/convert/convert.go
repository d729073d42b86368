package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// Options are what a command line decides about a conversion.
type Options struct {
	// Paths are the files, folders and patterns to convert, and Out the folder, or
	// the prefix in an object store, that gets the parts.
	Paths []string
	Out   string
	// Timestamp is the column or path of the rows' time, and Epoch its unit where
	// it is a number; empty: what the names and values tell.
	Timestamp, Epoch string
	// Format is that of the lines; empty: what the names of the files tell.
	Format metrics.FileFormat
	// Partition is the name of the day in the folders' names.
	Partition string
	// Rows is a list of objects in each record of which each element is a row;
	// empty: each record is a row.
	Rows string
	// Rejects is the file for what cannot be read; empty: one in Out.
	Rejects string
	// Threads is how many chunks are converted at a time; 0: one for each processor.
	Threads int
	// Memory is the budget of the process in bytes; 0: about 384 MiB for each thread.
	Memory int64
	// Anew removes what an earlier conversion left in Out.
	Anew bool
	// Progress, where given, is told how far it is.
	Progress func(Progress) `json:"-"`

	// TempDir is where the parts are made that go to an object store; empty: the
	// system's folder for such files.
	TempDir string

	chunkSize int64            // 0: chunkSize; tests have smaller chunks
	committed func(chunks int) // of tests: is told how many are done
}

// Progress is how far a conversion is.
type Progress struct {
	Step string
	// Done of Total bytes; those of compressed files while looking at types, of
	// text while writing.
	Done, Total int64
}

// Result is what a conversion did, in this process and before.
type Result struct {
	// Unchanged says that all was there already.
	Unchanged bool
	// Read, Written and Rejected count records, and rows where records have several.
	Read, Written, Rejected int64
	// Repeating counts the records that have a key twice in one object.
	Repeating int64
	// Inputs, Parts count files.
	Inputs, Parts int
	// Added is how many of the inputs were not part of the conversion before.
	Added int
	// Rejects is the file of rejected records, where there are any.
	Rejects string
	// Hint says how fewer records may be rejected; it may be empty.
	Hint string
	// Time and Epoch are the column and unit of the rows' time.
	Time, Epoch string
	// Resumed is how many of the chunks earlier processes had done.
	Resumed, Chunks int
}

// The shares of the memory, in percent, that the engines have together, with what they
// do not account for, and that the Go program keeps to where it can. The rest is the
// program's code, and what allocators have not given back.
const (
	enginesShare = 81
	goShare      = 15
)

// keepTo has the Go program collect its garbage sooner within a budget of the process, and
// gives what ends that.
func keepTo(memory int64) (end func()) {
	before := debug.SetMemoryLimit(-1)
	limit := memory * goShare / 100
	if memory == 0 || limit >= before {
		return func() {}
	}
	debug.SetMemoryLimit(limit)
	return func() { debug.SetMemoryLimit(before) }
}

// threadMemory is what a thread needs: the engine's share, what the engine does
// not account for, and a part of what the Go program takes.
const threadMemory = 384 << 20

// Convert makes Parquet of lines. What was done by an earlier process is not
// done again. A [MistakeError] or a diag.List says what is wrong with the command
// line or the files; files that cannot be read are a [loaders.UnreachableError].
func Convert(ctx context.Context, opts Options) (_ *Result, err error) {
	if objectstore.IsURL(opts.Rejects) {
		return nil, mistakef("the rejects cannot be written to %s", opts.Rejects).withHint("without --rejects they lie beside the parts")
	}
	inputs, format, err := findInputs(ctx, opts.Paths, opts.Format)
	if err != nil {
		return nil, err
	}
	to, err := openPlace(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.close()) }()

	defer keepTo(opts.Memory)()
	c := &conversion{
		opts:    opts,
		place:   to,
		workers: workers(opts),
		asked:   choices{opts.Timestamp, opts.Epoch, opts.Format, opts.Partition, opts.Rows, opts.Rejects},
		rejects: opts.Rejects,
	}
	if c.rejects == "" && !objectstore.IsURL(opts.Out) {
		c.rejects = filepath.Join(opts.Out, rejectsFile)
	}
	if err := c.begin(ctx, inputs); err != nil {
		return nil, err
	}
	resumed := c.done.Chunks
	switch {
	case c.plan == nil:
		err = c.makePlan(ctx, inputs, format)
	case len(c.added) > 0:
		err = c.extendPlan(ctx, format)
	}
	if err != nil {
		return nil, err
	}
	unchanged := resumed == len(c.plan.Chunks) && resumed > 0
	if !unchanged {
		err := c.write(ctx)
		var refused *rejectedError
		if errors.As(err, &refused) {
			err = c.takeBack(ctx, refused)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := c.markAll(ctx); err != nil {
		return nil, err
	}
	return c.result(resumed, unchanged), nil
}

// savePlan keeps the plan, which has chunks that are not done: it is not said any more that
// all is.
func (c *conversion) savePlan(ctx context.Context) error {
	if err := c.place.remove(ctx, allFile); err != nil {
		return fmt.Errorf("begin to write: %w", err)
	}
	return writeJSON(ctx, c.place, planFile, c.plan)
}

// markAll says that all is done, unless it is said already.
func (c *conversion) markAll(ctx context.Context) error {
	_, err := c.place.read(ctx, allFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = c.place.write(ctx, allFile, nil)
	}
	if err != nil {
		return fmt.Errorf("say that all is converted: %w", err)
	}
	return nil
}

// workers is how many chunks are converted at a time.
func workers(opts Options) int {
	n := opts.Threads
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	if opts.Memory > 0 {
		n = min(n, int(opts.Memory*enginesShare/100/threadMemory))
	}
	return max(n, 1)
}

// conversion is a conversion under way.
type conversion struct {
	opts    Options
	asked   choices
	workers int
	place   place
	rejects string // the file of rejected records; empty: objects of each chunk
	plan    *plan
	done    done
	added   []input // those that the plan did not have
	inList  string  // a hint for records without a time
}

// begin takes up the plan that the folder has, if any.
func (c *conversion) begin(ctx context.Context, inputs []input) error {
	if c.opts.Anew {
		if err := c.place.clear(ctx); err != nil {
			return fmt.Errorf("remove the earlier conversion: %w", err)
		}
	}
	p, d, err := loadPlan(ctx, c.place)
	if err != nil {
		return err
	}
	if p != nil {
		c.plan, c.done = p, d
		p.takeStored(inputs)
		c.added, err = p.added(c.asked, inputs, d)
		return err
	}
	switch isEmpty, err := c.place.empty(ctx); {
	case err != nil:
		return fmt.Errorf("see whether other files lie beside the parts: %w", err)
	case !isEmpty:
		return mistakef("%s holds other files already", c.opts.Out).withHint("name an empty folder with --out")
	case c.rejects == "":
		return nil
	}
	if _, err := os.Lstat(c.rejects); !errors.Is(err, fs.ErrNotExist) {
		return mistakef("%s is there already, and is not overwritten", c.rejects).withHint("name another file with --rejects")
	}
	return nil
}

func (c *conversion) chunkSize() int64 { return cmp.Or(c.opts.chunkSize, chunkSize) }

func (c *conversion) batchSize() int64 { return batchChunks * c.chunkSize() }

// look finds what inputs hold.
func (c *conversion) look(ctx context.Context, inputs []input, format metrics.FileFormat) (*look, error) {
	var total int64
	for _, in := range inputs {
		total += in.Size
	}
	known := spelling{}
	if c.plan != nil {
		for _, columns := range c.plan.columnSets() {
			for _, column := range columns {
				known.add(column.Name)
			}
		}
	}
	return survey(ctx, inputs, format, known, c.timeAhead(inputs, format), c.chunkSize(), c.workers, func(read int64) {
		c.tell("looking at types", read, total)
	})
}

// timeAhead is the path of the rows' time as the command line, the plan or the first
// records of inputs tell it; empty where the days of records are of no use.
func (c *conversion) timeAhead(inputs []input, format metrics.FileFormat) string {
	switch {
	case format != metrics.FormatNDJSON || c.opts.Rows != "":
		return ""
	case c.plan != nil:
		return c.plan.Time
	case c.opts.Timestamp != "":
		return c.opts.Timestamp
	}
	first := &shape{row: true}
	enough := errors.New("enough")
	var read int64
	for i := range inputs {
		err := blocks(&inputs[i], format, spelling{}, &read, func(b block) error {
			count(b, lineCutter{}, &jsonReader{}, first)
			return enough
		})
		if err != nil { // another error is found again
			break
		}
	}
	columns, err := (&look{rows: first}).columns(inputs, format, "")
	if err != nil {
		return ""
	}
	return loaders.GuessTime(columns)
}

// makePlan looks at all inputs.
func (c *conversion) makePlan(ctx context.Context, inputs []input, format metrics.FileFormat) error {
	found, err := c.look(ctx, inputs, format)
	if err != nil {
		return err
	}
	p := &plan{Version: planVersion, Options: c.asked, Time: c.opts.Timestamp, Epoch: c.opts.Epoch, Format: format, Inputs: inputs, Chunks: found.chunks}
	inBatches(p.Chunks, 0, c.batchSize())
	if p.Columns, err = found.columns(inputs, format, c.opts.Rows); err != nil {
		return err
	}
	if err := c.nothing(ctx, p); err != nil {
		return err
	}
	if p.Time == "" {
		if p.Time = p.guessTime(found); p.Time == "" {
			return found.noTime(p.Columns)
		}
	}
	named := func(c loaders.NewColumn) bool { return strings.EqualFold(c.Name, p.Time) }
	if i := slices.IndexFunc(p.Columns, named); i >= 0 {
		p.Time = p.Columns[i].Name
	}
	if p.Time != found.time {
		for _, chunk := range p.Chunks {
			chunk.Runs = nil
		}
	}
	if err := p.nameOfDays(p.Columns); err != nil {
		return err
	}
	c.plan = p
	if err := c.findEpoch(ctx, found); err != nil {
		return found.onlyInList(p, err)
	}
	c.inList = found.hintInList(p)
	return c.savePlan(ctx)
}

// noTime says why no column is taken for that of the time.
func (l *look) noTime(columns []loaders.NewColumn) error {
	if list, time := l.listOfRows(""); list != "" {
		return mistakef("no column is named as times are, but %s is a list of objects", list).
			withHint("--rows %[1]s makes each of its elements a row, and --timestamp names the time, as %[1]s.%[2]s", list, cmp.Or(time, "time"))
	}
	return mistakef("no column is named as times are").withHint("name the column or path of the rows' time with --timestamp; there are %s", firstNames(columns))
}

// listOfRows is the first list of objects, as batches have one, of which some have a
// value at a path, and that path; without one, what in them is named as times are, if any.
func (l *look) listOfRows(path string) (list, time string) {
	for _, m := range l.rows.seen() {
		if _, ok := m.shape.rowsType(); !ok {
			continue
		}
		if path == "" {
			return m.name, loaders.GuessTime(m.shape.elementColumns())
		}
		if m.shape.elems.has(path) {
			return m.name, path
		}
	}
	return "", ""
}

// onlyInList is a mistake about a time that the objects of a list have, and records have
// not; else it is the error.
func (l *look) onlyInList(p *plan, err error) error {
	list, time := l.listOfRows(p.Time)
	if list == "" || l.rows.has(p.Time) || p.Options.Rows != "" && p.Options.Rows != list {
		return err
	}
	return mistakef("no record has %s, but the objects of its list %s have", p.Time, list).
		withHint("--rows %[1]s --timestamp %[1]s.%[2]s makes each of them a row", list, time)
}

// hintInList is a hint for records without a time whose list of objects has one.
func (l *look) hintInList(p *plan) string {
	list, time := l.listOfRows(p.Time)
	if list == "" || p.Options.Rows != "" {
		return ""
	}
	return fmt.Sprintf("--rows %[1]s --timestamp '%[1]s.%[2]s ?? %[2]s' makes each object of the list %[1]s a row", list, time)
}

// hintUTF8 is what to do with text in another encoding.
const hintUTF8 = "write the file as UTF-8; from UTF-16: iconv -f UTF-16 -t UTF-8"

// nothing says why there are no rows, where there are none.
func (c *conversion) nothing(ctx context.Context, p *plan) error {
	all := p.tally()
	switch {
	case all.Records == 0:
		return mistakef("the files hold no rows")
	case all.Records > all.Unreadable:
		return nil
	}
	c.plan = p
	first, err := c.firstReject(ctx)
	if err != nil {
		return err
	}
	mistake := mistakef("none of %d lines can be read; %s:%d: %s", all.Records, first.File, first.Line, first.Reason)
	if first.Reason == errNoText.Error() {
		return mistake.withHint(hintUTF8)
	}
	return mistake.withHint("--format ndjson is for a JSON object on each line, --format csv for a header and rows")
}

// findEpoch finds the unit of a time that is a number, and whether the rows have
// a time at all.
func (c *conversion) findEpoch(ctx context.Context, found *look) error {
	_, err := c.plan.timeSQL()
	var list diag.List
	either := err == nil && found.rows.numbersAndTexts(c.plan.Time)
	if err == nil && !either || c.plan.Epoch != "" || err != nil && !errors.As(err, &list) {
		return err
	}
	refused := err
	epoch, err := c.guessEpoch(ctx)
	if err != nil {
		return err
	}
	if epoch == "" {
		return refused
	}
	c.plan.Epoch = epoch
	return nil
}

func (c *conversion) tell(step string, done, total int64) {
	if c.opts.Progress != nil {
		c.opts.Progress(Progress{step, done, total})
	}
}

func (c *conversion) result(resumed int, unchanged bool) *Result {
	all := c.plan.tally()
	r := &Result{
		Unchanged: unchanged, Read: all.Records, Repeating: all.Repeating, Written: c.done.Written, Rejected: c.done.Rejected,
		Inputs: len(c.plan.Inputs), Added: len(c.added), Parts: c.done.Parts, Time: c.plan.Time, Epoch: c.plan.Epoch,
		Resumed: resumed, Chunks: len(c.plan.Chunks),
	}
	if r.Rejected > 0 {
		r.Hint = c.inList
		r.Rejects = cmp.Or(c.rejects, strings.TrimSuffix(c.opts.Out, "/")+"/"+rejectsFolder+"/")
	}
	return r
}
