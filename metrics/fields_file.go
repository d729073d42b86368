package metrics

import "github.com/metricsjob/metricsjob/internal/diag"

// fileDraft is what one file says.
type fileDraft struct {
	version     At[int]
	sources     sourcesDraft
	registry    registryDraft
	metrics     []metricDraft
	groups      []entry[[]Text]
	experiments []experimentDraft
	defaults    defaultsDraft
	output      []Text
	state       Text

	pos   diag.Pos
	given fieldSet
}

// defaultsDraft is the block defaults.
type defaultsDraft struct {
	metric     metricDraft
	experiment experimentDraft
	analysis   Analysis
	pos        diag.Pos
	given      fieldSet
}

var defaultsObject = &object[defaultsDraft]{
	name: "defaults",
	doc:  "what holds where metrics and experiments say nothing; in one file only",
	fields: []field[defaultsDraft]{
		row("metric", defaultMetricObject.kind(), func(v *defaultsDraft) *metricDraft { return &v.metric }, defaultMetricObject.doc),
		row("experiment", defaultExperimentObject.kind(), func(v *defaultsDraft) *experimentDraft { return &v.experiment }, defaultExperimentObject.doc),
		row("analysis", analysisObject.kind(), func(v *defaultsDraft) *Analysis { return &v.analysis }, "statistical options for everything"),
	},
	foreign: vocabulary{"metrics": ours("metric"), "experiments": ours("experiment"), "statistics": ours("analysis"), "stats": ours("analysis")},
	keep:    func(v *defaultsDraft, pos diag.Pos, given fieldSet) { v.pos, v.given = pos, given },
	flow:    "{metric: {window: 72h}}",
}

// fileObject is a whole file.
var fileObject = &object[fileDraft]{
	name: "file",
	doc:  "Sources, events, metrics and experiments of metricsjob.",
	fields: []field[fileDraft]{
		row("version", version, func(f *fileDraft) *At[int] { return &f.version }, "the version of the language: 1").needed("1"),
		row("sources", sourcesObject.kind(), func(f *fileDraft) *sourcesDraft { return &f.sources }, sourcesObject.doc),
		row("events", registryObject.kind(), func(f *fileDraft) *registryDraft { return &f.registry }, registryObject.doc),
		row("metrics", orEmpty(listOf(metricObject.kind(), "a list of metrics")), func(f *fileDraft) *[]metricDraft { return &f.metrics }, "what is measured").
			shown("[{key: purchase_rate, event: purchase, measure: occurrence, better: higher}]"),
		row("metric_groups", orEmpty(mapOf(texts, "a mapping such as {core: [purchase_rate, revenue]}")), func(f *fileDraft) *[]entry[[]Text] { return &f.groups },
			"named lists of metrics; a group's name may stand wherever a metric's key may").shown("{core: [purchase_rate, revenue]}"),
		row("experiments", orEmpty(listOf(experimentObject.kind(), "a list of experiments")), func(f *fileDraft) *[]experimentDraft { return &f.experiments }, "where it is measured"),
		row("defaults", defaultsObject.kind(), func(f *fileDraft) *defaultsDraft { return &f.defaults }, defaultsObject.doc).shown("{metric: {window: 72h}, analysis: {alpha: 0.05}}"),
		row("output", oneOrMore(connection, "a folder, file or address, or a list of them"), func(f *fileDraft) *[]Text { return &f.output },
			"where results go: a folder, s3://bucket/prefix, a DuckDB file, postgres://…; as --out on the command line").shown("results", "[results, s3://bucket/results]"),
		row("state", connection, func(f *fileDraft) *Text { return &f.state }, "where a run leaves what the next one may use"),
	},
	foreign: fileWords,
	keep:    func(f *fileDraft, pos diag.Pos, given fieldSet) { f.pos, f.given = pos, given },
}
