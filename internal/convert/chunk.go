package convert

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// reject is a record that is not converted.
type reject struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

// errUntimed is why a record is rejected that has all but a time.
type errUntimed struct{ column, epoch string }

func (e errUntimed) Error() string {
	if e.epoch != "" {
		return fmt.Sprintf("%s is no time in %s since 1970", e.column, e.epoch)
	}
	return fmt.Sprintf("%s is no time", e.column)
}

// chunkFiles are the files of a chunk in the folder for work.
type chunkFiles struct {
	number int
	// raw is the text of its segments, one after the other.
	raw string
	// lines are those of the records that can be read, as JSON, and days the days of
	// these; parts the folder of what is written of them; rejects the records that are not.
	lines, days, parts, rejects string
}

func (c *conversion) files(number int) chunkFiles {
	name := func(what string) string {
		return filepath.Join(c.place.work(), fmt.Sprintf("%05d.%s", number, what))
	}
	return chunkFiles{number, name("raw"), name("lines"), name("days"), name("parts"), name("rejects")}
}

// removeText removes what the chunk was read from.
func (f chunkFiles) removeText() error {
	return errors.Join(os.RemoveAll(f.raw), os.RemoveAll(f.lines))
}

// removeRest removes what is left when the parts are in their places.
func (f chunkFiles) removeRest() error {
	return errors.Join(os.RemoveAll(f.parts), os.RemoveAll(f.rejects))
}

// record is a record of a chunk; err is why it cannot be read.
type record struct {
	file string
	line int64
	text []byte
	err  error
	// repeats are pieces of JSON that do not count, and fields those of CSV.
	repeats []span
	fields  []string
	input   input
}

// eachRecord reads the records of a chunk again.
func (c *conversion) eachRecord(files chunkFiles, yield func(record) error) error {
	raw, err := os.Open(files.raw)
	if err != nil {
		return fmt.Errorf("read a chunk: %w", err)
	}
	defer raw.Close()
	reader, rows := readers(c.plan.Format), &shape{row: true}
	for _, s := range c.plan.Chunks[files.number].Segments {
		in := c.plan.Inputs[s.Input]
		read := reader(in)
		cut := in.cutter(c.plan.Format)
		blocks := &blockReader{from: io.LimitReader(raw, s.Size), cutter: cut, line: s.Line}
		for {
			b, err := blocks.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("read a chunk: %w", err)
			}
			if b.long {
				if err := yield(record{file: in.Path, line: b.line, text: b.data, err: errLong}); err != nil {
					return err
				}
				continue
			}
			for text, line := range b.records(cut) {
				r := record{file: in.Path, line: line, text: text, input: in}
				if c.plan.Format == metrics.FormatCSV {
					r.fields, r.err = read.(csvReader).row(text)
				} else {
					var found reading
					found, r.err = read.read(text, rows)
					r.repeats = found.repeats
				}
				if err := yield(r); err != nil {
					return err
				}
			}
		}
		if s.Unended {
			if _, err := raw.Seek(int64(len(newline)), io.SeekCurrent); err != nil {
				return fmt.Errorf("read a chunk: %w", err)
			}
		}
	}
	return nil
}

// writeLines writes the records of a chunk that can be read as lines of JSON. It
// gives the name of the file, which is that of the raw text where that is such.
func (c *conversion) writeLines(files chunkFiles) (string, error) {
	if chunk := c.plan.Chunks[files.number]; c.plan.Format == metrics.FormatNDJSON && chunk.Unreadable+chunk.Repeating == 0 {
		return files.raw, nil
	}
	return files.lines, writeFile(files.lines, func(w *bufio.Writer) error {
		var line []byte
		return c.eachRecord(files, func(r record) error {
			switch {
			case r.err != nil:
				return nil
			case c.plan.Format == metrics.FormatCSV:
				line = csvReader{names: r.input.Header}.appendJSON(line[:0], r.fields)
			default:
				line = append(appendWithout(line[:0], r.text, r.repeats), '\n')
			}
			_, err := w.Write(line)
			return err
		})
	})
}

// writeRejects writes what is rejected of a chunk, and counts it. Untimed are the
// numbers of the readable records that have no time, from 1.
func (c *conversion) writeRejects(files chunkFiles, untimed []int64) (n int64, err error) {
	err = writeFile(files.rejects, func(w *bufio.Writer) error {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		good := int64(0)
		return c.eachRecord(files, func(r record) error {
			if r.err == nil {
				good++
				if len(untimed) == 0 || untimed[0] != good {
					return nil
				}
				untimed = untimed[1:]
				r.err = errUntimed{c.plan.Time, c.plan.Epoch}
			}
			n++
			return out.Encode(reject{r.file, r.line, r.err.Error(), string(r.text)})
		})
	})
	return n, err
}

func writeFile(name string, write func(*bufio.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write a chunk: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<18)
	if err := errors.Join(write(w), w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write a chunk: %w", err)
	}
	return nil
}

// part is a file that was written of a chunk, of which it has the number: the rows of a day.
type part struct {
	day, path  string
	chunk      int
	rows, size int64
	// lines says that it is not Parquet yet, but lines of JSON.
	lines bool
}

// outcome is what became of a chunk.
type outcome struct {
	files    chunkFiles
	parts    []part
	written  int64
	rejected int64
}

// convert writes the parts and the rejects of a chunk into the folder for work.
func (c *conversion) convert(ctx context.Context, engine *loaders.Engine, files chunkFiles) (o outcome, err error) {
	o.files = files
	lines, err := c.writeLines(files)
	if err != nil {
		return o, err
	}
	var untimed []int64
	if o.parts, untimed, err = c.writeParts(ctx, engine, files, lines); err != nil {
		return o, fmt.Errorf("convert the lines from %s: %w", c.from(files.number), err)
	}
	for _, p := range o.parts {
		o.written += p.rows
	}
	chunk := c.plan.Chunks[files.number]
	if len(untimed) > 0 || chunk.Unreadable > 0 {
		if o.rejected, err = c.writeRejects(files, untimed); err != nil {
			return o, err
		}
	}
	if c.asked.Rows == "" && o.written+o.rejected != chunk.Records {
		return o, fmt.Errorf("convert the lines from %s: of %d records, %d were written and %d rejected", c.from(files.number), chunk.Records, o.written, o.rejected)
	}
	return o, files.removeText()
}

// from is where a chunk begins.
func (c *conversion) from(number int) string {
	s := c.plan.Chunks[number].Segments[0]
	return fmt.Sprintf("%s:%d", c.plan.Inputs[s.Input].Path, s.Line)
}

// writeParts writes the rows of the lines of a chunk, a file for each day. Untimed are
// the numbers of the records of which a row has no time, and is not written, from 1.
func (c *conversion) writeParts(ctx context.Context, engine *loaders.Engine, files chunkFiles, lines string) (parts []part, untimed []int64, err error) {
	if lines == files.raw && len(c.plan.Chunks[files.number].Runs) > 0 {
		if parts, ok, err := c.writeRuns(ctx, engine, files); ok || err != nil {
			return parts, nil, err
		}
	}
	if c.asked.Rows == "" {
		return c.splitLines(ctx, engine, files, lines)
	}
	parts, hasUntimed, err := c.writeElements(ctx, engine, files, lines)
	if err != nil || !hasUntimed {
		return parts, nil, err
	}
	untimed, err = c.plan.of(files.number).untimed(ctx, engine, lines)
	return parts, untimed, err
}

// writeElements writes rows that are elements of lists, of which a record may have several days.
func (c *conversion) writeElements(ctx context.Context, engine *loaders.Engine, files chunkFiles, lines string) (parts []part, untimed bool, err error) {
	plan := c.plan.of(files.number)
	selected, err := plan.rowsSQL([]string{lines}, false)
	if err != nil {
		return nil, false, err
	}
	if plan.cells() > tableCells {
		return c.writeDays(ctx, engine, files, "("+selected+")", func(int) error { return nil })
	}
	if err := engine.Exec(ctx, tableSQL(selected)); err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, engine.Exec(ctx, forgetSQL)) }()
	return c.writeDays(ctx, engine, files, rowsTable, func(days int) error {
		if days <= unsortedDays {
			return nil
		}
		return engine.Exec(ctx, sortSQL)
	})
}

// writeDays writes rows, a table or a query, a file for each day. Prepare is called before with
// the number of days.
func (c *conversion) writeDays(ctx context.Context, engine *loaders.Engine, files chunkFiles, rows string, prepare func(days int) error) (parts []part, untimed bool, err error) {
	days, err := engine.Query(ctx, daysSQL(rows))
	if err != nil {
		return nil, false, err
	}
	if err := prepare(len(days.Cells)); err != nil {
		return nil, false, err
	}
	if err := os.Mkdir(files.parts, 0o777); err != nil {
		return nil, false, err
	}
	for _, row := range days.Cells {
		day, ok := row[0].(string)
		if !ok {
			untimed = true
			continue
		}
		p := part{day: day, path: filepath.Join(files.parts, day+".parquet"), chunk: files.number, rows: row[1].(int64)}
		if err := engine.Exec(ctx, c.plan.of(files.number).partSQL(rows, p.day, p.path)); err != nil {
			return nil, false, err
		}
		info, err := os.Stat(p.path)
		if err != nil {
			return nil, false, err
		}
		p.size = info.Size()
		parts = append(parts, p)
	}
	return parts, untimed, nil
}
