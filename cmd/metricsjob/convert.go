package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/metricsjob/metricsjob/internal/convert"
	"github.com/metricsjob/metricsjob/metrics"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	out, timestamp, partition, rejects, rows, tempDir string

	epoch   epochUnit
	format  metrics.FileFormat
	threads int
	memory  size
	anew    bool
}

// epochUnit is the unit of times that are numbers.
type epochUnit string

func (p *program) convertCommand() *cobra.Command {
	var flags convertFlags
	cmd := &cobra.Command{
		Use:   "convert IN.. --out FOLDER",
		Short: "Make typed Parquet, by day, of NDJSON or CSV",
		Long: `Makes Parquet of files with a JSON object on each line or of CSV with a header,
plain, gzip or zstd: a folder for each UTC day of the rows' time, with types that
hold every value, compressed with zstd. The definitions that read the lines read
the Parquet by the same names of columns.

A record that cannot be read, or has no time, is written to the file of rejects
with its file, line and reason. It takes bounded memory, and what was killed goes
on where it was when the same command is given again. Of files of which some were
converted into the folder before, only the others are. docs/convert.md says more.`,
		Example: `  metricsjob convert exports/events --out warehouse/events
  metricsjob convert 'stream/*.ndjson.gz' --out warehouse/stream --timestamp event.creationDate --memory 1GB`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("convert takes files, folders or patterns to convert").withHint("metricsjob convert exports/events --out warehouse/events")
			case flags.out == "":
				return usagef("there is no folder for the Parquet files").withHint("name one, or s3://bucket/prefix, with --out")
			case cmd.Flags().Changed("threads") && flags.threads < 1:
				return usagef("--threads %d: use at least 1", flags.threads)
			case flags.partition == "" || strings.ContainsAny(flags.partition, "=/\\%") || strings.HasPrefix(flags.partition, "_") || strings.HasPrefix(flags.partition, "."):
				return usagef("--partition %q cannot be part of the name of a folder", flags.partition).withHint("use a word, such as ds or day")
			}
			return p.convert(cmd.Context(), flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.out, "out", "", "`FOLDER` for the Parquet files, or s3://bucket/prefix")
	f.StringVar(&flags.timestamp, "timestamp", "", "`COLUMN` or path of the rows' time, such as event.creationDate, or several: a ?? b (default the column that is named like one)")
	f.Var(newChoice(&flags.epoch, "", "s", "ms", "us", "ns"), "epoch", "unit of a time that is a number since 1970 (default what its size tells)")
	f.Var(newChoice(&flags.format, "", metrics.FormatNDJSON, metrics.FormatCSV), "format", "format of the files (default what their names tell)")
	f.StringVar(&flags.partition, "partition", "ds", "`NAME` of the day in the names of the folders")
	f.StringVar(&flags.rows, "rows", "", "`KEY` of a list of objects in each record, of which each is a row")
	f.StringVar(&flags.rejects, "rejects", "", "`FILE` for the records that are not converted (default _rejects.ndjson in --out, or objects in _rejects/)")
	f.IntVar(&flags.threads, "threads", 0, "`NUMBER` of threads (default one for each processor)")
	f.Var(&flags.memory, "memory", "memory that the program may use, such as 1GB; lowers the number of threads if need be (default half a GiB for each thread)")
	f.StringVar(&flags.tempDir, "temp-dir", "", "`FOLDER` for parts on their way to s3:// (default below the system's)")
	f.BoolVar(&flags.anew, "anew", false, "remove what an earlier conversion left in --out, and begin again")
	return cmd
}

func (p *program) convert(ctx context.Context, flags convertFlags, args []string) error {
	report, end := p.ui.showBytes(p.now)
	done, err := convert.Convert(ctx, convert.Options{
		Paths: args, Out: flags.out,
		Timestamp: flags.timestamp, Epoch: string(flags.epoch), Format: flags.format,
		Partition: flags.partition, Rows: flags.rows, Rejects: flags.rejects,
		Threads: flags.threads, Memory: int64(flags.memory), TempDir: flags.tempDir, Anew: flags.anew,
		Progress: report,
	})
	end()
	if err != nil {
		return stopped(ctx, convertMistake(err))
	}
	switch {
	case done.Unchanged:
		p.ui.infof("nothing to do: %s holds the conversion of these files already", flags.out)
	case done.Added > 0 && done.Inputs > done.Added:
		p.ui.infof("added %s to %d", plural(done.Added, "file"), done.Inputs-done.Added)
	case done.Resumed > 0:
		p.ui.infof("went on after %d of %d chunks, which were converted before", done.Resumed, done.Chunks)
	}
	when := done.Time
	if done.Epoch != "" {
		when += " in " + done.Epoch
	}
	p.ui.resultf("read %d records of %s, days by %s\n", done.Read, plural(done.Inputs, "file"), when)
	p.ui.resultf("wrote %d rows into %s in %s\n", done.Written, plural(done.Parts, "part"), flags.out)
	if done.Repeating > 0 {
		p.ui.resultf("of %d records, which have a key twice in an object, its first value was taken\n", done.Repeating)
	}
	if done.Rejected > 0 {
		p.ui.resultf("rejected %d records, see %s\n", done.Rejected, done.Rejects)
		if done.Hint != "" {
			p.ui.resultf("hint: %s\n", done.Hint)
		}
	}
	return nil
}

// convertMistake makes a usage error of a mistake.
func convertMistake(err error) error {
	var mistake *convert.MistakeError
	if !errors.As(err, &mistake) {
		return err
	}
	return &usageError{mistake.Error(), mistake.Hint()}
}

// plural is a number of things, in English.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
