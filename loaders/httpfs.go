package loaders

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/metricsjob/metricsjob/internal/objectstore"
)

// DuckDB reads object stores by its extension httpfs, which is a file of its
// own. It is never fetched unasked: InstallHTTPFS does that.

const httpfsFile = "httpfs.duckdb_extension"

// ExtensionError says that the extension that reads object stores cannot be
// loaded.
type ExtensionError struct {
	why  string
	hint string
}

func (e *ExtensionError) Error() string { return e.why }

// Hint says what to do.
func (e *ExtensionError) Hint() string { return e.hint }

// openStore lets the engine read from an object store: it loads the extension
// and hands it the access. No statement with a secret is part of an error.
func (e *Engine) openStore(ctx context.Context, opts Options) error {
	file, err := e.findHTTPFS(ctx, opts.Extensions)
	if err != nil {
		return err
	}
	if err := e.Exec(ctx, "LOAD "+quoteText(file)); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return &ExtensionError{
			why:  fmt.Sprintf("DuckDB cannot load %s: it is not the extension httpfs of %s, or it is damaged", file, e.version),
			hint: hintSetup,
		}
	}
	access := opts.Store.Access()
	if err := e.set(ctx, httpfsSettings(access)); err != nil {
		return err
	}
	if err := e.Exec(ctx, secret(access)); err != nil {
		return errors.New("duckdb does not take the credentials of the object store")
	}
	e.store, e.objects = opts.Store, map[string]objectstore.Object{}
	return nil
}

// httpfsSettings are the settings that the extension brings.
func httpfsSettings(a objectstore.Access) []string {
	return []string{
		// What the environment says has been read once already, with profiles and
		// roles; settings can be read by SQL, and secrets cannot.
		"SET enable_global_s3_configuration = false",
		"RESET s3_access_key_id",
		"RESET s3_secret_access_key",
		"RESET s3_session_token",
		"SET s3_url_compatibility_mode = true",  // names are given as they are: [ and ? are no wildcards
		"SET enable_http_metadata_cache = true", // each object is asked about once
		"SET enable_server_cert_verification = true",
		"SET enable_curl_server_cert_verification = true",
		"SET ca_cert_file = " + quoteText(a.CAFile),
		// Waits of 0.2 s, 0.4 s, 0.8 s and so on.
		fmt.Sprintf("SET http_retries = %d", max(a.Attempts-1, 0)),
		"SET http_retry_wait_ms = 200",
		"SET http_retry_backoff = 2",
	}
}

// secret is the statement that hands the access to the engine.
func secret(a objectstore.Access) string {
	style := "vhost"
	options := []string{
		"TYPE s3",
		"KEY_ID " + quoteText(a.KeyID),
		"SECRET " + quoteText(a.Secret),
		"REGION " + quoteText(a.Region),
		fmt.Sprintf("USE_SSL %t", a.TLS),
	}
	if a.SessionToken != "" {
		options = append(options, "SESSION_TOKEN "+quoteText(a.SessionToken))
	}
	if a.Endpoint != "" {
		style = "path"
		options = append(options, "ENDPOINT "+quoteText(a.Endpoint))
	}
	return "CREATE SECRET (" + strings.Join(append(options, "URL_STYLE "+quoteText(style)), ", ") + ")"
}

const hintSetup = "metricsjob setup s3 installs it; without a network, name a folder that holds " + httpfsFile + " with --extensions"

// findHTTPFS finds the file of the extension: in the folder, where one is given,
// else where DuckDB itself puts it.
func (e *Engine) findHTTPFS(ctx context.Context, folder string) (string, error) {
	levels, err := e.extensionLevels(ctx)
	if err != nil {
		return "", err
	}
	var places []string
	if folder != "" {
		places = []string{filepath.Join(folder, httpfsFile), filepath.Join(folder, levels, httpfsFile)}
	} else if home, err := os.UserHomeDir(); err == nil {
		folder = filepath.Join(home, ".duckdb", "extensions")
		places = []string{filepath.Join(folder, levels, httpfsFile)}
	}
	for _, place := range places {
		if isFile(place) {
			return place, nil
		}
	}
	return "", &ExtensionError{
		why:  fmt.Sprintf("to read s3://, DuckDB needs its extension httpfs, which is not in %s", folder),
		hint: hintSetup,
	}
}

// extensionLevels are the folders of an extension in DuckDB's own layout.
func (e *Engine) extensionLevels(ctx context.Context) (string, error) {
	rows, err := e.Query(ctx, "SELECT platform FROM pragma_platform()")
	if err != nil {
		return "", fmt.Errorf("ask duckdb for its platform: %w", err)
	}
	return filepath.Join(e.version, rows.Cells[0][0].(string)), nil
}

// InstallHTTPFS fetches the extension that reads object stores, and gives its
// file. It goes into a folder, where one is given, else where DuckDB itself puts
// it; it comes from DuckDB's server, or from a copy of that, a folder or an
// http address. DuckDB checks the signature of what it loads.
func InstallHTTPFS(ctx context.Context, folder, from string) (file string, err error) {
	e, err := connect(ctx, "")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if folder != "" {
		if err := e.Exec(ctx, "SET extension_directory = "+quoteText(absolute(folder))); err != nil {
			return "", fmt.Errorf("install into %s: %w", folder, err)
		}
	}
	install := "INSTALL httpfs"
	if from != "" {
		install += " FROM " + quoteText(from)
	}
	if err := e.Exec(ctx, install); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		var unreachable *UnreachableError
		if errors.As(err, &unreachable) {
			first = strings.TrimPrefix(strings.TrimPrefix(first, "cannot read the sources: "), "IO Error: ")
			return "", &UnreachableError{Path: "DuckDB's server", Err: &ExtensionError{
				why:  first,
				hint: "see whether the network works; without one, take it from a copy with --from, or name a folder that holds " + httpfsFile + " with --extensions",
			}}
		}
		return "", fmt.Errorf("install DuckDB's extension httpfs: %s", first)
	}
	if file, err = e.findHTTPFS(ctx, folder); err != nil {
		return "", err
	}
	if err := e.Exec(ctx, "LOAD "+quoteText(file)); err != nil {
		return "", fmt.Errorf("load what was installed: %w", err)
	}
	return file, nil
}
