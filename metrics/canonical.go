package metrics

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// definitionOf writes an object as canonical YAML: what like and defaults gave
// in its place, keys in the order of the tables, no comments, one style.
func definitionOf[T any](o *object[T], given fieldSet) string {
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, f := range o.fields {
		if g, ok := given[f.name]; ok && f.name != "like" {
			root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.name}, plainNode(g.value))
		}
	}
	o.canon(root)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
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
