package convert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/metricsjob/metricsjob/loaders"
)

// run is records in a row whose times are on one day. Size is that of their text.
type run struct {
	Day     string `json:"day"`
	Records int64  `json:"records"`
	Size    int64  `json:"size"`
}

// runs are all records of a block, or of a chunk, where these are some runs of a few days. Then
// the rows of a day are written from the text, without being put into a table before.
type runs struct {
	list []run
	// mixed says that they are not: that days change often, or that a record has no day that
	// is plain to see.
	mixed bool
}

// The most runs of a chunk, and the most days in them. Exports that are about in the order of
// time have less.
const (
	mostRuns = 256
	mostDays = 8
)

// add adds records of a day; nil is a day that is not plain to see.
func (r *runs) add(day []byte, records, size int64) {
	n := len(r.list)
	switch {
	case r.mixed:
	case day == nil:
		r.mixed = true
	case n > 0 && r.list[n-1].Day == string(day):
		r.list[n-1].Records += records
		r.list[n-1].Size += size
	case n == mostRuns:
		r.mixed = true
	default:
		r.list = append(r.list, run{string(day), records, size})
	}
}

// chunkRuns are the runs of the blocks of a chunk, which become known in any order.
type chunkRuns struct {
	blocks []runs
	count  int
	mixed  bool
}

// next makes room for one more block, and gives its number.
func (c *chunkRuns) next() int {
	c.blocks = append(c.blocks, runs{})
	return len(c.blocks) - 1
}

// set tells the runs of a block. Of a chunk that has too many, none is kept.
func (c *chunkRuns) set(block int, r runs) {
	c.count += len(r.list)
	if c.mixed = c.mixed || r.mixed || c.count > 2*mostRuns; c.mixed {
		clear(c.blocks)
		return
	}
	c.blocks[block] = r
}

// join gives the runs of the chunk, or none where it is mixed.
func (c *chunkRuns) join() []run {
	all := runs{mixed: c.mixed}
	for _, block := range c.blocks {
		for _, r := range block.list {
			all.add([]byte(r.Day), r.Records, r.Size)
		}
	}
	if all.mixed || len(daysOf(all.list)) > mostDays {
		return nil
	}
	return all.list
}

// dayRuns are the runs of a day: where their texts begin, and how long they are.
type dayRuns struct {
	day     string
	records int64
	pieces  []span
}

// daysOf gives the days of runs, in order.
func daysOf(list []run) []dayRuns {
	var days []dayRuns
	at := 0
	for _, r := range list {
		i, known := slices.BinarySearchFunc(days, r.Day, func(d dayRuns, day string) int { return strings.Compare(d.day, day) })
		if !known {
			days = slices.Insert(days, i, dayRuns{day: r.Day})
		}
		days[i].records += r.Records
		days[i].pieces = append(days[i].pieces, span{at, at + int(r.Size)})
		at += int(r.Size)
	}
	return days
}

// aPath is a path whose steps are names alone.
var aPath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// watchTime has the reader tell the days of the values at a path.
func (s *shape) watchTime(path string) {
	if !aPath.MatchString(path) {
		return
	}
	for _, name := range strings.Split(path, ".") {
		i := s.at([]byte(name), 0)
		if i < 0 {
			return
		}
		s = s.members[i].shape
	}
	s.time = true
}

// dayOfText is the UTC day of a time as it is written as a rule, by its text alone:
// 2026-03-02T10:00:00.25Z. It is nil of all else.
func dayOfText(text []byte) []byte {
	const form = "0000-00-00 00:00:00"
	if len(text) < len(form) || text[10] != ' ' && text[10] != 'T' {
		return nil
	}
	for i := range len(form) {
		digit := text[i] >= '0' && text[i] <= '9'
		if i != 10 && digit != (form[i] == '0') || !digit && i != 10 && text[i] != form[i] {
			return nil
		}
	}
	rest := text[len(form):]
	if len(rest) > 0 && rest[len(rest)-1] == 'Z' {
		rest = rest[:len(rest)-1]
	}
	if len(rest) > 0 && (rest[0] != '.' || len(rest) < 2 || len(rest) > 7) {
		return nil
	}
	for _, c := range rest[min(1, len(rest)):] {
		if c < '0' || c > '9' {
			return nil
		}
	}
	return text[:10]
}

// epochDays tells days of whole numbers since 1970, in the unit in which they lie in the
// years 2000 to 2099.
type epochDays struct {
	day  int64 // since 1970
	text []byte
}

func (e *epochDays) of(digits []byte) []byte {
	const first, last = 946_684_800, 4_102_444_800 // seconds
	var n int64
	if len(digits) > 19 {
		return nil
	}
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	for _, per := range []int64{1, 1e3, 1e6, 1e9} {
		if n/per < first || n/per >= last {
			continue
		}
		if day := n / per / 86_400; e.text == nil || day != e.day {
			e.day, e.text = day, time.Unix(day*86_400, 0).UTC().AppendFormat(nil, time.DateOnly)
		}
		return e.text
	}
	return nil
}

// writeRuns writes the parts of a chunk that has runs from its text. It reports false
// where the engine does not find the days that the survey found, and leaves nothing then.
func (c *conversion) writeRuns(ctx context.Context, engine *loaders.Engine, files chunkFiles) (parts []part, ok bool, err error) {
	plan := *c.plan.of(files.number)
	plan.plainTimes = true
	raw, err := os.Open(files.raw)
	if err != nil {
		return nil, false, fmt.Errorf("read a chunk: %w", err)
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	if err := os.Mkdir(files.parts, 0o777); err != nil {
		return nil, false, err
	}
	for _, d := range daysOf(c.plan.Chunks[files.number].Runs) {
		if err := copyPieces(files.lines, raw, d.pieces); err != nil {
			return nil, false, fmt.Errorf("read a chunk: %w", err)
		}
		selected, err := plan.rowsSQL([]string{files.lines}, false)
		if err != nil {
			return nil, false, err
		}
		p := part{day: d.day, path: filepath.Join(files.parts, d.day+".parquet"), chunk: files.number, rows: d.records}
		if err := engine.Exec(ctx, plan.partSQL("("+selected+")", p.day, p.path)); err != nil {
			return nil, false, err
		}
		rows, size, err := sizeOf(ctx, engine, p.path)
		if err != nil {
			return nil, false, err
		}
		if rows != d.records {
			return nil, false, os.RemoveAll(files.parts)
		}
		p.size = size
		parts = append(parts, p)
	}
	return parts, true, nil
}

// sizeOf gives the number of rows and of bytes of a file of Parquet.
func sizeOf(ctx context.Context, engine *loaders.Engine, file string) (rows, bytes int64, err error) {
	found, err := engine.Query(ctx, "SELECT CAST(num_rows AS BIGINT), CAST(file_size_bytes AS BIGINT) FROM parquet_file_metadata("+quoteText(file)+")")
	if err != nil {
		return 0, 0, err
	}
	return found.Cells[0][0].(int64), found.Cells[0][1].(int64), nil
}

// copyPieces copies pieces into a file.
func copyPieces(name string, from *os.File, pieces []span) error {
	to, err := os.Create(name)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if _, err := from.Seek(int64(p.from), io.SeekStart); err != nil {
			return errors.Join(err, to.Close())
		}
		if _, err := io.Copy(to, io.LimitReader(from, int64(p.to-p.from))); err != nil {
			return errors.Join(err, to.Close())
		}
	}
	return to.Close()
}
