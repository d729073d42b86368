package objectstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// Kind is what went wrong.
type Kind int

// The kinds of errors.
const (
	// Unreachable: no answer, or none that says more than to come back later.
	Unreachable Kind = iota
	// Denied: the store knows who asks, or does not, and refuses.
	Denied
	// NoBucket: there is no such bucket.
	NoBucket
	// NoObject: there is no such object.
	NoObject
	// NoCredentials: nothing says who asks.
	NoCredentials
	// Misdirected: the bucket is in another region, or this is no such store.
	Misdirected
	// beyondEnd: a range begins where the object has ended.
	beyondEnd
)

// Error says what could not be done at a place of an object store.
type Error struct {
	Kind Kind
	// URL is the place; it is empty where the settings are wrong.
	URL  string
	why  string
	hint string
}

func (e *Error) Error() string {
	if e.URL == "" {
		return e.why
	}
	return e.URL + ": " + e.why
}

// Why is what went wrong, without the place.
func (e *Error) Why() string { return e.why }

// Hint says what to do; it may be empty.
func (e *Error) Hint() string { return e.hint }

// Temporary reports whether trying again later may help.
func (e *Error) Temporary() bool { return e.Kind == Unreachable || e.Kind == NoObject }

// Where credentials and settings are looked for.
const (
	hintCredentials = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; see docs/object-stores.md"
	hintRights      = "see whether the key, or the role, is the right one, and may list and read there (s3:ListBucket, s3:GetObject)"
	hintRegion      = "set AWS_REGION to the region of the bucket"
)

// explain makes an *Error of what the client says, but of the end of the
// context, which is the caller's.
func (s *Store) explain(ctx context.Context, at Location, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("asking the object store was interrupted: %w", cause)
	}
	e := &Error{Kind: Unreachable, URL: at.String()}
	var api smithy.APIError
	var answer *awshttp.ResponseError
	status, code := 0, ""
	if errors.As(err, &answer) && answer.Response != nil {
		status = answer.HTTPStatusCode()
	}
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch {
	case code == "ExpiredToken" || code == "ExpiredTokenException" || code == "TokenRefreshRequired":
		e.why, e.hint = "the credentials have expired", "log in again, or let the role give new ones, and run again"
	case code == "RequestTimeTooSkewed":
		e.why, e.hint = "the clocks of this machine and of the store differ too much", "set the clock"
	case code == "SignatureDoesNotMatch":
		e.Kind, e.why, e.hint = Denied, "access denied (403): the secret does not fit the key", hintCredentials
	case code == "InvalidAccessKeyId" || code == "InvalidToken":
		e.Kind, e.why, e.hint = Denied, "access denied (403): the store does not know the key", hintCredentials
	case code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect" || status == http.StatusMovedPermanently:
		e.Kind, e.why, e.hint = Misdirected, fmt.Sprintf("the bucket is not in the region %s", s.access.Region), hintRegion
	case status == http.StatusRequestedRangeNotSatisfiable:
		e.Kind = beyondEnd
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		e.Kind, e.why, e.hint = Denied, fmt.Sprintf("access denied (%d)", status), hintRights
	case code == "NoSuchBucket":
		e.Kind, e.why, e.hint = NoBucket, fmt.Sprintf("there is no bucket %q at %s", at.Bucket, s.access.host()), "see whether the name is right, and AWS_ENDPOINT_URL that of the store"
	case status == http.StatusNotFound && (code == "NoSuchKey" || code == "NotFound" || code == ""):
		e.Kind, e.why = NoObject, "there is no such object"
	case status >= http.StatusInternalServerError || code == "SlowDown" || status == http.StatusTooManyRequests:
		e.why = fmt.Sprintf("the store at %s answers with status %d", s.access.host(), status)
	case status >= http.StatusBadRequest:
		e.Kind, e.why = Misdirected, fmt.Sprintf("the store at %s refuses the request with status %d, %s", s.access.host(), status, code)
		e.hint = "see whether AWS_ENDPOINT_URL is that of an S3-compatible store, and the credentials are for it"
	default:
		e.why = fmt.Sprintf("no answer from %s: %s", s.access.host(), cause(err))
		e.hint = "see whether the network works, and AWS_ENDPOINT_URL is right; then run again"
	}
	return e
}

// cause is the innermost reason why there was no answer.
func cause(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var request *url.Error
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "its name cannot be found"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.As(err, &op):
		return op.Err.Error()
	case errors.As(err, &request):
		return request.Err.Error()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
