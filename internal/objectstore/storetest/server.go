// Package storetest runs an S3-compatible store inside a test. It knows no
// secrets: whoever asks may. What needs real authentication is tested against a
// real server, in the integration tests.
package storetest

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Bucket is the bucket that the server has.
const Bucket = "exports"

// The credentials that the environment of a test gets.
const (
	KeyID  = "TESTKEYID"
	Secret = "a-secret-that-is-nowhere-to-be-seen"
)

// Server is a store in this process.
type Server struct {
	URL     string
	backend gofakes3.Backend

	mu       sync.Mutex
	requests []string
	answer   func(*http.Request) int
}

// Start runs a server with an empty bucket until the test ends, and points the
// environment at it. Requests are made twice at most.
func Start(t testing.TB) *Server {
	s := &Server{backend: s3mem.New()}
	if err := s.backend.CreateBucket(Bucket); err != nil {
		t.Fatal(err)
	}
	store := gofakes3.New(s.backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, nameOf(r))
		answer := s.answer
		s.mu.Unlock()
		if answer != nil {
			if status := answer(r); status != 0 {
				w.WriteHeader(status)
				return
			}
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.URL = server.URL
	Environment(t, server.URL, KeyID, Secret)
	return s
}

// Environment points the environment of a test at a store, and at nothing that
// the machine has besides.
func Environment(t testing.TB, endpoint, key, secret string) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_ENDPOINT_URL_S3": "",
		"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": empty, "AWS_SHARED_CREDENTIALS_FILE": empty,
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "2", "AWS_CA_BUNDLE": "",
	} {
		t.Setenv(name, value)
	}
}

// nameOf says what a request is about, as in "LIST exports/events/".
func nameOf(r *http.Request) string {
	query := r.URL.Query()
	if r.Method == http.MethodGet && query.Has("list-type") {
		return "LIST " + query.Get("prefix")
	}
	return r.Method + " " + strings.TrimPrefix(r.URL.Path, "/"+Bucket+"/")
}

// Requests gives what was asked since the last call.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

// Answer has requests answered with the status that a function gives, without a
// body; 0 leaves the answer to the store.
func (s *Server) Answer(status func(*http.Request) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = status
}

// Put stores an object.
func (s *Server) Put(t testing.TB, key string, data []byte) {
	if _, err := s.backend.PutObject(Bucket, key, nil, bytes.NewReader(data), int64(len(data)), nil); err != nil {
		t.Fatal(err)
	}
}

// PutFolder stores the files of a folder, below a prefix.
func (s *Server) PutFolder(t testing.TB, folder, prefix string) {
	files := os.DirFS(folder)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		s.Put(t, path.Join(prefix, name), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Keys are the keys of all objects that begin alike, in order.
func (s *Server) Keys(t testing.TB, prefix string) []string {
	list, err := s.backend.ListBucket(Bucket, &gofakes3.Prefix{HasPrefix: true, Prefix: prefix}, gofakes3.ListBucketPage{MaxKeys: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range list.Contents {
		keys = append(keys, o.Key)
	}
	return keys
}
