//go:build integration

package loaders

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
)

// extensions is where scripts/httpfs puts the extension.
const extensions = "../build/extensions"

// An engine that reads a store reads what is allowed there, and nothing else, and
// does not tell its secret.
func TestStoreLockDown(t *testing.T) {
	server := storetest.Start(t)
	t.Setenv("AWS_SESSION_TOKEN", "token-"+storetest.Secret)
	local := newWarehouse(t)
	local.write("rows.parquet", "SELECT 7 AS n")
	data, err := os.ReadFile(local.dir + "/rows.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"allowed/rows.parquet", "allowed/a b[1]/ä?*%20+.parquet", "other/rows.parquet", "allowed2/rows.parquet"} {
		server.Put(t, key, data)
	}
	store, err := objectstore.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), Options{TempDir: t.TempDir(), Store: store, Extensions: extensions, AllowedPaths: []string{"s3://exports/allowed/"}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, file := range []string{"s3://exports/allowed/rows.parquet", "s3://exports/allowed/a b[1]/ä?*%20+.parquet"} {
		rows, err := e.Query(t.Context(), "SELECT n FROM read_parquet("+fileList([]string{file})+")")
		if err != nil || fmt.Sprint(rows.Cells) != "[[7]]" {
			t.Errorf("%s: %v, %v", file, rows, err)
		}
	}
	for _, statement := range []string{
		"SELECT * FROM read_parquet('s3://exports/other/rows.parquet')",
		"SELECT * FROM read_parquet('s3://exports/allowed2/rows.parquet')",
		"SELECT * FROM read_parquet('s3://elsewhere/rows.parquet')",
		"SELECT * FROM read_parquet('" + server.URL + "/exports/allowed/rows.parquet')",
		"SELECT * FROM read_parquet('" + local.dir + "/rows.parquet')",
		"COPY (SELECT 1) TO 's3://exports/other/x.parquet'",
		"LOAD '" + extensions + "/other.duckdb_extension'",
		"INSTALL json",
		"SET s3_endpoint = 'elsewhere.example'",
		"SET allowed_directories = ['s3://exports/']",
		"SET enable_external_access = true",
	} {
		if err := e.Exec(t.Context(), statement); err == nil {
			t.Errorf("possible: %s", statement)
		} else if strings.Contains(err.Error(), storetest.Secret) {
			t.Errorf("the secret is told by %s", statement)
		}
	}
	for _, statement := range []string{
		"FROM duckdb_secrets()", "FROM duckdb_settings()", "FROM which_secret('s3://exports/allowed/x', 's3')",
	} {
		rows, err := e.Query(t.Context(), statement)
		if err != nil || strings.Contains(fmt.Sprint(rows.Cells), storetest.Secret) {
			t.Errorf("%s tells the secret, or fails: %v", statement, err)
		}
	}
}

// What the footers of objects say is what those of files say.
func TestFootersInStores(t *testing.T) {
	server := storetest.Start(t)
	local := newWarehouse(t)
	local.write("rows.parquet", "SELECT i AS n, 'x' AS s FROM range(1000) t(i)")
	data, err := os.ReadFile(local.dir + "/rows.parquet")
	if err != nil {
		t.Fatal(err)
	}
	server.Put(t, "a/rows.parquet", data)
	server.Put(t, "a/cut.parquet", data[:len(data)-10])
	server.Put(t, "a/empty.parquet", nil)
	store, err := objectstore.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), Options{TempDir: t.TempDir(), Store: store, Extensions: extensions, AllowedPaths: []string{"s3://exports/a/"}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const file = "s3://exports/a/rows.parquet"
	footers, err := readFooters(t.Context(), e, []string{file}, []string{"n"})
	if err != nil || footers[file].rows != 1000 || footers[file].bytes != int64(len(data)) || fmt.Sprint(footers[file].columns["n"].max) != "[999]" {
		t.Errorf("%+v, %v", footers[file], err)
	}
	broken, err := brokenFiles(t.Context(), e, []string{file, "s3://exports/a/cut.parquet", "s3://exports/a/empty.parquet"}, fmt.Errorf("failed"))
	if err != nil || len(broken) != 2 || !strings.Contains(broken[0].why, "cut off") || !strings.Contains(broken[1].why, "is empty") {
		t.Errorf("%v, %v", broken, err)
	}
}
