package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/metricsjob/metricsjob/metrics"
)

// Keys of the metadata of Parquet files and Arrow streams. The description of
// a column is the metadata of its field too, under keyDescription.
const (
	keySchemaVersion = "metricsjob.schema_version"
	keyTable         = "metricsjob.table"
	keyColumns       = "metricsjob.columns"
	keyDescription   = "description"
)

// writeParquet writes the table as one Parquet file, compressed with zstd. The
// same table gives the same bytes.
func writeParquet(w io.Writer, t metrics.Table) error {
	rec, err := record(t)
	if err != nil {
		return err
	}
	defer rec.Release()
	fw, err := pqarrow.NewFileWriter(rec.Schema(), w,
		parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd)),
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return fmt.Errorf("begin Parquet: %w", err)
	}
	// An empty table has no row group; its schema is all that it says.
	if rec.NumRows() > 0 {
		if err := fw.Write(rec); err != nil {
			return fmt.Errorf("write Parquet: %w", err)
		}
	}
	if err := fw.Close(); err != nil {
		return fmt.Errorf("end Parquet: %w", err)
	}
	return nil
}

// writeArrow writes the table as an Arrow IPC stream of one batch.
func writeArrow(w io.Writer, t metrics.Table) error {
	rec, err := record(t)
	if err != nil {
		return err
	}
	defer rec.Release()
	sw := ipc.NewWriter(w, ipc.WithSchema(rec.Schema()))
	if err := errors.Join(sw.Write(rec), sw.Close()); err != nil {
		return fmt.Errorf("write Arrow stream: %w", err)
	}
	return nil
}

// arrowSchema is the schema of a table, with what the contract says about it
// as metadata.
func arrowSchema(t metrics.Table) *arrow.Schema {
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = arrow.Field{
			Name:     c.Name,
			Type:     arrowType(c.Type),
			Nullable: c.Nullable,
			Metadata: arrow.NewMetadata([]string{keyDescription}, []string{c.Doc}),
		}
	}
	meta := arrow.NewMetadata(
		[]string{keySchemaVersion, keyTable, keyColumns},
		[]string{metrics.SchemaVersion, t.Name, columnDocs(t)})
	return arrow.NewSchema(fields, &meta)
}

func arrowType(t metrics.ColumnType) arrow.DataType {
	switch t {
	case metrics.ColText:
		return arrow.BinaryTypes.String
	case metrics.ColTextList:
		return arrow.ListOfNonNullable(arrow.BinaryTypes.String)
	case metrics.ColReasons:
		return arrow.ListOfNonNullable(arrow.StructOf(
			arrow.Field{Name: "code", Type: arrow.BinaryTypes.String},
			arrow.Field{Name: "metric", Type: arrow.BinaryTypes.String, Nullable: true},
			arrow.Field{Name: "text", Type: arrow.BinaryTypes.String},
			arrow.Field{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
			arrow.Field{Name: "threshold", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		))
	case metrics.ColInteger:
		return arrow.PrimitiveTypes.Int64
	case metrics.ColFloat:
		return arrow.PrimitiveTypes.Float64
	case metrics.ColBoolean:
		return arrow.FixedWidthTypes.Boolean
	case metrics.ColTimestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case metrics.ColDate:
		return arrow.FixedWidthTypes.Date32
	}
	panic(fmt.Sprintf("export: no Arrow type for %q", t))
}

// columnDocs gives the descriptions of the columns as one JSON object, in the
// order of the columns, for readers that see no Arrow metadata.
func columnDocs(t metrics.Table) string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(appendJSONText(nil, c.Name))
		b.WriteByte(':')
		b.Write(appendJSONText(nil, c.Doc))
	}
	b.WriteByte('}')
	return b.String()
}

// record turns the table into one record batch.
func record(t metrics.Table) (arrow.RecordBatch, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrowSchema(t))
	defer b.Release()
	for r, row := range t.Rows {
		for i, cell := range row {
			if err := appendCell(b.Field(i), cell); err != nil {
				return nil, fmt.Errorf("table %s, row %d, column %s: %w", t.Name, r+1, t.Columns[i].Name, err)
			}
		}
	}
	return b.NewRecordBatch(), nil
}

func appendCell(b array.Builder, cell any) error {
	switch x := cell.(type) {
	case nil:
		b.AppendNull()
	case string:
		b.(*array.StringBuilder).Append(x)
	case []string:
		list := b.(*array.ListBuilder)
		list.Append(true)
		for _, s := range x {
			list.ValueBuilder().(*array.StringBuilder).Append(s)
		}
	case metrics.Reasons:
		list := b.(*array.ListBuilder)
		list.Append(true)
		for _, r := range x {
			if err := appendReason(list.ValueBuilder().(*array.StructBuilder), r); err != nil {
				return err
			}
		}
	case int64:
		b.(*array.Int64Builder).Append(x)
	case float64:
		if err := checkFinite(x); err != nil {
			return err
		}
		b.(*array.Float64Builder).Append(x)
	case bool:
		b.(*array.BooleanBuilder).Append(x)
	case time.Time:
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(x.UnixMicro()))
	case metrics.Date:
		b.(*array.Date32Builder).Append(arrow.Date32FromTime(x.Time))
	default:
		panic(fmt.Sprintf("export: no cell for %T", cell))
	}
	return nil
}

// appendReason adds one reason, its fields in the order of the type.
func appendReason(b *array.StructBuilder, r metrics.Reason) error {
	b.Append(true)
	for i, cell := range []any{r.Code, orNull(r.Metric), r.Text, orNull(r.Value), orNull(r.Threshold)} {
		if err := appendCell(b.FieldBuilder(i), cell); err != nil {
			return err
		}
	}
	return nil
}

// orNull is what p points to, or nil.
func orNull[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// checkFinite refuses what no result table may hold: what cannot be computed
// is null there, with a status.
func checkFinite(x float64) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("%v is no result", x)
	}
	return nil
}

// parquetRunID reads the run of a result file: the first value of its first
// column. An empty table has none.
func parquetRunID(r parquet.ReaderAtSeeker) (string, error) {
	pf, err := file.NewParquetReader(r)
	if err != nil {
		return "", fmt.Errorf("open Parquet: %w", err)
	}
	defer pf.Close()
	if pf.NumRows() == 0 {
		return "", nil
	}
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return "", fmt.Errorf("read Parquet: %w", err)
	}
	table, err := fr.ReadRowGroups(context.Background(), []int{0}, []int{0})
	if err != nil {
		return "", fmt.Errorf("read Parquet: %w", err)
	}
	defer table.Release()
	ids, ok := table.Column(0).Data().Chunk(0).(*array.String)
	if !ok {
		return "", fmt.Errorf("read Parquet: the first column is %s, not text", table.Column(0).DataType())
	}
	// A copy, because the text lies in the table's memory.
	return string([]byte(ids.Value(0))), nil
}
