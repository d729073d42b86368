//go:build integration

package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
)

// What scripts/object_stores fetches.
const (
	extensionFolder = "../../build/extensions"
	gatewayProgram  = "../../build/bin/versitygw"
)

// gateway is a real S3 server, versitygw, over a folder. Each folder in that is
// a bucket.
type gateway struct {
	t      *testing.T
	folder string
	port   string
	cmd    *exec.Cmd
}

const (
	gatewayKey    = "INTEGRATION"
	gatewaySecret = "the-secret-of-integration"
)

// startGateway starts a server, points the environment at it, and ends it with
// the test.
func startGateway(t *testing.T, folder string) *gateway {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	g := &gateway{t: t, folder: folder, port: port}
	g.start()
	t.Cleanup(g.kill)
	storetest.Environment(t, g.url(), gatewayKey, gatewaySecret)
	return g
}

func (g *gateway) url() string { return "http://127.0.0.1:" + g.port }

func (g *gateway) start() {
	g.t.Helper()
	g.cmd = exec.Command(gatewayProgram, "--access", gatewayKey, "--secret", gatewaySecret, "--region", "us-east-1", "--port", "127.0.0.1:"+g.port, "--quiet", "posix", g.folder)
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	for range 300 {
		if answer, err := http.Get(g.url()); err == nil {
			answer.Body.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	g.t.Fatal("versitygw does not answer")
}

// kill ends the server at once.
func (g *gateway) kill() {
	if g.cmd.ProcessState == nil {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
	}
}

// copyInto copies the Optimizely export into a folder.
func copyInto(t *testing.T, folder string) {
	t.Helper()
	if err := os.CopyFS(folder, os.DirFS("../../testdata/parquet/optimizely_e3")); err != nil {
		t.Fatal(err)
	}
}

// program runs a command and gives its exit code and outputs.
func runProgram(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &out, &err)
	for _, secret := range []string{storetest.Secret, gatewaySecret} {
		if strings.Contains(out.String()+err.String(), secret) {
			t.Errorf("%q tells the secret", args)
		}
	}
	return code, out.String(), err.String()
}

// definitionsAt writes the example's definitions for an export at a place.
func definitionsAt(t *testing.T, place string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/metrics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return writeText(t, "metrics.yaml", strings.ReplaceAll(string(text), "../testdata/parquet/optimizely_e3", place))
}

func writeText(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// results are the rows of the table results without the run, which differs by the
// names of files.
func results(t *testing.T, args ...string) string {
	t.Helper()
	code, out, said := runProgram(t, append([]string{"run", "--format", "csv", "--extensions", extensionFolder}, args...)...)
	if code != exitDone {
		t.Fatalf("%q exits with %d:\n%s", args, code, said)
	}
	return regexp.MustCompile(`(?m)^[0-9a-f]{16},`).ReplaceAllString(out, "")
}

func TestStoreEqualsDisk(t *testing.T) {
	folder := t.TempDir()
	copyInto(t, folder+"/exports/e3")
	startGateway(t, folder)
	disk := results(t, definitionsAt(t, folder+"/exports/e3"))
	if n := strings.Count(disk, "\n"); n < 50 {
		t.Fatalf("only %d rows", n)
	}
	if diff := cmp.Diff(disk, results(t, definitionsAt(t, "s3://exports/e3"))); diff != "" {
		t.Errorf("(-disk +store):\n%s", diff)
	}
	// As of an instant, with partitions, days that are not needed are not looked at:
	// nobody could read them.
	copyInto(t, folder+"/days/ds=2020-09-14")
	for _, day := range []string{"2020-01-01", "2020-09-12", "2020-09-17", "2021-01-01"} {
		file := fmt.Sprintf("%s/days/ds=%s/type=events/x.parquet", folder, day)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("no Parquet"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(definitionsAt(t, "s3://days/ds=*"))
	if err != nil {
		t.Fatal(err)
	}
	byDay := writeText(t, "metrics.yaml", regexp.MustCompile(`(?m)^( +)path: .*`).ReplaceAllString(string(text), "$0\n${1}partition: {column: ds}"))
	disk = results(t, definitionsAt(t, folder+"/exports/e3"), "--as-of", "2020-09-15")
	if diff := cmp.Diff(disk, results(t, byDay, "--as-of", "2020-09-15")); diff != "" {
		t.Errorf("by day (-disk +store):\n%s", diff)
	}
	if code, _, said := runProgram(t, "run", byDay, "--extensions", extensionFolder); code != exitInvalid || !strings.Contains(said, "2020-01-01") {
		t.Errorf("without an as-of, every day is looked at; exits with %d:\n%s", code, said)
	}
}

// What is converted from one place of a store into another gives the results that its
// lines give on disk.
func TestConvertWithinStore(t *testing.T) {
	folder := t.TempDir()
	var exposures, orders strings.Builder
	for i := range 200 {
		fmt.Fprintf(&exposures, `{"user":"u%d","flag":"button","variation":"%c","ts":"2026-03-0%dT10:00:00Z"}`+"\n", i, 'a'+i%2, 2+i%3)
		fmt.Fprintf(&orders, `{"user":"u%d","event":"buy","ts":"2026-03-0%dT11:00:00Z","amount":%d.25}`+"\n", i, 2+i%3, i%7)
	}
	orders.WriteString(`{"user":"u1","event":"buy"` + "\n")
	for name, text := range map[string]string{"exposures": exposures.String(), "orders": orders.String()} {
		if err := errors.Join(os.MkdirAll(folder+"/exports/lines/"+name, 0o700), os.WriteFile(folder+"/exports/lines/"+name+"/1.ndjson", []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	definitions := func(place string) string {
		return writeText(t, "metrics.yaml", `version: 1
sources:
  impressions:
    - {name: exposures, path: '`+place+`/exposures', columns: {units: {user: user}, flag: flag, variation: variation, timestamp: ts}}
  events:
    - {name: orders, path: '`+place+`/orders', columns: {units: {user: user}, event: event, timestamp: ts, value: amount}}
metrics:
  - {key: revenue, event: buy, measure: value, better: higher}
experiments:
  - {key: button, flag: button, unit: user, start: 2026-03-02, variations: [{key: a, weight: 1, baseline: true}, {key: b, weight: 1}], metrics: {primary: [revenue]}}
`)
	}
	startGateway(t, folder)
	for _, name := range []string{"exposures", "orders"} {
		if code, _, said := runProgram(t, "convert", "s3://exports/lines/"+name, "--out", "s3://exports/warehouse/"+name); code != exitDone {
			t.Fatalf("convert exits with %d:\n%s", code, said)
		}
	}
	disk := results(t, definitions(folder+"/exports/lines"))
	if diff := cmp.Diff(disk, results(t, definitions("s3://exports/warehouse"))); diff != "" {
		t.Errorf("(-lines +converted in the store):\n%s", diff)
	}
	rejects, err := os.ReadFile(folder + "/exports/warehouse/orders/_rejects/00001.ndjson")
	if err != nil || !strings.Contains(string(rejects), `"file":"s3://exports/lines/orders/1.ndjson","line":201,`) {
		t.Errorf("rejects %s, %v", rejects, err)
	}
}

// The starter file for an export in a store is that for the same files in a
// folder, but for their place, and it runs.
func TestInitFromStore(t *testing.T) {
	folder := t.TempDir()
	copyInto(t, folder+"/exports/e3")
	for name, text := range map[string]string{
		"imps.csv":      "user_id,flag,variation,ts\nu1,nav,a,1772445600\nu2,nav,b,1772445600\n",
		"events.ndjson": `{"user_id": "u1", "event": "buy", "ts": "2026-03-02T11:00:00Z"}` + "\n",
	} {
		file := filepath.Join(folder, "exports", "lines", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	startGateway(t, folder)
	start := func(place string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "metrics.yaml")
		if code, _, said := runProgram(t, "init", place, "--out", file, "--extensions", extensionFolder); code != exitDone {
			t.Fatalf("init %s exits with %d:\n%s", place, code, said)
		}
		results(t, file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, definitions, _ := strings.Cut(string(text), "version:")
		return strings.ReplaceAll(strings.ReplaceAll(definitions, place, "PLACE"), "'", "") // a URL stands in quotes
	}
	for _, name := range []string{"e3", "lines"} {
		if diff := cmp.Diff(start(folder+"/exports/"+name), start("s3://exports/"+name)); diff != "" {
			t.Errorf("%s (-disk +store):\n%s", name, diff)
		}
	}
	code, _, said := runProgram(t, "init", "s3://exports/nowhere", "--out", filepath.Join(t.TempDir(), "metrics.yaml"), "--extensions", extensionFolder)
	if code != exitInvalid || !strings.Contains(said, "there are no data files below s3://exports/nowhere") {
		t.Errorf("a place without objects: exits with %d:\n%s", code, said)
	}
}

func TestStoreRefuses(t *testing.T) {
	folder := t.TempDir()
	copyInto(t, folder+"/exports/e3")
	g := startGateway(t, folder)
	for name, c := range map[string]struct {
		place            string
		key, secret, url string
		code             int
		says             string
	}{
		"wrong secret": {"s3://exports/e3", gatewayKey, "wrong", g.url(), exitInvalid, `metrics.yaml:\d+:\d+: s3://exports/e3/type=decisions/: access denied \(403\): the secret does not fit the key`},
		"no bucket":    {"s3://export/e3", gatewayKey, gatewaySecret, g.url(), exitInvalid, `there is no bucket "export" at 127.0.0.1`},
		"no such day":  {"s3://exports/e4", gatewayKey, gatewaySecret, g.url(), exitUnreachable, `no files match "s3://exports/e4/type=decisions/`},
		"nobody there": {"s3://exports/e3", gatewayKey, gatewaySecret, "http://127.0.0.1:1", exitUnreachable, `cannot read s3://exports/e3/type=decisions/: no answer from 127.0.0.1:1: connect: connection refused`},
		"nobody known": {"s3://exports/e3", "", "", g.url(), exitInvalid, `there are no credentials for the object store`},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Environment(t, c.url, c.key, c.secret)
			file := definitionsAt(t, c.place)
			for _, format := range []string{"text", "json"} {
				code, _, said := runProgram(t, "run", file, "--extensions", extensionFolder, "--log", format)
				if code != c.code || format == "text" && !regexp.MustCompile(c.says).MatchString(said) {
					t.Errorf("exits with %d, want %d:\n%s", code, c.code, said)
				}
				if !strings.Contains(said, "hint") {
					t.Errorf("no hint:\n%s", said)
				}
			}
		})
	}
	file := definitionsAt(t, "s3://exports/e3")
	code, _, said := runProgram(t, "run", file, "--extensions", t.TempDir())
	if code != exitInvalid || !strings.Contains(said, "needs its extension httpfs") || !strings.Contains(said, "hint: metricsjob setup s3") {
		t.Errorf("without the extension it exits with %d:\n%s", code, said)
	}
}

// Objects that may be listed and not be read are a mistake at the path; those
// that are gone, or a store that is busy for long, may be there later.
func TestObjectsThatCannotBeRead(t *testing.T) {
	server := storetest.Start(t)
	server.PutFolder(t, "../../testdata/parquet/optimizely_e3", "e3")
	file := definitionsAt(t, "s3://exports/e3")
	for name, c := range map[string]struct {
		status, code int
		says         string
	}{
		"denied": {http.StatusForbidden, exitInvalid, `metrics.yaml:\d+:\d+: s3://exports/e3/type=decisions/.*\.parquet: access denied \(403\)`},
		"gone":   {http.StatusNotFound, exitUnreachable, `cannot read`},
		"busy":   {http.StatusServiceUnavailable, exitUnreachable, `cannot read`},
	} {
		t.Run(name, func(t *testing.T) {
			server.Answer(func(r *http.Request) int {
				if strings.HasSuffix(r.URL.Path, ".parquet") {
					return c.status
				}
				return 0
			})
			code, _, said := runProgram(t, "run", file, "--extensions", extensionFolder)
			if code != c.code || !regexp.MustCompile(c.says).MatchString(said) {
				t.Errorf("exits with %d, want %d:\n%s", code, c.code, said)
			}
		})
	}
	var asked atomic.Int64
	server.Answer(func(r *http.Request) int {
		if asked.Add(1)%5 == 0 {
			return http.StatusServiceUnavailable
		}
		return 0
	})
	if code, _, said := runProgram(t, "run", file, "--extensions", extensionFolder); code != exitDone {
		t.Errorf("a store that is busy now and then: exits with %d:\n%s", code, said)
	}
}

// A server that dies half-way ends the run with 4; nothing is written, and the
// next run succeeds.
func TestStoreDies(t *testing.T) {
	folder := t.TempDir()
	copyInto(t, folder+"/exports/e3")
	g := startGateway(t, folder)
	var reads, last atomic.Int64
	proxy := startProxy(t, g, func(r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".parquet") && reads.Add(1) == last.Load() {
			g.kill()
		}
	})
	storetest.Environment(t, proxy, gatewayKey, gatewaySecret)
	file, out := definitionsAt(t, "s3://exports/e3"), t.TempDir()+"/out"
	args := []string{"run", file, "--extensions", extensionFolder, "--out", out, "--format", "json"}

	last.Store(-1)
	if code, _, said := runProgram(t, "run", file, "--extensions", extensionFolder, "--format", "json"); code != exitDone {
		t.Fatal(said)
	}
	all := reads.Load()
	for _, at := range []int64{1, all / 2, all - 1} {
		reads.Store(0)
		last.Store(at)
		code, _, said := runProgram(t, args...)
		if code != exitUnreachable {
			t.Errorf("dead at read %d of %d: exits with %d:\n%s", at, all, code, said)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("dead at read %d of %d: something was written", at, all)
		}
		g.start()
	}
	last.Store(-1)
	if code, _, said := runProgram(t, args...); code != exitDone {
		t.Errorf("the next run exits with %d:\n%s", code, said)
	}
	if tables, _ := filepath.Glob(out + "/runs/*/*.parquet"); len(tables) != 1 {
		t.Errorf("runs: %v", tables)
	}
}

// Results that a server does not live to take are not there; the next run writes
// them.
func TestStoreDiesWhileWriting(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(folder+"/results", 0o700); err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, folder)
	var writes, last atomic.Int64
	proxy := startProxy(t, g, func(r *http.Request) {
		if r.Method == http.MethodPut && writes.Add(1) == last.Load() {
			g.kill()
		}
	})
	storetest.Environment(t, proxy, gatewayKey, gatewaySecret)
	manifests := func() []string {
		found, err := filepath.Glob(folder + "/results/tables/manifests/*/*.json")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	const out = "s3://results/tables"
	args := []string{"run", "../../examples/metrics.yaml", "--out", out, "--format", "json"}
	for _, at := range []int64{1, 7} {
		writes.Store(0)
		last.Store(at)
		code, last, said := runProgram(t, args...)
		if code != exitUnreachable || !strings.Contains(last, `"exit_code":4`) || !strings.Contains(said, "write result tables to "+out) {
			t.Errorf("dead at write %d: exits with %d:\n%s", at, code, said)
		}
		if len(manifests()) > 0 {
			t.Errorf("dead at write %d: there is a manifest", at)
		}
		g.start()
	}
	last.Store(-1)
	code, printed, said := runProgram(t, args...)
	if code != exitDone || len(manifests()) != 1 {
		t.Fatalf("the next run exits with %d, with manifests %v:\n%s", code, manifests(), said)
	}
	if want := `"s3://results/tables/results/experiment=article_message/as_of=`; !strings.Contains(printed, want) {
		t.Errorf("the summary does not name %s", want)
	}
	// Those who read without manifests find each row once.
	tables, err := filepath.Glob(folder + "/results/tables/results/*/*/*.parquet")
	if err != nil || len(tables) != 1 {
		t.Errorf("%v, %v", tables, err)
	}
	// A prefix that cannot be written to is refused before anything is computed.
	storetest.Environment(t, g.url(), gatewayKey, "wrong")
	if code, _, said := runProgram(t, args...); code != exitInvalid || !strings.Contains(said, "results cannot be written there: s3://results/tables/manifests/: access denied (403)") {
		t.Errorf("with a wrong secret it exits with %d:\n%s", code, said)
	}
	if code, _, said := runProgram(t, "run", "../../examples/metrics.yaml", "--out", "s3://k:"+gatewaySecret+"@results/x"); code != exitInvalid {
		t.Errorf("with credentials in --out it exits with %d:\n%s", code, said)
	}
}

// startProxy passes requests on to a server after having them seen.
func startProxy(t *testing.T, g *gateway, see func(*http.Request)) string {
	t.Helper()
	to, err := url.Parse(g.url())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			see(r.In)
			r.SetURL(to)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // as if nobody were there
	})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// A store whose certificate nobody vouches for is not read.
func TestStoreByTLS(t *testing.T) {
	plain := storetest.Start(t)
	plain.PutFolder(t, "../../testdata/parquet/optimizely_e3", "e3")
	to, err := url.Parse(plain.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	proxy.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // refused certificates are no news
	proxy.StartTLS()
	t.Cleanup(proxy.Close)
	storetest.Environment(t, proxy.URL, storetest.KeyID, storetest.Secret)
	file := definitionsAt(t, "s3://exports/e3")
	code, _, said := runProgram(t, "run", file, "--extensions", extensionFolder)
	if code != exitUnreachable || !strings.Contains(said, "certificate") {
		t.Errorf("exits with %d:\n%s", code, said)
	}
	trusted := writeText(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw})))
	t.Setenv("AWS_CA_BUNDLE", trusted)
	if code, _, said := runProgram(t, "run", file, "--extensions", extensionFolder); code != exitDone {
		t.Errorf("trusted, it exits with %d:\n%s", code, said)
	}
}

// setup s3 takes the extension from a copy of DuckDB's server, and without a
// network says what to do.
func TestSetupS3(t *testing.T) {
	source, into := t.TempDir(), t.TempDir()
	found, err := os.Open(extensionFolder + "/httpfs.duckdb_extension")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	levels := "v" + duckDBVersion() + "/linux_amd64"
	if err := os.MkdirAll(filepath.Join(source, levels), 0o700); err != nil {
		t.Fatal(err)
	}
	copied, err := os.Create(filepath.Join(source, levels, "httpfs.duckdb_extension"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(copied, found)
	if err := errors.Join(err, copied.Close()); err != nil {
		t.Fatal(err)
	}
	code, out, said := runProgram(t, "setup", "s3", "--from", source, "--extensions", into)
	if want := filepath.Join(into, levels, "httpfs.duckdb_extension") + "\n"; code != exitDone || out != want {
		t.Errorf("exits with %d, prints %q, want %q:\n%s", code, out, want, said)
	}
	server := storetest.Start(t)
	server.PutFolder(t, "../../testdata/parquet/optimizely_e3", "e3")
	if code, _, said := runProgram(t, "check", definitionsAt(t, "s3://exports/e3"), "--extensions", into); code != exitDone {
		t.Errorf("check exits with %d:\n%s", code, said)
	}
	code, _, said = runProgram(t, "setup", "s3", "--from", "http://127.0.0.1:1/duckdb", "--extensions", t.TempDir())
	if code != exitUnreachable || !strings.Contains(said, "--from") {
		t.Errorf("without a server it exits with %d:\n%s", code, said)
	}
}
