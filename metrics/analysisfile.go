package metrics

import (
	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// analysisFileObject is a file with nothing but the block analysis.
var analysisFileObject = &object[Analysis]{
	name: "analysis file",
	doc:  "statistical options alone",
	fields: []field[Analysis]{
		row("analysis", analysisObject.kind(), func(a *Analysis) *Analysis { return a }, "statistical options"),
	},
	flow: "{analysis: {alpha: 0.05}}",
}

// DecodeAnalysis reads the text of a file that has an analysis block alone, as
// analysis: or its options at the top, over the defaults. An empty file is the
// defaults.
func DecodeAnalysis(path string, text []byte) (Analysis, diag.List) {
	var diags diag.List
	d := newDecoder(SourceFile{Path: path, Text: text}, LoadOptions{}, &diags)
	root := d.parse(string(text))
	var own Analysis
	if root != nil {
		if hasKey(root, "analysis") {
			analysisFileObject.read(d, root, &own)
		} else {
			analysisObject.read(d, root, &own)
		}
	}
	if own.Exact.Set && own.ExactBelow.V == 0 {
		warnIdleExact(&diags, own.Exact.Pos)
	}
	a := DefaultAnalysis().Merge(own)
	if at, wrong := a.noPower(); wrong {
		a.refusePower(&diags, at)
	}
	return a, diags.Sorted()
}

func hasKey(n *yaml.Node, key string) bool {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}
