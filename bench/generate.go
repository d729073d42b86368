package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/metricsjob/metricsjob/loaders"
)

// size is how much a synthetic export holds.
type size struct {
	events, users int
}

// sizes are the exports that can be had, by name.
var sizes = map[string]size{
	"5m":   {events: 5_000_000, users: 166_667},
	"30m":  {events: 30_000_000, users: 1_000_000},
	"100m": {events: 100_000_000, users: 5_000_000},
}

const (
	// seed makes the data; another seed makes other data of the same kind.
	seed = 1
	// days is the number of daily partitions, and parts that of the files with events in each.
	days  = 28
	parts = 2
)

// firstDay is the day of the first partition. metrics.yaml and the SQL files
// hold dates that go with it.
var firstDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// ensure generates the export in a folder unless it is there already. It is
// made in a folder beside it that takes the name when it is complete.
func ensure(ctx context.Context, folder string, s size, progress io.Writer) error {
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft := folder + ".part"
	if err := os.RemoveAll(draft); err != nil {
		return fmt.Errorf("clear what an earlier run left: %w", err)
	}
	if err := generate(ctx, draft, s, progress); err != nil {
		return fmt.Errorf("generate %s: %w", folder, err)
	}
	return os.Rename(draft, folder)
}

// generate writes impressions and events as Parquet files by day:
// impressions/ds=DATE/part-0.parquet and events/ds=DATE/part-N.parquet.
func generate(ctx context.Context, folder string, s size, progress io.Writer) (err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	sql, err := readScript("generate.sql")
	if err != nil {
		return err
	}
	engine, err := loaders.Open(ctx, loaders.Options{AllowedPaths: []string{folder}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()

	with := values{"users": s.users, "events": s.events, "seed": seed, "days": days, "rows": s.events/days/parts + 2}
	if err := sql.exec(ctx, engine, "impressions", with); err != nil {
		return err
	}
	if err := sql.exec(ctx, engine, "numbers", with); err != nil {
		return err
	}
	for day := range days {
		date := firstDay.AddDate(0, 0, day).Format(time.DateOnly)
		fmt.Fprintf(progress, "\rgenerating %s: day %d of %d", folder, day+1, days)
		with["day"], with["date"] = day, date
		if with["file"], err = partition(folder, "impressions", date, 0); err != nil {
			return err
		}
		if err := sql.exec(ctx, engine, "impressions of a day", with); err != nil {
			return err
		}
		from, to := s.events*day/days, s.events*(day+1)/days
		with["day_from"], with["day_to"] = from, to
		bound := func(part int) int { return from + (to-from)*part/parts }
		for part := range parts {
			other := (part + 1) % parts
			with["from"], with["to"] = bound(part), bound(part+1)
			with["copies_from"], with["copies_to"] = bound(other), bound(other+1)
			if with["file"], err = partition(folder, "events", date, part); err != nil {
				return err
			}
			if err := sql.exec(ctx, engine, "events of a part", with); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(progress)
	return nil
}

// partition makes the folder of a day and gives the name of a file in it.
func partition(folder, source, date string, part int) (string, error) {
	dir := filepath.Join(folder, source, "ds="+date)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	return filepath.Join(dir, fmt.Sprintf("part-%d.parquet", part)), nil
}
