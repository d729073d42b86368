package metrics

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// metricDefinition writes a metric as canonical YAML. What like and defaults
// gave stands in its place, in inline sides too.
func metricDefinition(m *metricDraft) string {
	root := given(metricObject, m.given)
	pairs(root, func(k, v *yaml.Node) {
		if k.Value != "ratio" {
			return
		}
		for i := 0; i+1 < len(v.Content); i += 2 {
			for name, side := range map[string]sideDraft{"numerator": m.ratio.numerator, "denominator": m.ratio.denominator} {
				if v.Content[i].Value == name && side.body != nil {
					v.Content[i+1] = given(sideObject, side.body.given)
				}
			}
		}
	})
	metricObject.canon(root)
	return yamlText(root)
}

// experimentDefinition writes an experiment as canonical YAML.
func experimentDefinition(e *experimentDraft) string {
	root := given(experimentObject, e.given)
	experimentObject.canon(root)
	return yamlText(root)
}

// given is a mapping of what was given, in the order of the table.
func given[T any](o *object[T], fields fieldSet) *yaml.Node {
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, f := range o.fields {
		if g, ok := fields[f.name]; ok && f.name != "like" {
			root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.name}, plainNode(g.value))
		}
	}
	return root
}

// yamlText writes a mapping as YAML, in the encoder's own style.
func yamlText(root *yaml.Node) string {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(plainNode(root)); err != nil {
		panic("metrics: canonical YAML: " + err.Error())
	}
	if err := e.Close(); err != nil {
		panic("metrics: canonical YAML: " + err.Error())
	}
	return b.String()
}

// plainNode is a copy of a node without comments and style.
func plainNode(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	for _, c := range n.Content {
		out.Content = append(out.Content, plainNode(c))
	}
	return out
}
