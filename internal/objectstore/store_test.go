package objectstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
)

func open(t *testing.T) *objectstore.Store {
	t.Helper()
	s, err := objectstore.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(key string) objectstore.Location {
	return objectstore.Location{Bucket: storetest.Bucket, Key: key}
}

func TestParse(t *testing.T) {
	for url, want := range map[string]objectstore.Location{
		"s3://b/a/c.parquet": {Bucket: "b", Key: "a/c.parquet"},
		"s3://b/":            {Bucket: "b"},
		"s3://b":             {Bucket: "b"},
		"s3://b/a?/x":        {Bucket: "b", Key: "a?/x"},
		"s3://b/ä b/%20":     {Bucket: "b", Key: "ä b/%20"},
	} {
		if got, err := objectstore.Parse(url); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", url, got, err, want)
		}
	}
	for _, url := range []string{"b/a", "gs://b/a", "s3:///a", "s3://*/a", "s3://b c/a"} {
		if got, err := objectstore.Parse(url); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", url, got)
		}
	}
	for _, url := range []string{"s3://key:s3cret@b/a", "s3://b/a?s3_secret_access_key=s3cret"} {
		if _, err := objectstore.Parse(url); !errors.Is(err, objectstore.ErrCredentials) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Parse(%q): %v", url, err)
		}
	}
}

func TestListPages(t *testing.T) {
	server := storetest.Start(t)
	var want []string
	for i := range 2500 {
		key := fmt.Sprintf("a/%04d", i)
		server.Put(t, key, []byte("x"))
		want = append(want, key)
	}
	server.Put(t, "b/0000", nil)
	keys := func(l objectstore.Listing) []string {
		t.Helper()
		objects, _, err := open(t).List(t.Context(), at("a/"), l)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range objects {
			got = append(got, o.Key)
		}
		return got
	}
	for _, c := range []struct {
		listing  objectstore.Listing
		want     []string
		requests int // of 1,000 keys each
	}{
		{objectstore.Listing{}, want, 3},
		{objectstore.Listing{After: "a/1499", Until: "a/1510"}, want[1500:1511], 1},
		{objectstore.Listing{Until: "a/0003"}, want[:4], 1},
		{objectstore.Listing{After: "a/2499"}, nil, 1},
	} {
		server.Requests()
		if diff := cmp.Diff(c.want, keys(c.listing)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.listing, diff)
		}
		if got := server.Requests(); len(got) != c.requests {
			t.Errorf("%+v takes %d requests, want %d", c.listing, len(got), c.requests)
		}
	}
}

func TestListFolders(t *testing.T) {
	server := storetest.Start(t)
	for _, key := range []string{"a/x", "a/d=1/y", "a/d=1/z", "a/d=2/e/y", "b/x"} {
		server.Put(t, key, []byte(key))
	}
	objects, folders, err := open(t).List(t.Context(), at("a/"), objectstore.Listing{Folders: true})
	if err != nil || len(objects) != 1 || objects[0].Key != "a/x" || objects[0].Size != 3 {
		t.Errorf("objects %v, %v", objects, err)
	}
	if diff := cmp.Diff([]string{"a/d=1/", "a/d=2/"}, folders); diff != "" {
		t.Error(diff)
	}
}

func TestObjects(t *testing.T) {
	storetest.Start(t)
	s, ctx := open(t), t.Context()
	if err := s.Write(ctx, at("a b/ä+%20.txt"), []byte("0123456789"), "text/plain"); err != nil {
		t.Fatal(err)
	}
	if size, err := s.Size(ctx, at("a b/ä+%20.txt")); size != 10 || err != nil {
		t.Errorf("size %d, %v", size, err)
	}
	if data, err := s.ReadRange(ctx, at("a b/ä+%20.txt"), 3, 4); string(data) != "3456" || err != nil {
		t.Errorf("range %q, %v", data, err)
	}
	if data, err := s.ReadRange(ctx, at("a b/ä+%20.txt"), 10, 4); len(data) > 0 || err != nil {
		t.Errorf("range behind the end: %q, %v", data, err)
	}
	if err := s.Remove(ctx, at("a b/ä+%20.txt")); err != nil {
		t.Error(err)
	}
	_, err := s.Read(ctx, at("a b/ä+%20.txt"))
	if e := (*objectstore.Error)(nil); !errors.As(err, &e) || e.Kind != objectstore.NoObject {
		t.Errorf("read of what was removed: %v", err)
	}
}

// Every way to fail has its kind, says what to do, and says nothing that is
// secret.
func TestErrors(t *testing.T) {
	list := func(t *testing.T) error {
		s, err := objectstore.Open(t.Context())
		if err != nil {
			return err
		}
		_, _, err = s.List(t.Context(), at("a/"), objectstore.Listing{})
		return err
	}
	answer := func(status int) func(t *testing.T) {
		return func(t *testing.T) {
			storetest.Start(t).Answer(func(*http.Request) int { return status })
		}
	}
	for name, c := range map[string]struct {
		arrange func(t *testing.T)
		kind    objectstore.Kind
		says    string
	}{
		"forbidden":         {answer(http.StatusForbidden), objectstore.Denied, "s3://exports/a/: access denied (403)"},
		"busy":              {answer(http.StatusServiceUnavailable), objectstore.Unreachable, "answers with status 503"},
		"broken":            {answer(http.StatusInternalServerError), objectstore.Unreachable, "answers with status 500"},
		"another region":    {answer(http.StatusMovedPermanently), objectstore.Misdirected, "the bucket is not in the region us-east-1"},
		"something else":    {answer(http.StatusTeapot), objectstore.Misdirected, "refuses the request with status 418"},
		"nobody listens":    {func(t *testing.T) { storetest.Environment(t, "http://127.0.0.1:1", "K", storetest.Secret) }, objectstore.Unreachable, "no answer from 127.0.0.1:1: connect: connection refused"},
		"no host":           {func(t *testing.T) { storetest.Environment(t, "http://store.invalid", "K", storetest.Secret) }, objectstore.Unreachable, "no answer from store.invalid: "},
		"no credentials":    {func(t *testing.T) { storetest.Environment(t, "http://127.0.0.1:1", "", "") }, objectstore.NoCredentials, "there are no credentials"},
		"no profile":        {func(t *testing.T) { storetest.Start(t); t.Setenv("AWS_PROFILE", "nightly") }, objectstore.NoCredentials, `there is no profile "nightly"`},
		"no URL":            {func(t *testing.T) { storetest.Environment(t, "127.0.0.1:1", "K", storetest.Secret) }, objectstore.Misdirected, "AWS_ENDPOINT_URL is no URL"},
		"secret in the URL": {func(t *testing.T) { storetest.Environment(t, "http://k:"+storetest.Secret+"@h", "K", "S") }, objectstore.Misdirected, "AWS_ENDPOINT_URL is no URL"},
	} {
		t.Run(name, func(t *testing.T) {
			c.arrange(t)
			err := list(t)
			var e *objectstore.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			if e.Kind != c.kind || !strings.Contains(e.Error(), c.says) {
				t.Errorf("kind %d, %s; want %d, %s", e.Kind, e, c.kind, c.says)
			}
			if e.Hint() == "" && !e.Temporary() {
				t.Error("no hint")
			}
			if said := fmt.Sprintf("%v %+v %#v %s", err, err, e, e.Hint()); strings.Contains(said, storetest.Secret) {
				t.Error("the secret is told")
			}
		})
	}
}

func TestNoBucket(t *testing.T) {
	storetest.Start(t)
	_, _, err := open(t).List(t.Context(), objectstore.Location{Bucket: "elsewhere"}, objectstore.Listing{})
	if e := (*objectstore.Error)(nil); !errors.As(err, &e) || e.Kind != objectstore.NoBucket || e.Temporary() {
		t.Errorf("%v", err)
	}
}

// A store that fails once is asked again.
func TestRetry(t *testing.T) {
	server := storetest.Start(t)
	server.Put(t, "a/x", nil)
	failed := false
	server.Answer(func(*http.Request) int {
		if failed {
			return 0
		}
		failed = true
		return http.StatusServiceUnavailable
	})
	if objects, _, err := open(t).List(t.Context(), at("a/"), objectstore.Listing{}); err != nil || len(objects) != 1 {
		t.Errorf("%v, %v", objects, err)
	}
	if got := server.Requests(); len(got) != 2 {
		t.Errorf("%d requests", len(got))
	}
}

func TestInterrupted(t *testing.T) {
	storetest.Start(t)
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.List(ctx, at("a/"), objectstore.Listing{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// The access comes from a profile, and prints without its secret.
func TestAccess(t *testing.T) {
	storetest.Environment(t, "", "", "")
	for name, text := range map[string]string{
		"AWS_CONFIG_FILE":             "[profile nightly]\nregion = eu-north-1\nendpoint_url = https://store.example:9000\n",
		"AWS_SHARED_CREDENTIALS_FILE": "[nightly]\naws_access_key_id = K\naws_secret_access_key = " + storetest.Secret + "\naws_session_token = token-" + storetest.Secret + "\n",
	} {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, file)
	}
	t.Setenv("AWS_PROFILE", "nightly")
	t.Setenv("AWS_REGION", "")
	got := open(t).Access()
	want := objectstore.Access{
		KeyID: "K", Secret: storetest.Secret, SessionToken: "token-" + storetest.Secret,
		Region: "eu-north-1", Endpoint: "store.example:9000", TLS: true, Attempts: 2,
	}
	if got != want {
		t.Error("the access is another") // and is not told
	}
	if said := fmt.Sprintf("%v %+v %#v %s %v", got, got, got, got, got.LogValue()); strings.Contains(said, storetest.Secret) || !strings.Contains(said, "store.example:9000") {
		t.Errorf("%s", said)
	}
}
