package convert

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/loaders"
)

// splitLines puts the lines of a chunk into a file for each of their days, of which parts are made
// with those of the other chunks of the batch: so no value is written as Parquet twice, and
// no line is read for each day. The engine tells the days, by the column of the time alone. Untimed
// are the numbers of the lines without one, from 1.
func (c *conversion) splitLines(ctx context.Context, engine *loaders.Engine, files chunkFiles, lines string) (parts []part, untimed []int64, err error) {
	selected, err := c.plan.of(files.number).daysOfLinesSQL(lines)
	if err != nil {
		return nil, nil, err
	}
	if err := engine.Exec(ctx, fmt.Sprintf("COPY (%s) TO %s (FORMAT csv, HEADER false)", selected, quoteText(files.days))); err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(files.parts, 0o777); err != nil {
		return nil, nil, err
	}
	split := &daySplit{number: files.number, folder: files.parts, days: map[string]*dayLines{}}
	if untimed, err = split.all(ctx, lines, files.days); err != nil {
		return nil, nil, fmt.Errorf("split the lines by days: %w", err)
	}
	return split.parts(), untimed, os.Remove(files.days)
}

// daysOfLinesSQL gives the day of each line, in their order.
func (p *plan) daysOfLinesSQL(lines string) (string, error) {
	time := *p
	if column, _, _ := strings.Cut(p.Time, "."); aPath.MatchString(p.Time) {
		time.Columns = slices.DeleteFunc(slices.Clone(p.Columns), func(c loaders.NewColumn) bool { return c.Name != column })
	}
	rows, err := time.rowsSQL([]string{lines}, false)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("SELECT CAST(%s AS VARCHAR) FROM (%s)", quoteName(dayColumn), rows), nil
}

// splitMemory is how many bytes of lines a chunk holds that are on their way to the files
// of their days.
const splitMemory = 8 << 20

// daySplit writes the lines of a chunk into a file for each day.
type daySplit struct {
	number int // of the chunk
	folder string
	days   map[string]*dayLines
	held   int
}

// dayLines are the lines of a day.
type dayLines struct {
	part
	held []byte // those that are not in the file
}

// all splits the lines of a file, whose days are the lines of another.
func (s *daySplit) all(ctx context.Context, lines, days string) (untimed []int64, err error) {
	from, err := os.Open(lines)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	told, err := os.Open(days)
	if err != nil {
		return nil, err
	}
	defer told.Close()
	text, each := bufio.NewReaderSize(&interruptible{ctx, from}, 1<<18), bufio.NewScanner(told)
	for number := int64(1); each.Scan(); number++ {
		line, err := nextRecord(text)
		if err != nil {
			return nil, err
		}
		day := each.Bytes()
		if len(day) == 0 || day[0] == '"' { // a text that is missing
			untimed = append(untimed, number)
			continue
		}
		if err := s.add(day, line); err != nil {
			return nil, err
		}
	}
	return untimed, cmp.Or(each.Err(), s.flush())
}

// nextRecord gives the next line that is not blank, with its line break.
func nextRecord(text *bufio.Reader) ([]byte, error) {
	for {
		line, err := text.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long := bytes.Clone(line)
			line, err = text.ReadBytes('\n')
			line = append(long, line...)
		}
		if len(bytes.TrimLeft(line, " \t\r\n")) > 0 {
			if errors.Is(err, io.EOF) { // the last one of a chunk has its line break
				err = io.ErrUnexpectedEOF
			}
			return line, err
		}
		if err != nil {
			return nil, cmp.Or(err, io.ErrUnexpectedEOF)
		}
	}
}

func (s *daySplit) add(day, line []byte) error {
	d := s.days[string(day)]
	if d == nil {
		d = &dayLines{part: part{day: string(day), path: filepath.Join(s.folder, string(day)+".lines"), chunk: s.number, lines: true}}
		s.days[d.day] = d
	}
	d.held = append(d.held, line...)
	d.rows++
	d.size += int64(len(line))
	if s.held += len(line); s.held < splitMemory {
		return nil
	}
	return s.flush()
}

// flush writes all lines that are held. A file is open only then, since days may be many.
func (s *daySplit) flush() error {
	for _, d := range s.days {
		if len(d.held) == 0 {
			continue
		}
		f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			return err
		}
		_, err = f.Write(d.held)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		d.held = d.held[:0]
	}
	s.held = 0
	return nil
}

// parts gives the files, by their days.
func (s *daySplit) parts() []part {
	var parts []part
	for _, d := range s.days {
		parts = append(parts, d.part)
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.day, b.day) })
	return parts
}
