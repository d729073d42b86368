package convert

import (
	"path/filepath"
	"testing"

	"github.com/metricsjob/metricsjob/internal/objectstore/storetest"
	"github.com/metricsjob/metricsjob/metrics"
)

func TestFirstUnreadable(t *testing.T) {
	const text = "{\"a\":1}\n\n{\"a\":2}\n{\"a\":\n[]\n"
	folder := write(t, map[string]string{
		"a.ndjson": text, "b.ndjson.gz": string(compressed(t, ".gz", text)), "noname": text, "good.ndjson": `{"a":1}`,
		"a.csv": "a,b\n1,2\n\"x\ny\",2\n3\n",
	})
	server := storetest.Start(t)
	server.PutFolder(t, folder, "in")
	for _, c := range []struct {
		name   string
		format metrics.FileFormat
		line   int64
		reason string
	}{
		{"a.ndjson", "", 4, "the JSON ends too early, after 5 bytes"},
		{"b.ndjson.gz", "", 4, "the JSON ends too early, after 5 bytes"},
		{"noname", metrics.FormatNDJSON, 4, "the JSON ends too early, after 5 bytes"},
		{"noname", "", 0, ""},
		{"good.ndjson", "", 0, ""},
		{"a.csv", "", 5, "the line has 1 fields, the header 2"},
	} {
		for _, path := range []string{filepath.Join(folder, c.name), "s3://" + storetest.Bucket + "/in/" + c.name} {
			line, reason, err := FirstUnreadable(t.Context(), path, c.format)
			if err != nil || line != c.line || reason != c.reason {
				t.Errorf("%s: line %d, %q, %v; want %d, %q", path, line, reason, err, c.line, c.reason)
			}
		}
	}
	if _, _, err := FirstUnreadable(t.Context(), filepath.Join(folder, "gone.ndjson"), ""); err != nil {
		t.Errorf("a file that is gone: %v", err)
	}
}
