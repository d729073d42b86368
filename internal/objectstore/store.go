package objectstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

const (
	// attempts is how often a request is made before giving up, with waits in
	// between that grow; AWS_MAX_ATTEMPTS and profiles may say otherwise.
	attempts = 5
	// dialTimeout and answerTimeout bound the wait for one attempt.
	dialTimeout   = 10 * time.Second
	answerTimeout = 30 * time.Second
	// usualRegion is the one that stores without regions take.
	usualRegion = "us-east-1"
)

// Store is an S3-compatible object store.
type Store struct {
	client *s3.Client
	access Access
}

// Access is how to reach a store: for an engine that reads by itself. It prints
// without what is secret.
type Access struct {
	KeyID, Secret, SessionToken string
	Region                      string
	// Endpoint is host:port of a store that is not AWS's own; else empty.
	Endpoint string
	// TLS reports whether the store is reached by https.
	TLS bool
	// CAFile holds the certificates to trust; empty: the system's.
	CAFile string
	// Attempts is how often a request is made before giving up.
	Attempts int
}

// String is the access without what is secret.
func (a Access) String() string { return "access to " + a.host() }

// GoString is the same for %#v.
func (a Access) GoString() string { return a.String() }

// LogValue is the same for logs.
func (a Access) LogValue() slog.Value { return slog.StringValue(a.String()) }

// host is the store in messages.
func (a Access) host() string {
	if a.Endpoint == "" {
		return "AWS in " + a.Region
	}
	return a.Endpoint
}

// Open finds out from the environment, the profile files and the machine's role
// where the store is and who asks. It asks the store nothing yet.
func Open(ctx context.Context) (*Store, error) {
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerTimeout })
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client), config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, &Error{Kind: NoCredentials, why: "the settings for the object store cannot be read: " + settingsCause(err), hint: hintCredentials}
	}
	if cfg.Region == "" {
		cfg.Region = usualRegion
	}
	if cfg.RetryMaxAttempts == 0 {
		cfg.RetryMaxAttempts = attempts
	}
	s := &Store{client: s3.NewFromConfig(cfg, func(o *s3.Options) {
		// Not all stores know the newer checksums.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		// Stores of other makers seldom have a name for each bucket.
		o.UsePathStyle = o.BaseEndpoint != nil
	})}
	s.access = Access{Region: cfg.Region, TLS: true, CAFile: os.Getenv("AWS_CA_BUNDLE"), Attempts: cfg.RetryMaxAttempts}
	if base := s.client.Options().BaseEndpoint; base != nil {
		if err := s.access.endpoint(*base); err != nil {
			return nil, err
		}
	}
	who, err := cfg.Credentials.Retrieve(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("looking for credentials was interrupted: %w", ctx.Err())
	case err != nil:
		// The reasons of each place that was tried would not help.
		return nil, &Error{Kind: NoCredentials, why: "there are no credentials for the object store", hint: hintCredentials}
	}
	s.access.KeyID, s.access.Secret, s.access.SessionToken = who.AccessKeyID, who.SecretAccessKey, who.SessionToken
	return s, nil
}

// settingsCause is what is wrong with the settings: a profile that is not
// there is the usual mistake. Other texts may quote the files.
func settingsCause(err error) string {
	var profile config.SharedConfigProfileNotExistError
	if errors.As(err, &profile) {
		return fmt.Sprintf("there is no profile %q", profile.Profile)
	}
	return "see the profile files and the variables AWS_…"
}

// endpoint takes the endpoint of a store apart.
func (a *Access) endpoint(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return &Error{Kind: Misdirected, why: "AWS_ENDPOINT_URL is no URL of a store", hint: "write it as http://host:port or https://host"}
	}
	a.Endpoint, a.TLS = u.Host, u.Scheme == "https"
	return nil
}

// Access is how to reach the store.
func (s *Store) Access() Access { return s.access }

// Object is what a listing says of an object.
type Object struct {
	Key     string
	Size    int64
	Changed time.Time
}

// Listing says what to list.
type Listing struct {
	// After, where given, is a key: what is up to it is left out, and not asked
	// for.
	After string
	// Until, where given, is a key: what is above it is left out, and not asked
	// for.
	Until string
	// Folders asks for the next level alone: objects directly below the prefix,
	// and the beginnings of keys, up to a slash, of all others.
	Folders bool
}

// List gives the objects whose keys begin with the location's, in the order
// of their keys, and with Folders the folders.
func (s *Store) List(ctx context.Context, at Location, l Listing) (objects []Object, folders []string, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &at.Bucket, Prefix: &at.Key}
	if l.After != "" {
		in.StartAfter = &l.After
	}
	if l.Folders {
		in.Delimiter = aws.String("/")
	}
	beyond := func(key string) bool { return l.Until != "" && key > l.Until }
	for pages := s3.NewListObjectsV2Paginator(s.client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, s.explain(ctx, at, err)
		}
		over := false
		for _, o := range page.Contents {
			switch key := aws.ToString(o.Key); {
			case beyond(key):
				over = true
			case key > l.After:
				objects = append(objects, Object{key, aws.ToInt64(o.Size), aws.ToTime(o.LastModified)})
			}
		}
		for _, p := range page.CommonPrefixes {
			folder := aws.ToString(p.Prefix)
			if beyond(folder) {
				over = true
				continue
			}
			folders = append(folders, folder)
		}
		if over {
			break
		}
	}
	return objects, folders, nil
}

// ReadRange reads length bytes of an object from an offset on; fewer where it
// ends before.
func (s *Store) ReadRange(ctx context.Context, at Location, offset, length int64) ([]byte, error) {
	asked := fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
	data, err := s.get(ctx, at, &s3.GetObjectInput{Bucket: &at.Bucket, Key: &at.Key, Range: &asked})
	if e := (*Error)(nil); errors.As(err, &e) && e.Kind == beyondEnd {
		return nil, nil
	}
	return data, err
}

// Read reads an object.
func (s *Store) Read(ctx context.Context, at Location) ([]byte, error) {
	return s.get(ctx, at, &s3.GetObjectInput{Bucket: &at.Bucket, Key: &at.Key})
}

func (s *Store) get(ctx context.Context, at Location, in *s3.GetObjectInput) ([]byte, error) {
	out, err := s.client.GetObject(ctx, in)
	if err != nil {
		return nil, s.explain(ctx, at, err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	return data, s.explain(ctx, at, err)
}

// Size gives the size of an object.
func (s *Store) Size(ctx context.Context, at Location) (int64, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &at.Bucket, Key: &at.Key})
	if err != nil {
		return 0, s.explain(ctx, at, err)
	}
	return aws.ToInt64(out.ContentLength), nil
}

// Write writes an object: readers see all of it or nothing.
func (s *Store) Write(ctx context.Context, at Location, data []byte, contentType string) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &at.Bucket, Key: &at.Key, Body: bytes.NewReader(data), ContentType: &contentType,
	})
	return s.explain(ctx, at, err)
}

// WriteFile writes an object that holds what a file does: readers see all of it or nothing.
func (s *Store) WriteFile(ctx context.Context, at Location, file, contentType string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &at.Bucket, Key: &at.Key, Body: f, ContentType: &contentType})
	return s.explain(ctx, at, err)
}

// Remove removes an object; one that is not there is removed.
func (s *Store) Remove(ctx context.Context, at Location) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &at.Bucket, Key: &at.Key})
	return s.explain(ctx, at, err)
}
