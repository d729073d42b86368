package metrics

import (
	"fmt"
	"reflect"
	"slices"
	"time"
)

// SchemaVersion is the version of the result tables' contract (docs/results.md).
const SchemaVersion = "1.0"

// Overall and All name the row over everybody; None and Other are the
// segment values for missing and for rare ones.
const (
	Overall = "overall"
	All     = "all"
	None    = "(none)"
	Other   = "(other)"
)

// Tables are the result tables of one run. The tag col is the column's name
// in the contract, doc its description; a pointer is a column that may be
// null. Rows are in the order of their grain.
type Tables struct {
	Results     []ResultRow
	Moments     []MomentRow
	Exposures   []ExposureRow
	Health      []HealthRow
	Verdicts    []VerdictRow
	Waterfall   []WaterfallRow
	Errors      []ErrorRow
	Metrics     []MetricRow
	Experiments []ExperimentRow
	Variations  []VariationRow
	Runs        []RunRow
}

// ResultRow is one row of the table results: experiment × metric × step ×
// split × segment value × variation × compared_to.
type ResultRow struct {
	RunID        string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf         time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment   string    `col:"experiment" doc:"key of the experiment"`
	Flag         string    `col:"flag" doc:"key of the feature flag"`
	Rule         string    `col:"rule" doc:"test, rollout or personalize"`
	Role         string    `col:"role" doc:"primary, secondary or guardrail"`
	Metric       string    `col:"metric" doc:"key of the metric"`
	Version      string    `col:"metric_version" doc:"fingerprint of the metric's meaning"`
	Step         *int64    `col:"step" doc:"step of a funnel, from 1; null elsewhere"`
	Split        *string   `col:"split" doc:"value of the property of split_by; null elsewhere"`
	Segment      string    `col:"segment" doc:"attribute, or overall"`
	SegmentValue string    `col:"segment_value" doc:"value of the attribute, (none), (other), or all"`
	Variation    string    `col:"variation" doc:"key of the variation"`
	ComparedTo   *string   `col:"compared_to" doc:"key of the variation that the effect is against; null on the baseline's own row"`

	Exposed        int64    `col:"exposed" doc:"exposed units"`
	Units          int64    `col:"units" doc:"units that the statistic is over"`
	UnitsWithEvent int64    `col:"units_with_event" doc:"of these, units with at least one row that counts (a ratio: of its numerator)"`
	Events         int64    `col:"events" doc:"rows that count (a ratio: of its numerator)"`
	Total          *float64 `col:"total" doc:"sum of the per-unit values (a ratio: of its numerator)"`
	Mean           *float64 `col:"mean" doc:"total per unit; for a ratio numerator per denominator"`
	StdDev         *float64 `col:"std_dev" doc:"standard deviation of the per-unit values (a ratio: of its linearised unit values)"`
	Numerator      *float64 `col:"numerator" doc:"sum of a ratio's numerator"`
	Denominator    *float64 `col:"denominator" doc:"sum of a ratio's denominator"`

	AbsoluteEffect          *float64 `col:"absolute_effect" doc:"mean less the mean of compared_to"`
	AbsoluteLow             *float64 `col:"absolute_low" doc:"lower end of the effect's confidence interval"`
	AbsoluteHigh            *float64 `col:"absolute_high" doc:"upper end of the effect's confidence interval"`
	RelativeEffect          *float64 `col:"relative_effect" doc:"absolute_effect as a share of the absolute mean of compared_to"`
	RelativeLow             *float64 `col:"relative_low" doc:"lower end of the relative effect's confidence interval"`
	RelativeHigh            *float64 `col:"relative_high" doc:"upper end of the relative effect's confidence interval"`
	PValue                  *float64 `col:"p_value" doc:"p-value of the absolute effect"`
	PValueAdjusted          *float64 `col:"p_value_adjusted" doc:"p-value after correction for several comparisons"`
	AbsoluteLowAdjusted     *float64 `col:"absolute_low_adjusted" doc:"absolute_low after correction"`
	AbsoluteHighAdjusted    *float64 `col:"absolute_high_adjusted" doc:"absolute_high after correction"`
	Significant             *bool    `col:"significant" doc:"whether the p-value, or where there is one the adjusted p-value, is below alpha"`
	ChanceToWin             *float64 `col:"chance_to_win" doc:"posterior probability that the variation is better"`
	ExpectedLoss            *float64 `col:"expected_loss" doc:"by how much the variation is expected to be worse, counting 0 where it is better: what choosing it costs on average"`
	CredibleLow             *float64 `col:"credible_low" doc:"lower end of the absolute effect's credible interval, at 1 - alpha"`
	CredibleHigh            *float64 `col:"credible_high" doc:"upper end of the absolute effect's credible interval"`
	Margin                  *float64 `col:"margin" doc:"of a guardrail with a margin: the worst absolute effect that it allows"`
	MarginPValue            *float64 `col:"margin_p_value" doc:"one-sided p-value that the variation is not better than the margin"`
	NonInferior             *bool    `col:"non_inferior" doc:"whether margin_p_value is below alpha: the variation is not worse by the margin"`
	BootstrapLow            *float64 `col:"bootstrap_low" doc:"lower end of the absolute effect's interval by bootstrap, where one was asked for"`
	BootstrapHigh           *float64 `col:"bootstrap_high" doc:"upper end of it"`
	BootstrapRelativeLow    *float64 `col:"bootstrap_relative_low" doc:"lower end of the relative effect's interval by bootstrap"`
	BootstrapRelativeHigh   *float64 `col:"bootstrap_relative_high" doc:"upper end of it"`
	VarianceReduction       *float64 `col:"variance_reduction" doc:"share of the variance that covariates and strata took away"`
	Method                  string   `col:"method" doc:"the test and the interval"`
	Alpha                   float64  `col:"alpha" doc:"significance level"`
	MinimumDetectableEffect *float64 `col:"minimum_detectable_effect" doc:"relative effect that would be found with the planned power"`
	Status                  string   `col:"status" doc:"ok, or a stable code for what stood in the way"`
	Warnings                []string `col:"warnings" doc:"codes of what a reader should know about the row"`
	Reason                  *string  `col:"reason" doc:"the status in a sentence"`
}

// MomentRow is one row of the table moments: experiment × metric × step ×
// split × segment value × variation. Sums are exact decimal text.
type MomentRow struct {
	RunID        string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf         time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment   string    `col:"experiment" doc:"key of the experiment"`
	Metric       string    `col:"metric" doc:"key of the metric"`
	Version      string    `col:"metric_version" doc:"fingerprint of the metric's meaning"`
	Kind         string    `col:"kind" doc:"mean, ratio or quantile"`
	Step         *int64    `col:"step" doc:"step of a funnel, from 1; null elsewhere"`
	Split        *string   `col:"split" doc:"value of the property of split_by; null elsewhere"`
	Segment      string    `col:"segment" doc:"attribute, or overall"`
	SegmentValue string    `col:"segment_value" doc:"value of the attribute, (none), (other), or all"`
	Variation    string    `col:"variation" doc:"key of the variation"`
	Baseline     bool      `col:"baseline" doc:"whether the variation is the baseline"`
	Weight       *float64  `col:"weight" doc:"planned weight of the variation; null where none was planned, or one in each phase"`

	Exposed   int64  `col:"exposed" doc:"exposed units"`
	Units     int64  `col:"units" doc:"units that the sums are over"`
	WithEvent int64  `col:"units_with_event" doc:"units with at least one row that counts"`
	Events    int64  `col:"events" doc:"rows that count"`
	Sum       string `col:"sum" doc:"sum of x, the per-unit values or a ratio's numerators"`
	SumSq     string `col:"sum_sq" doc:"sum of x squared"`

	DenSum         *string `col:"den_sum" doc:"sum of y, a ratio's denominators"`
	DenSumSq       *string `col:"den_sum_sq" doc:"sum of y squared"`
	SumDen         *string `col:"sum_den" doc:"sum of x times y"`
	PreSum         *string `col:"pre_sum" doc:"sum of p, the covariate of x before exposure"`
	PreSumSq       *string `col:"pre_sum_sq" doc:"sum of p squared"`
	SumPre         *string `col:"sum_pre" doc:"sum of x times p"`
	PreDenSum      *string `col:"pre_den_sum" doc:"sum of q, the covariate of y before exposure"`
	PreDenSumSq    *string `col:"pre_den_sum_sq" doc:"sum of q squared"`
	SumPreDen      *string `col:"sum_pre_den" doc:"sum of x times q"`
	DenSumPre      *string `col:"den_sum_pre" doc:"sum of y times p"`
	DenSumPreDen   *string `col:"den_sum_pre_den" doc:"sum of y times q"`
	PreSumPreDen   *string `col:"pre_sum_pre_den" doc:"sum of p times q"`
	UpperThreshold *string `col:"upper_threshold" doc:"upper winsorizing threshold"`
	LowerThreshold *string `col:"lower_threshold" doc:"lower winsorizing threshold"`
	Quantile       *string `col:"quantile" doc:"the quantile, between 0 and 1"`
	QuantileValue  *string `col:"quantile_value" doc:"the quantile of the values"`
	QuantileLower  *string `col:"quantile_lower" doc:"lower bound of the quantile"`
	QuantileUpper  *string `col:"quantile_upper" doc:"upper bound of the quantile"`
	QuantileN      *int64  `col:"quantile_n" doc:"number of values that the quantile is of"`

	Role               string     `col:"role" doc:"primary, secondary or guardrail"`
	Better             string     `col:"better" doc:"higher or lower"`
	Margin             *string    `col:"margin" doc:"margin of a guardrail: 2%, 2pp, or a number in the metric's unit"`
	ComparedTo         []string   `col:"compared_to" doc:"keys of the variations that this one is compared to"`
	Strata             *string    `col:"strata" doc:"what the comparison is post-stratified by, as JSON: a list of {stratum, phase, weight, exposed, units, sums}; null where it is not"`
	Analysis           string     `col:"analysis" doc:"the metric's statistical options that are not the defaults, as YAML on one line"`
	ExperimentAnalysis string     `col:"experiment_analysis" doc:"likewise those of the experiment, which its checks and verdicts go by"`
	Looks              *string    `col:"looks" doc:"where a group-sequential design stands, as JSON: {units, times} of the looks so far, or {untested: why there is none now}"`
	End                *time.Time `col:"end" doc:"planned end of the experiment, exclusive; null where it has none"`
	Warnings           []string   `col:"warnings" doc:"codes of what a reader should know about the sums"`
	FailedChecks       []string   `col:"failed_checks" doc:"checks of the table health that make the experiment invalid"`
	NotComputed        []string   `col:"not_computed" doc:"primary metrics and guardrails of the experiment that the run computed nothing of: role and key"`
}

// MomentLooks is where a group-sequential design stands, as a row of moments says it.
type MomentLooks struct {
	// Units are those of all variations at each look so far, Times the shares of the time
	// from start to end.
	Units []int64   `json:"units,omitempty"`
	Times []float64 `json:"times,omitempty"`
	// Untested says why there is no look now; empty where there is one.
	Untested string `json:"untested,omitempty"`
}

// MomentStratum is one of the strata of a row of the table moments.
type MomentStratum struct {
	// Name is the value of the segments that the metric is stratified by; empty where
	// the phases alone are strata.
	Name string `json:"stratum"`
	// Phase is the phase of the experiment, from 1, and Weight the planned weight of the
	// variation in it; 0 and empty where the experiment has none.
	Phase   int    `json:"phase,omitempty"`
	Weight  string `json:"weight,omitempty"`
	Exposed int64  `json:"exposed"`
	Units   int64  `json:"units"`
	// Sums are exact, by the columns of the table.
	Sums map[string]string `json:"sums,omitempty"`
}

// ExposureRow is one row of the table exposures: experiment × variation ×
// segment value × date of exposure. All its columns are about the units that
// were exposed on that date.
type ExposureRow struct {
	RunID             string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf              time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment        string    `col:"experiment" doc:"key of the experiment"`
	Variation         string    `col:"variation" doc:"key of the variation of the exposure"`
	Segment           string    `col:"segment" doc:"attribute, or overall"`
	SegmentValue      string    `col:"segment_value" doc:"value of the attribute, (none), (other), or all"`
	Date              Date      `col:"date" doc:"UTC date of the exposure"`
	Units             int64     `col:"units" doc:"units exposed on the date, after all exclusions"`
	CumulativeUnits   int64     `col:"cumulative_units" doc:"units exposed up to the end of the date"`
	Impressions       int64     `col:"impressions" doc:"impressions that these units had in the experiment up to as_of"`
	SeveralVariations int64     `col:"units_in_several_variations" doc:"units first exposed on the date that saw two or more variations, whatever became of them"`
}

// HealthStatus is the outcome of a check.
type HealthStatus string

// The outcomes of a check.
const (
	Pass HealthStatus = "pass"
	Warn HealthStatus = "warn"
	Fail HealthStatus = "fail"
)

// HealthRow is one row of the table health: experiment × check × segment value.
type HealthRow struct {
	RunID        string       `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf         time.Time    `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment   string       `col:"experiment" doc:"key of the experiment; empty for a check of a source"`
	Check        string       `col:"check" doc:"what was checked"`
	Segment      string       `col:"segment" doc:"attribute, overall, or source"`
	SegmentValue string       `col:"segment_value" doc:"value of the attribute, all, or the source's name"`
	Status       HealthStatus `col:"status" doc:"pass, warn or fail"`
	Statistic    *float64     `col:"statistic" doc:"the statistic or the count"`
	PValue       *float64     `col:"p_value" doc:"p-value, where the check is a test"`
	Threshold    *float64     `col:"threshold" doc:"the limit that the check compares with"`
	Detail       string       `col:"detail" doc:"the finding in a sentence"`
}

// WaterfallRow is one row of the table waterfall: experiment × metric × part ×
// place × variation. Each says how many rows and units are left after a step.
type WaterfallRow struct {
	RunID      string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf       time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment string    `col:"experiment" doc:"key of the experiment"`
	Metric     string    `col:"metric" doc:"key of the metric"`
	Part       string    `col:"part" doc:"exposures, events, numerator, denominator, or step and its number"`
	Place      int64     `col:"place" doc:"position of the step in its part, from 1"`
	Step       string    `col:"step" doc:"stable code of why rows are lost at the step; in_files and not_read before, at the end counted, and capped for those of units whose number is capped"`
	Variation  *string   `col:"variation" doc:"key of the variation of the unit's exposure; null before the unit is known to have one"`
	Rows       int64     `col:"rows" doc:"rows that are left after the step"`
	Units      *int64    `col:"units" doc:"units with such rows; null where only footers were read"`
	Detail     string    `col:"detail" doc:"what the rows are that are left"`
}

// ErrorRow is one row of the table errors: what could not be computed.
type ErrorRow struct {
	RunID      string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf       time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment string    `col:"experiment" doc:"key of the experiment"`
	Metric     *string   `col:"metric" doc:"key of the metric; null where the whole experiment failed"`
	Code       string    `col:"code" doc:"stable code, e.g. overflow"`
	Message    string    `col:"message" doc:"what went wrong"`
	Hint       *string   `col:"hint" doc:"how to mend it"`
}

// MetricRow is the definition of one metric.
type MetricRow struct {
	RunID       string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf        time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Key         string    `col:"metric" doc:"key of the metric"`
	Name        *string   `col:"name" doc:"name for people"`
	Description *string   `col:"description" doc:"what it means"`
	Tags        []string  `col:"tags" doc:"words to find it by"`
	Maintainer  *string   `col:"maintainer" doc:"who to ask"`
	Event       *string   `col:"event" doc:"event keys, comma separated; null for ratios and funnels"`
	Kind        string    `col:"kind" doc:"the measure, or ratio, or funnel"`
	Better      string    `col:"better" doc:"higher or lower"`
	UnitLabel   *string   `col:"unit_label" doc:"unit of the values"`
	Format      *string   `col:"format" doc:"percent, currency, duration or number"`
	Definition  string    `col:"definition" doc:"canonical YAML"`
	Version     string    `col:"version" doc:"fingerprint of the meaning"`
}

// ExperimentRow is the definition of one experiment.
type ExperimentRow struct {
	RunID       string     `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf        time.Time  `col:"as_of" doc:"rows at or after this instant do not exist"`
	Key         string     `col:"experiment" doc:"key of the experiment"`
	Name        *string    `col:"name" doc:"name for people"`
	Description *string    `col:"description" doc:"what it is about"`
	Tags        []string   `col:"tags" doc:"words to find it by"`
	Maintainer  *string    `col:"maintainer" doc:"who to ask"`
	Flag        string     `col:"flag" doc:"key of the feature flag"`
	Rule        string     `col:"rule" doc:"test, rollout or personalize"`
	Unit        string     `col:"unit" doc:"unit kind that is randomised"`
	Start       time.Time  `col:"start" doc:"first instant of impressions"`
	End         *time.Time `col:"end" doc:"end of impressions, exclusive; null while running"`
	Definition  string     `col:"definition" doc:"canonical YAML"`
	Version     string     `col:"version" doc:"fingerprint of the meaning"`
}

// VariationRow is the definition of one variation.
type VariationRow struct {
	RunID      string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf       time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment string    `col:"experiment" doc:"key of the experiment"`
	Key        string    `col:"variation" doc:"key of the variation"`
	Name       *string   `col:"name" doc:"name for people"`
	Weight     *float64  `col:"weight" doc:"planned weight; null where none was planned, or one in each phase"`
	Baseline   bool      `col:"baseline" doc:"whether the others are compared with it"`
}

// RunRow is the commit mark of a run.
type RunRow struct {
	RunID            string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf             time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Version          string    `col:"version" doc:"version of metricsjob"`
	SchemaVersion    string    `col:"schema_version" doc:"version of the result tables' contract"`
	Started          time.Time `col:"started" doc:"when the run began"`
	Now              time.Time `col:"now" doc:"the clock that the run went by"`
	Seconds          float64   `col:"seconds" doc:"duration of the run"`
	DefinitionDigest string    `col:"definition_digest" doc:"SHA-256 of the definitions"`
	InputFiles       int64     `col:"input_files" doc:"files read"`
	InputRows        int64     `col:"input_rows" doc:"rows of these files"`
	InputBytes       int64     `col:"input_bytes" doc:"bytes of these files"`
	PeakMemory       int64     `col:"peak_memory" doc:"largest resident memory, in bytes"`
	Engine           string    `col:"engine" doc:"name and version of the SQL engine"`
	Outcome          string    `col:"outcome" doc:"done, done_with_errors, or unchanged"`
}

// Date is a UTC date, as the midnight at which it begins.
type Date struct{ time.Time }

// String gives the date as 2006-01-02.
func (d Date) String() string { return d.Format(time.DateOnly) }

// ColumnType is the type of a column of a result table.
type ColumnType string

// The types of columns.
const (
	ColText      ColumnType = "text"
	ColTextList  ColumnType = "text[]"
	ColInteger   ColumnType = "integer"
	ColFloat     ColumnType = "float"
	ColBoolean   ColumnType = "boolean"
	ColTimestamp ColumnType = "timestamp"
	ColDate      ColumnType = "date"
	// ColReasons is a list of the grounds of a verdict, each a struct.
	ColReasons ColumnType = "struct[]"
)

// Column describes a column of a result table.
type Column struct {
	Name     string
	Type     ColumnType
	Nullable bool
	Doc      string
}

// Table is a result table as exporters see it: a cell is a string, []string,
// int64, float64, bool, time.Time (timestamp), Date, Reasons, or nil for null.
type Table struct {
	Name string
	// Grain says what one row is about.
	Grain string
	// PerExperiment reports whether the table has a column experiment and is
	// stored by experiment.
	PerExperiment bool
	Columns       []Column
	Rows          [][]any
}

// All gives every table in the order of the contract, empty ones included.
func (t *Tables) All() []Table {
	out := make([]Table, len(tables))
	for i, of := range tables {
		out[i] = of.table(t)
	}
	return out
}

// Table gives the table with the name; ok is false where there is none.
func (t *Tables) Table(name string) (table Table, ok bool) {
	for _, of := range tables {
		if of.name == name {
			return of.table(t), true
		}
	}
	return Table{}, false
}

// tables are those of the contract, in its order.
var tables = []tableRows{
	rowsOf("results", "experiment × metric × step × split × segment value × variation × compared_to", func(t *Tables) []ResultRow { return t.Results }),
	rowsOf("moments", "experiment × metric × step × split × segment value × variation", func(t *Tables) []MomentRow { return t.Moments }),
	rowsOf("exposures", "experiment × variation × segment value × date", func(t *Tables) []ExposureRow { return t.Exposures }),
	rowsOf("health", "experiment × check × segment value", func(t *Tables) []HealthRow { return t.Health }),
	rowsOf("verdicts", "experiment × variation", func(t *Tables) []VerdictRow { return t.Verdicts }),
	rowsOf("waterfall", "experiment × metric × part × place × variation, of a run that was asked for it", func(t *Tables) []WaterfallRow { return t.Waterfall }),
	rowsOf("errors", "experiment × metric that could not be computed", func(t *Tables) []ErrorRow { return t.Errors }),
	rowsOf("metrics", "metric", func(t *Tables) []MetricRow { return t.Metrics }),
	rowsOf("experiments", "experiment", func(t *Tables) []ExperimentRow { return t.Experiments }),
	rowsOf("variations", "experiment × variation", func(t *Tables) []VariationRow { return t.Variations }),
	rowsOf("runs", "run", func(t *Tables) []RunRow { return t.Runs }),
}

// tableRows is a table by its name.
type tableRows struct {
	name  string
	table func(*Tables) Table
}

func rowsOf[T any](name, grain string, rows func(*Tables) []T) tableRows {
	return tableRows{name, func(t *Tables) Table { return tableOf(name, grain, rows(t)) }}
}

// Column gives the index of the column with the name, or -1.
func (t Table) Column(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

func tableOf[T any](name, grain string, rows []T) Table {
	typ := reflect.TypeFor[T]()
	t := Table{Name: name, Grain: grain}
	for i := range typ.NumField() {
		f := typ.Field(i)
		ct, nullable := columnType(f.Type)
		t.Columns = append(t.Columns, Column{f.Tag.Get("col"), ct, nullable, f.Tag.Get("doc")})
	}
	t.PerExperiment = t.Column("experiment") >= 0
	for _, r := range rows {
		v := reflect.ValueOf(r)
		cells := make([]any, v.NumField())
		for i := range cells {
			cells[i] = cell(v.Field(i))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func columnType(t reflect.Type) (ColumnType, bool) {
	if t.Kind() == reflect.Pointer {
		ct, _ := columnType(t.Elem())
		return ct, true
	}
	switch t {
	case reflect.TypeFor[time.Time]():
		return ColTimestamp, false
	case reflect.TypeFor[Date]():
		return ColDate, false
	case reflect.TypeFor[[]string]():
		return ColTextList, false
	case reflect.TypeFor[Reasons]():
		return ColReasons, false
	}
	switch t.Kind() {
	case reflect.String:
		return ColText, false
	case reflect.Int64:
		return ColInteger, false
	case reflect.Float64:
		return ColFloat, false
	case reflect.Bool:
		return ColBoolean, false
	}
	panic(fmt.Sprintf("metrics: no column type for %v", t))
}

func cell(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time, Date, []string, Reasons:
		return x
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int64:
		return v.Int()
	case reflect.Float64:
		return v.Float()
	case reflect.Bool:
		return v.Bool()
	}
	panic(fmt.Sprintf("metrics: no cell for %v", v.Type()))
}
