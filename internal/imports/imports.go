// Package imports writes definitions from the files of other tools: experiments from
// their settings, metrics from their metrics. Each tool has a file that reads its
// shapes into one draft, which is written in the canonical layout of definitions.
// What the language does not say, or the file does not tell, is listed.
package imports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// Tool is a tool whose files can be imported, as the command line names it.
type Tool string

// The tools.
const (
	Eppo         Tool = "eppo"
	FlagSync     Tool = "flagsync"
	GrowthBook   Tool = "growthbook"
	LaunchDarkly Tool = "launchdarkly"
	Optimizely   Tool = "optimizely"
	Statsig      Tool = "statsig"
	VWO          Tool = "vwo"
)

// Name is what the tool is called.
func (t Tool) Name() string {
	switch t {
	case Eppo:
		return "Eppo"
	case FlagSync:
		return "FlagSync"
	case GrowthBook:
		return "GrowthBook"
	case LaunchDarkly:
		return "LaunchDarkly"
	case Optimizely:
		return "Optimizely"
	case Statsig:
		return "Statsig"
	case VWO:
		return "VWO"
	}
	panic(fmt.Sprintf("imports: no case for tool %q", t))
}

// Options are what the files do not say.
type Options struct {
	// Start is the date from which experiments count whose files do not tell it,
	// as 2026-03-02; empty: since ever.
	Start string
}

// Imported is what files of another tool say in our words.
type Imported struct {
	// Text is a definitions file in its canonical layout.
	Text string
	// Metrics and Experiments are how many there are in it.
	Metrics, Experiments int
	// Left is what could not be taken over, each with what it is about.
	Left []string
}

// reader reads one file into the draft, or says that it is of another kind.
type reader func(d *draft, r *record, o Options) (known bool)

var experimentReaders = map[Tool][]reader{
	FlagSync:     {flagSyncFlags},
	LaunchDarkly: {launchDarklyMetrics, launchDarklyFlags, launchDarklyExperiments},
	Optimizely:   {optimizelyDatafile},
	VWO:          {vwoSettings},
}

var metricReaders = map[Tool][]reader{
	Eppo:         {eppoMetrics},
	GrowthBook:   {growthBookTables, growthBookMetrics},
	LaunchDarkly: {launchDarklyMetrics},
	Statsig:      {statsigMetrics},
	VWO:          {vwoMetrics},
}

// ExperimentTools are the tools whose experiments can be imported.
func ExperimentTools() []Tool { return toolsOf(experimentReaders) }

// MetricTools are the tools whose metrics can be imported.
func MetricTools() []Tool { return toolsOf(metricReaders) }

func toolsOf(readers map[Tool][]reader) []Tool {
	var out []Tool
	for t := range readers {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// Experiments writes the experiments of files, with the metrics that the files tell.
func Experiments(t Tool, files []metrics.SourceFile, o Options) (*Imported, error) {
	d, err := read(t, experimentReaders[t], files, o)
	if err != nil {
		return nil, err
	}
	if len(d.experiments) == 0 {
		return nil, &FileError{Path: pathsOf(files), Text: "has no experiments" + because(d.left), hint: "metricsjob import metrics imports metrics alone"}
	}
	d.finishExperiments(o)
	return d.imported(t), nil
}

// Metrics writes the metrics of files.
func Metrics(t Tool, files []metrics.SourceFile) (*Imported, error) {
	d, err := read(t, metricReaders[t], files, Options{})
	if err != nil {
		return nil, err
	}
	if len(d.metrics) == 0 {
		return nil, &FileError{Path: pathsOf(files), Text: "has no metrics that can be imported" + because(d.left), hint: "give the file as the tool's API or export wrote it"}
	}
	return d.imported(t), nil
}

// read reads the files by the readers of a tool, each by the first that knows it; the
// readers are in the order in which later ones need what earlier ones found.
func read(t Tool, readers []reader, files []metrics.SourceFile, o Options) (*draft, error) {
	var records []*record
	for _, f := range files {
		r, err := parse(f)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	d := &draft{keys: map[string]bool{}, theirs: map[string]string{}, served: map[string]servedVariation{}, tables: map[string]string{}}
	known := make([]bool, len(files))
	for _, read := range readers {
		for i, r := range records {
			if !known[i] {
				known[i] = read(d, r, o)
			}
		}
		d.fit()
	}
	for i, ok := range known {
		if !ok {
			return nil, &FileError{Path: files[i].Path, Text: "is no such file of " + t.Name(), hint: records[i].shape()}
		}
	}
	if len(d.experiments) == 0 {
		for _, make := range d.otherwise {
			make()
		}
	}
	return d, nil
}

func (d *draft) imported(t Tool) *Imported {
	return &Imported{Text: d.text(t), Metrics: len(d.metrics), Experiments: len(d.experiments), Left: d.leftovers()}
}

func because(left []string) string {
	if len(left) == 0 {
		return ""
	}
	return ": " + left[0]
}

func pathsOf(files []metrics.SourceFile) string {
	var out []string
	for _, f := range files {
		out = append(out, f.Path)
	}
	return strings.Join(out, ", ")
}

func firsts(list []string, most int) []string { return list[:min(most, len(list))] }

// finishExperiments gives experiments what every one needs.
func (d *draft) finishExperiments(o Options) {
	for _, x := range d.experiments {
		if !x.has("start") {
			start := o.Start
			if start == "" {
				start = "1970-01-01"
				x.check("the file does not tell when it started; impressions count since ever")
			}
			x.set("start", start)
		}
		if !x.has("metrics") {
			x.check("the file tells no metrics; name yours")
			x.set("metrics", "{primary: ["+d.anyMetric()+"]}")
		}
	}
}

// anyMetric is the key of a metric that needs nothing but impressions, for
// experiments of which no other is known.
func (d *draft) anyMetric() string {
	const key = "impressions_per_unit"
	if !slices.ContainsFunc(d.metrics, func(m *definition) bool { return m.key == key }) {
		m := d.metric(key)
		m.check("it stands in for metrics that the file does not tell")
		m.set("event", "impression")
		m.set("measure", "count")
		m.set("better", "higher")
	}
	return key
}
