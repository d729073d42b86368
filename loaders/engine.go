package loaders

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
	"github.com/metricsjob/metricsjob/internal/objectstore"
)

// Options say how much of the machine the engine may use and what it may read.
type Options struct {
	// Threads is the number of threads; 0: one for each processor.
	Threads int
	// Memory is the budget of the whole process in bytes; the engine gets what
	// is left when the Go program and memory that the engine does not account
	// for have had theirs. 0: the engine's own default, most of the machine.
	Memory int64
	// TempDir is the folder in which the engine makes a folder of its own to
	// spill to; Close removes that, and the next engine there what a process
	// that was killed left behind. Empty: the system's.
	TempDir string
	// AllowedPaths are the files and folders that may be read, as Roots gives them.
	// Nothing else can be.
	AllowedPaths []string
	// Store, where given, is what paths that begin with s3:// are read from.
	Store *objectstore.Store
	// Extensions is the folder with the engine's extension that reads object
	// stores; empty: where the engine itself puts it.
	Extensions string
	// Databases are the database files whose tables may be read, as Databases
	// gives them.
	Databases []sqlast.Attach
}

// Engine is an embedded DuckDB with an empty database in memory. All
// statements run on one connection, one at a time, so that temporary tables
// stay in sight. It is not safe for use by several goroutines.
type Engine struct {
	db      *sql.DB
	conn    *sql.Conn
	spill   *spillFolder
	version string
	// session: the database belongs to another engine.
	session bool
	// store is nil where nothing is read from one; objects are those that were
	// listed, by URL.
	store   *objectstore.Store
	objects map[string]objectstore.Object
	// databases are those of the options.
	databases []database
}

// Rows is the result of a query, held in memory as a whole: for aggregates.
//
// Cells are nil, bool, int8 to int64, uint8 to uint64, float32, float64,
// string, []byte, time.Time (in UTC), *big.Int (HUGEINT, UHUGEINT), *big.Rat
// (DECIMAL, exact), or []any and map[string]any of the engine's nested types.
type Rows struct {
	Columns []string
	Cells   [][]any
}

// Open starts an engine and locks it down: no extensions but the one that reads
// object stores, where one is given; no files but the allowed ones; and settings
// that cannot be changed any more.
func Open(ctx context.Context, opts Options) (_ *Engine, err error) {
	e, err := connect(ctx, opts.TempDir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := e.set(ctx, settings(opts, e.spill.path)); err != nil {
		return nil, err
	}
	if opts.Store != nil {
		if err := e.openStore(ctx, opts); err != nil {
			return nil, err
		}
	}
	if err := e.attach(ctx, opts.Databases); err != nil {
		return nil, err
	}
	if err := e.set(ctx, lock(opts)); err != nil {
		return nil, err
	}
	return e, nil
}

// connect starts an engine as it comes.
func connect(ctx context.Context, tempDir string) (_ *Engine, err error) {
	spill, err := newSpillFolder(tempDir)
	if err != nil {
		return nil, err
	}
	e := &Engine{spill: spill}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("start duckdb: %w", err)
	}
	e.db = sql.OpenDB(connector)
	e.db.SetMaxIdleConns(0) // the connection of a session that is closed has its tables
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return nil, fmt.Errorf("connect to duckdb: %w", err)
	}
	if err := e.conn.QueryRowContext(ctx, "SELECT version()").Scan(&e.version); err != nil {
		return nil, fmt.Errorf("ask duckdb for its version: %w", err)
	}
	return e, nil
}

// set configures the engine.
func (e *Engine) set(ctx context.Context, statements []string) error {
	for _, set := range statements {
		if err := e.Exec(ctx, set); err != nil {
			return fmt.Errorf("configure duckdb with %s: %w", set, err)
		}
	}
	return nil
}

// settings are the statements that configure a new engine.
func settings(opts Options, spill string) []string {
	set := []string{
		"SET GLOBAL TimeZone = 'UTC'", // of sessions, too
		"SET GLOBAL preserve_insertion_order = false",
		"SET parquet_metadata_cache = true",
		"SET temp_directory = " + quoteText(spill),
	}
	if opts.Threads > 0 {
		set = append(set, fmt.Sprintf("SET threads = %d", opts.Threads))
	}
	if opts.Memory > 0 {
		set = append(set, fmt.Sprintf("SET memory_limit = '%dB'", engineMemory(opts.Memory)))
	}
	return append(set,
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET allow_persistent_secrets = false",
	)
}

// lock are the statements after which nothing can be reached but what is
// allowed, and no setting changed. They come last.
func lock(opts Options) []string {
	var folders, files []string
	for _, path := range opts.AllowedPaths {
		if objectstore.IsURL(path) { // an object or a folder: the name does not tell
			files = append(files, path)
			folders = append(folders, strings.TrimSuffix(path, "/")+"/")
			continue
		}
		into := &files
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			into = &folders
		}
		// What the engine opens is looked up as well as what it is asked for.
		*into = append(*into, slices.Compact([]string{absolute(path), sqlast.FileName(absolute(path))})...)
	}
	return []string{
		"SET allowed_directories = " + quoteList(folders),
		"SET allowed_paths = " + quoteList(files),
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
}

// engineMemory is the memory_limit within a budget for the whole process. The
// rest, a tenth but at least 256 MiB, is for the Go program, the engine's
// code, and the buffers that the engine does not account for.
func engineMemory(budget int64) int64 {
	const room = 256 << 20
	return max(budget-max(budget/10, room), budget/2)
}

// Session is the same engine, with what it may read and use, but with temporary
// tables of its own. It is closed before the engine is, and costs far less than
// another engine.
func (e *Engine) Session(ctx context.Context) (*Engine, error) {
	s := *e
	s.session = true
	var err error
	if s.conn, err = e.db.Conn(ctx); err != nil {
		return nil, fmt.Errorf("connect to duckdb: %w", err)
	}
	return &s, nil
}

// Close stops the engine and removes what it spilled; of a session, the
// temporary tables.
func (e *Engine) Close() error {
	if e.session {
		return e.conn.Close()
	}
	var errs []error
	if e.conn != nil {
		errs = append(errs, e.conn.Close())
	}
	if e.db != nil {
		errs = append(errs, e.db.Close())
	}
	return errors.Join(append(errs, e.spill.remove())...)
}

// Version is the name and version of the engine, e.g. "duckdb v1.5.5".
func (e *Engine) Version() string { return "duckdb " + e.version }

// Exec runs a statement and waits for its end. Cancelling the context
// interrupts it.
func (e *Engine) Exec(ctx context.Context, statement string) error {
	_, err := e.conn.ExecContext(ctx, statement)
	return engineError(ctx, err)
}

// Query runs a query and returns all of its rows. Cancelling the context
// interrupts it.
func (e *Engine) Query(ctx context.Context, query string) (*Rows, error) {
	cursor, err := e.conn.QueryContext(ctx, query)
	if err != nil {
		return nil, engineError(ctx, err)
	}
	defer cursor.Close()
	rows := &Rows{}
	if rows.Columns, err = cursor.Columns(); err != nil {
		return nil, engineError(ctx, err)
	}
	for cursor.Next() {
		cells := make([]any, len(rows.Columns))
		places := make([]any, len(cells))
		for i := range cells {
			places[i] = &cells[i]
		}
		if err := cursor.Scan(places...); err != nil {
			return nil, engineError(ctx, err)
		}
		for i, c := range cells {
			cells[i] = exact(c)
		}
		rows.Cells = append(rows.Cells, cells)
	}
	return rows, engineError(ctx, cursor.Err())
}

// exact turns the driver's DECIMAL into a rational number.
func exact(cell any) any {
	d, ok := cell.(duckdb.Decimal)
	if !ok {
		return cell
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)
	return new(big.Rat).SetFrac(d.Value, unit)
}

// UnreachableError says that a file or folder could not be read. Trying again
// later may help.
type UnreachableError struct {
	// Path is what could not be read; it is empty where the engine does not say.
	Path string
	Err  error
}

func (e *UnreachableError) Error() string {
	if e.Path == "" {
		return "cannot read the sources: " + e.Err.Error()
	}
	return fmt.Sprintf("cannot read %s: %v", e.Path, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// MemoryError says that a statement needed more memory than the engine has.
type MemoryError struct{ Err error }

func (e *MemoryError) Error() string {
	first, _, _ := strings.Cut(e.Err.Error(), "\n") // what follows is advice about settings that are locked
	return "out of memory: " + strings.TrimPrefix(first, "Out of Memory Error: ")
}

// Hint says what to do.
func (e *MemoryError) Hint() string { return "raise --memory, or lower --threads" }

// Unwrap gives the cause.
func (e *MemoryError) Unwrap() error { return e.Err }

// engineError gives the engine's failure a type that callers can tell apart.
func engineError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("duckdb was interrupted: %w", cause)
	}
	var failure *duckdb.Error
	if !errors.As(err, &failure) {
		return fmt.Errorf("duckdb: %w", err)
	}
	switch failure.Type {
	case duckdb.ErrorTypeOutOfMemory:
		return &MemoryError{Err: err}
	case duckdb.ErrorTypeIO, duckdb.ErrorTypeHTTP, duckdb.ErrorTypeNetwork, duckdb.ErrorTypeConnection:
		return &UnreachableError{Err: err}
	default:
		return fmt.Errorf("duckdb: %w", err)
	}
}

// quoteText is a SQL text literal.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// fileList is a SQL list of names of files, as read_parquet takes them.
func fileList(names []string) string { return quoteList(filePatterns(names)) }

// fileCalled is the file that a cell names: of one that was asked for by a
// pattern that begins with a wildcard, as x[1]/events.csv has to be, DuckDB says
// ./x[1]/events.csv.
func fileCalled(cell any) string { return strings.TrimPrefix(cell.(string), "./") }

// quoteList is a SQL list of text literals.
func quoteList(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quoteText(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// absolute is the path from the root; where the working folder is gone, the
// path as it is.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
