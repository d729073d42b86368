package export

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/metricsjob/metricsjob/metrics"
)

var nan = math.NaN()

func sortedLines(list []string) string {
	slices.Sort(list)
	return strings.Join(list, "\n") + "\n"
}

// kinds is a table with a column of every type, and the cells that are easy
// to get wrong.
var kinds = metrics.Table{
	Name: "kinds",
	Columns: []metrics.Column{
		{Name: "text", Type: metrics.ColText, Nullable: true, Doc: `a "text", anything`},
		{Name: "list", Type: metrics.ColTextList, Doc: "some texts"},
		{Name: "integer", Type: metrics.ColInteger, Nullable: true, Doc: "a whole number"},
		{Name: "float", Type: metrics.ColFloat, Nullable: true, Doc: "a number"},
		{Name: "boolean", Type: metrics.ColBoolean, Nullable: true, Doc: "yes or no"},
		{Name: "timestamp", Type: metrics.ColTimestamp, Nullable: true, Doc: "an instant"},
		{Name: "date", Type: metrics.ColDate, Nullable: true, Doc: "a day"},
		{Name: "reasons", Type: metrics.ColReasons, Doc: "some grounds"},
	},
	Rows: [][]any{
		{"plain", []string{"a", "b"}, int64(-7), 0.1, true, time.Date(2026, 3, 30, 0, 0, 0, 1000, time.UTC), metrics.Date{Time: time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)}, metrics.Reasons{
			{Code: "one", Metric: new("m"), Text: `says "so"`, Value: new(0.5)}, {Code: "two", Text: "a, b", Threshold: new(2.0)},
		}},
		{"", []string{}, int64(math.MaxInt64), 14499837.0, false, time.Date(2026, 3, 30, 1, 0, 0, 250000000, time.FixedZone("", 3600)), metrics.Date{Time: time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)}, metrics.Reasons{}},
		{"a \"b\", <c>\né", []string{`x,"y"`, ""}, int64(0), 1e-7, nil, nil, nil, metrics.Reasons{}},
		{nil, []string{}, nil, 1.5e22, nil, nil, nil, metrics.Reasons{}},
		{"null", []string{}, nil, nil, nil, nil, nil, metrics.Reasons{}},
	},
}

// By hand, from RFC 4180 and the rules of docs/results.md.
func TestCSV(t *testing.T) {
	const want = `text,list,integer,float,boolean,timestamp,date,reasons
plain,"[""a"",""b""]",-7,0.1,true,2026-03-30T00:00:00.000001Z,2026-03-30,"[{""code"":""one"",""metric"":""m"",""text"":""says \""so\"""",""value"":0.5,""threshold"":null},{""code"":""two"",""metric"":null,""text"":""a, b"",""value"":null,""threshold"":2}]"
"",[],9223372036854775807,14499837,false,2026-03-30T00:00:00.25Z,1969-12-31,[]
"a ""b"", <c>
é","[""x,\""y\"""",""""]",0,1e-07,,,,[]
,[],,1.5e+22,,,,[]
null,[],,,,,,[]
`
	var b bytes.Buffer
	if err := writeCSV(&b, kinds); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// By hand, from RFC 8259 and the rules of docs/results.md.
func TestJSONL(t *testing.T) {
	const want = `{"text":"plain","list":["a","b"],"integer":-7,"float":0.1,"boolean":true,"timestamp":"2026-03-30T00:00:00.000001Z","date":"2026-03-30","reasons":[{"code":"one","metric":"m","text":"says \"so\"","value":0.5,"threshold":null},{"code":"two","metric":null,"text":"a, b","value":null,"threshold":2}]}
{"text":"","list":[],"integer":9223372036854775807,"float":14499837,"boolean":false,"timestamp":"2026-03-30T00:00:00.25Z","date":"1969-12-31","reasons":[]}
{"text":"a \"b\", <c>\né","list":["x,\"y\"",""],"integer":0,"float":1e-07,"boolean":null,"timestamp":null,"date":null,"reasons":[]}
{"text":null,"list":[],"integer":null,"float":1.5e+22,"boolean":null,"timestamp":null,"date":null,"reasons":[]}
{"text":"null","list":[],"integer":null,"float":null,"boolean":null,"timestamp":null,"date":null,"reasons":[]}
`
	var b bytes.Buffer
	if err := writeJSONL(&b, kinds); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoFormatWritesWhatIsNotFinite(t *testing.T) {
	for _, x := range []float64{nan, math.Inf(1), math.Inf(-1)} {
		table := metrics.Table{Name: "t", Columns: []metrics.Column{{Name: "x", Type: metrics.ColFloat}}, Rows: [][]any{{x}}}
		for _, f := range FileFormats {
			if err := encodeFile(io.Discard, f, table); err == nil || !strings.HasPrefix(err.Error(), "table t, row 1, column x: ") {
				t.Errorf("%s of %v: error %v", f, x, err)
			}
		}
	}
}

// cells turns what an Arrow reader read back into cells.
func cells(t *testing.T, columns []arrow.Array, rows int) [][]any {
	t.Helper()
	table := make([][]any, rows)
	for r := range rows {
		for _, c := range columns {
			var x any
			switch c := c.(type) {
			case *array.String:
				x = strings.Clone(c.Value(r))
			case *array.List:
				if of, ok := c.ListValues().(*array.Struct); ok {
					x = reasonsOf(t, c, of, r)
					break
				}
				from, to := c.ValueOffsets(r)
				list := []string{}
				for i := from; i < to; i++ {
					list = append(list, strings.Clone(c.ListValues().(*array.String).Value(int(i))))
				}
				x = list
			case *array.Int64:
				x = c.Value(r)
			case *array.Float64:
				x = c.Value(r)
			case *array.Boolean:
				x = c.Value(r)
			case *array.Timestamp:
				x = c.Value(r).ToTime(arrow.Microsecond)
			case *array.Date32:
				x = metrics.Date{Time: c.Value(r).ToTime()}
			default:
				t.Fatalf("no case for %T", c)
			}
			if c.IsNull(r) {
				x = nil
			}
			table[r] = append(table[r], x)
		}
	}
	return table
}

// reasonsOf are the reasons in a row of a list of structs.
func reasonsOf(t *testing.T, c *array.List, of *array.Struct, row int) metrics.Reasons {
	var fields []arrow.Array
	for i := range of.NumField() {
		fields = append(fields, of.Field(i))
	}
	out := metrics.Reasons{}
	from, to := c.ValueOffsets(row)
	for _, cell := range cells(t, fields, of.Len())[from:to] {
		r := metrics.Reason{Code: cell[0].(string), Text: cell[2].(string)}
		if metric, ok := cell[1].(string); ok {
			r.Metric = &metric
		}
		for i, to := range map[int]**float64{3: &r.Value, 4: &r.Threshold} {
			if x, ok := cell[i].(float64); ok {
				*to = &x
			}
		}
		out = append(out, r)
	}
	return out
}

// roundTrips are the tables to write and read again: those of the sample, of a
// run without rows, and kinds.
func roundTrips() []metrics.Table {
	return slices.Concat(sample().All(), new(metrics.Tables).All(), []metrics.Table{kinds})
}

func checkSchema(t *testing.T, want metrics.Table, got *arrow.Schema) {
	t.Helper()
	for i, c := range want.Columns {
		f := got.Field(i)
		if f.Name != c.Name || f.Nullable != c.Nullable || !arrow.TypeEqual(f.Type, arrowType(c.Type)) && c.Type != metrics.ColTextList && c.Type != metrics.ColReasons {
			t.Errorf("%s.%s is %v", want.Name, c.Name, f)
		}
		if doc, _ := f.Metadata.GetValue("description"); doc != c.Doc {
			t.Errorf("%s.%s has the description %q", want.Name, c.Name, doc)
		}
	}
}

var sameInstant = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func TestParquetRoundTrip(t *testing.T) {
	for _, want := range roundTrips() {
		var b bytes.Buffer
		if err := writeParquet(&b, want); err != nil {
			t.Fatal(err)
		}
		pf, err := file.NewParquetReader(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		table, err := fr.ReadTable(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkSchema(t, want, table.Schema())
		var columns []arrow.Array
		for i := range int(table.NumCols()) {
			if chunks := table.Column(i).Data().Chunks(); len(chunks) > 0 {
				columns = append(columns, chunks[0])
			}
		}
		got := cells(t, columns, int(table.NumRows()))
		if diff := cmp.Diff(want.Rows, got, sameInstant); diff != "" && len(want.Rows)+len(got) > 0 {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
}

// The physical schema is what readers without Arrow see.
func TestParquetTypes(t *testing.T) {
	var b bytes.Buffer
	if err := writeParquet(&b, kinds); err != nil {
		t.Fatal(err)
	}
	pf, err := file.NewParquetReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"text BYTE_ARRAY String", "list.list.element BYTE_ARRAY String", "integer INT64 Int(bitWidth=64, isSigned=true)", "float DOUBLE None", "boolean BOOLEAN None",
		"timestamp INT64 Timestamp(isAdjustedToUTC=true, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=false)",
		"date INT32 Date",
		"reasons.list.element.code BYTE_ARRAY String", "reasons.list.element.metric BYTE_ARRAY String", "reasons.list.element.text BYTE_ARRAY String",
		"reasons.list.element.value DOUBLE None", "reasons.list.element.threshold DOUBLE None",
	}
	for i, w := range want {
		c := pf.MetaData().Schema.Column(i)
		if got := fmt.Sprint(c.Path(), " ", c.PhysicalType(), " ", c.LogicalType()); got != w {
			t.Errorf("column %s, want %s", got, w)
		}
		chunk, err := pf.MetaData().RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Compression() != compress.Codecs.Zstd {
			t.Errorf("column %d is compressed with %v", i, chunk.Compression())
		}
	}
	const docs = `{"text":"a \"text\", anything","list":"some texts","integer":"a whole number","float":"a number","boolean":"yes or no","timestamp":"an instant","date":"a day","reasons":"some grounds"}`
	for key, want := range map[string]string{"metricsjob.schema_version": metrics.SchemaVersion, "metricsjob.table": "kinds", "metricsjob.columns": docs} {
		if got := pf.MetaData().KeyValueMetadata().FindValue(key); got == nil || *got != want {
			t.Errorf("metadata %s is %v, want %s", key, got, want)
		}
	}
}

func TestArrowStreamRoundTrip(t *testing.T) {
	for _, want := range roundTrips() {
		var b bytes.Buffer
		if err := writeArrow(&b, want); err != nil {
			t.Fatal(err)
		}
		r, err := ipc.NewReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		checkSchema(t, want, r.Schema())
		if v, _ := r.Schema().Metadata().GetValue("metricsjob.schema_version"); v != metrics.SchemaVersion {
			t.Errorf("%s: schema version %q", want.Name, v)
		}
		var got [][]any
		for r.Next() {
			got = append(got, cells(t, r.RecordBatch().Columns(), int(r.RecordBatch().NumRows()))...)
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		if diff := cmp.Diff(want.Rows, got, sameInstant); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
}
