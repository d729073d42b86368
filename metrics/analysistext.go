package metrics

import (
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Text writes what differs from the defaults as YAML on one line, which
// [DecodeAnalysis] reads: {} where nothing does.
func (a Analysis) Text() string {
	t, d := &analysisText{root: flowMapping()}, DefaultAnalysis()
	t.scalar("test", a.Test.V, d.Test.V)
	t.scalar("exact", a.Exact.V, d.Exact.V)
	t.scalar("exact_below", strconv.Itoa(a.ExactBelow.V), strconv.Itoa(d.ExactBelow.V))
	t.scalar("alternative", a.Alternative.V, d.Alternative.V)
	t.scalar("alpha", string(a.Alpha.V), string(d.Alpha.V))
	t.scalar("power", string(a.Power.V), string(d.Power.V))
	t.scalar("relative_interval", a.RelativeInterval.V, d.RelativeInterval.V)
	t.node("peeking", a.Peeking.V.node(), a.Peeking.V == d.Peeking.V)
	t.node("bayesian", a.Bayesian.V.node(), a.Bayesian.V == d.Bayesian.V)
	t.node("correction", a.Correction.V.node(), reflect.DeepEqual(a.Correction.V, d.Correction.V))
	t.node("sample_ratio", alarmNode(a.SampleRatioAlarm.V), a.SampleRatioAlarm.V == d.SampleRatioAlarm.V)
	t.node("several_variations", alarmNode(a.SeveralVariations.V), a.SeveralVariations.V == d.SeveralVariations.V)
	t.node("stratify", wordsNode(a.Stratify.V), len(a.Stratify.V) == 0)
	t.node("cuped", a.CUPED.V.node(), a.CUPED.V == d.CUPED.V)
	t.scalar("minimum_effect", string(a.MinimumEffect.V), string(d.MinimumEffect.V))
	t.node("bootstrap", a.Bootstrap.V.node(), a.Bootstrap.V == d.Bootstrap.V)
	return t.String()
}

// analysisText is a mapping on one line in the making.
type analysisText struct{ root *yaml.Node }

func flowMapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle} }

func (t *analysisText) scalar(name, value, preset string) {
	t.node(name, &yaml.Node{Kind: yaml.ScalarNode, Value: value}, value == preset)
}

func (t *analysisText) node(name string, value *yaml.Node, preset bool) {
	if !preset {
		t.root.Content = append(t.root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, value)
	}
}

func (t *analysisText) String() string {
	text, err := yaml.Marshal(t.root)
	if err != nil {
		panic("metrics: options as YAML: " + err.Error())
	}
	return strings.TrimSuffix(string(text), "\n")
}

// mappingNode is a mapping of names and values in turn; empty values are left out.
func mappingNode(pairs ...string) *yaml.Node {
	t := &analysisText{root: flowMapping()}
	for i := 0; i < len(pairs); i += 2 {
		t.scalar(pairs[i], pairs[i+1], "")
	}
	return t.root
}

func wordsNode[T ~string](words []T) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, w := range words {
		n := &yaml.Node{}
		n.SetString(string(w))
		list.Content = append(list.Content, n)
	}
	return list
}

func alarmNode(alarm Number) *yaml.Node { return mappingNode("alarm", string(alarm)) }

// wholeText writes a number that is left out where it is 0.
func wholeText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (p Peeking) node() *yaml.Node {
	return mappingNode("method", p.Method, "tuned_at", wholeText(p.TunedAt), "looks", wholeText(p.Looks), "spending", p.Spending, "power", string(p.Power))
}

func (b Bayesian) node() *yaml.Node {
	if b.Off {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "off"}
	}
	t := &analysisText{root: flowMapping()}
	switch {
	case b.Flat:
		t.scalar("prior", "flat", "")
	case b.Relative:
		t.node("prior", mappingNode("mean", string(b.Mean), "sd", string(b.SD)), false)
	default:
		t.node("prior", mappingNode("mean", string(b.Mean), "sd", string(b.SD), "of", "absolute"), false)
	}
	return t.root
}

func (c Correction) node() *yaml.Node {
	t := &analysisText{root: mappingNode("method", c.Method)}
	var roles []string
	for _, r := range c.Roles {
		if r == Guardrail {
			r = "guardrails"
		}
		roles = append(roles, string(r))
	}
	t.node("over", wordsNode(c.Over), len(c.Over) == 0)
	t.node("roles", wordsNode(roles), len(roles) == 0)
	return t.root
}

func (c CUPED) node() *yaml.Node {
	if c.Days == 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "off"}
	}
	return mappingNode("days", strconv.Itoa(c.Days))
}

func (b Bootstrap) node() *yaml.Node {
	return mappingNode("resamples", strconv.Itoa(b.Resamples), "seed", strconv.Itoa(b.Seed))
}
