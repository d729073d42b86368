package metrics

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

var analysisObject = &object[Analysis]{
	name: "analysis",
	doc:  "statistical options",
	fields: []field[Analysis]{
		row("test", oneOf("welch", "z", "student", "pearson", "g"), func(a *Analysis) *At[string] { return &a.Test }, "the test of the difference; default welch"),
		row("exact", oneOf("barnard", "fisher", "boschloo"), func(a *Analysis) *At[string] { return &a.Exact }, "the exact test for small counts of 0/1 metrics; default barnard"),
		row("exact_below", integer(0, 1_000_000), func(a *Analysis) *At[int] { return &a.ExactBelow }, "the exact test is used with fewer units per variation than this; default 0").
			shown("30"),
		row("alternative", oneOf("two_sided", "greater", "less"), func(a *Analysis) *At[string] { return &a.Alternative }, "a greater or smaller value, not a better one; default two_sided"),
		row("alpha", share, func(a *Analysis) *At[Number] { return &a.Alpha }, "the significance level; default 0.05").shown("0.05", "5%"),
		row("power", share, func(a *Analysis) *At[Number] { return &a.Power }, "the power for sample sizes; default 0.8").shown("0.8"),
		row("relative_interval", oneOf("delta", "log", "fieller"), func(a *Analysis) *At[string] { return &a.RelativeInterval }, "the interval of the relative effect; default delta"),
		row("peeking", located(peeking), func(a *Analysis) *At[Peeking] { return &a.Peeking }, "how often results may be looked at: fixed (default), or a sequential method").
			shown("always_valid", "{method: group, looks: 4}"),
		row("bayesian", located(bayesian), func(a *Analysis) *At[Bayesian] { return &a.Bayesian }, "the prior of the Bayesian columns, or off; default flat").
			shown("{prior: {mean: 0, sd: 0.3, of: relative}}"),
		row("correction", located(correction), func(a *Analysis) *At[Correction] { return &a.Correction }, "the correction for several comparisons; default none").
			shown("holm", "{method: holm, over: [metrics, variations]}"),
		row("sample_ratio", alarm("sample_ratio", "the p-value below which the sample ratio is an alarm", "{alarm: 0.001}"),
			func(a *Analysis) *At[Number] { return &a.SampleRatioAlarm }, "when the sample ratio is an alarm; default {alarm: 0.001}").shown("{alarm: 0.001}"),
		row("several_variations", alarm("several_variations", "the share of units above which it is an alarm", "{alarm: 1%}"),
			func(a *Analysis) *At[Number] { return &a.SeveralVariations }, "when units in several variations are an alarm; default {alarm: 1%}").shown("{alarm: 1%}"),
		row("stratify", located(stratify), func(a *Analysis) *At[[]string] { return &a.Stratify }, "the segments to post-stratify by").shown("[country]"),
		row("cuped", located(cuped), func(a *Analysis) *At[CUPED] { return &a.CUPED }, "the covariate adjustment: off, or the days before exposure: {days: 14}").shown("{days: 14}"),
		row("minimum_effect", share, func(a *Analysis) *At[Number] { return &a.MinimumEffect }, "the relative effect that matters, for power and verdict; default 1%").shown("0.01", "2%"),
		row("bootstrap", located(bootstrapObject.kind()), func(a *Analysis) *At[Bootstrap] { return &a.Bootstrap }, "resampling, only where asked for").shown("{resamples: 10000, seed: 1}"),
	},
	foreign: analysisWords,
	keep:    func(a *Analysis, pos diag.Pos, _ fieldSet) { a.Pos = pos },
	flow:    "{alpha: 0.05}",
}

// metricAnalysisObject is what analysis may say of a metric: not what is about the units of
// an experiment.
var metricAnalysisObject = analysisObject.without("analysis of a metric", "statistical options of one metric", "sample_ratio", "several_variations").
	speaking(analysisWords.and(ofExperiment))

// peekingDraft tells what peeking gave.
type peekingDraft struct {
	method, spending At[string]
	tunedAt, looks   At[int]
	power            At[Number]
}

var peekingObject = &object[peekingDraft]{
	name: "peeking",
	doc:  "a sequential method with its settings",
	fields: []field[peekingDraft]{
		row("method", oneOf("fixed", "always_valid", "msprt", "group"), func(p *peekingDraft) *At[string] { return &p.method }, "the method").needed("always_valid"),
		row("tuned_at", integer(1, 1_000_000_000), func(p *peekingDraft) *At[int] { return &p.tunedAt }, "with always_valid and msprt: the number of units at which it is tightest").
			shown("5000"),
		row("looks", integer(2, 1000), func(p *peekingDraft) *At[int] { return &p.looks }, "with group: how many looks are planned").shown("4"),
		row("spending", oneOf("obrien_fleming", "pocock", "power"), func(p *peekingDraft) *At[string] { return &p.spending }, "with group: how alpha is spent"),
		row("power", positive, func(p *peekingDraft) *At[Number] { return &p.power }, "with spending: power: the exponent k of alpha·t^k").shown("2"),
	},
	flow: "{method: always_valid, tuned_at: 5000}",
}

var peeking = either(
	convert(oneOf("fixed", "always_valid", "msprt"), func(m At[string]) Peeking { return Peeking{Method: m.V} }),
	convert(refine(peekingObject.kind(), func(d *decoder, n *yaml.Node, p peekingDraft) bool {
		method := p.method.V
		switch {
		case !p.method.Set:
			return false
		case p.tunedAt.Set && method != "always_valid" && method != "msprt":
			d.diags.Errorf(p.tunedAt.Pos, "conflict", "tuned_at goes with always_valid and msprt, not with %s", method).
				WithHint("leave it out, or write method: always_valid")
		case p.looks.Set && method != "group":
			d.diags.Errorf(p.looks.Pos, "conflict", "looks goes with group, not with %s", method).
				WithHint("leave it out, or write method: group")
		case p.spending.Set && method != "group":
			d.diags.Errorf(p.spending.Pos, "conflict", "spending goes with group, not with %s", method).
				WithHint("leave it out, or write method: group")
		case p.power.Set && p.spending.V != "power":
			d.diags.Errorf(p.power.Pos, "conflict", "power goes with spending: power").
				WithHint("leave it out, or write spending: power")
		case p.spending.V == "power" && !p.power.Set:
			d.diags.Errorf(p.spending.Pos, "missing-field", "spending: power has no exponent").WithHint("write power: 2")
		case method == "group" && !p.looks.Set:
			d.errorf(n, "missing-field", "peeking by group has no looks").WithHint("write looks: 4")
		default:
			return true
		}
		return false
	}), func(p peekingDraft) Peeking {
		return Peeking{Method: p.method.V, TunedAt: p.tunedAt.V, Looks: p.looks.V, Spending: p.spending.V, Power: p.power.V}
	}),
	"fixed, or a method such as {method: always_valid, tuned_at: 5000}",
)

// priorDraft tells what a prior gave.
type priorDraft struct {
	mean, sd At[Number]
	of       At[string]
}

var priorObject = &object[priorDraft]{
	name: "prior",
	doc:  "a normal prior of the effect",
	fields: []field[priorDraft]{
		row("mean", number, func(p *priorDraft) *At[Number] { return &p.mean }, "its mean").needed("0"),
		row("sd", positive, func(p *priorDraft) *At[Number] { return &p.sd }, "its standard deviation").needed("0.3"),
		row("of", oneOf("relative", "absolute"), func(p *priorDraft) *At[string] { return &p.of }, "the effect that it is of; default relative"),
	},
	foreign: vocabulary{"stddev": ours("sd"), "std_dev": ours("sd"), "variance": hint("sd", "write the standard deviation: sd")},
	flow:    "{mean: 0, sd: 0.3, of: relative}",
}

var bayesianObject = &object[Bayesian]{
	name: "bayesian",
	doc:  "the prior of the effect",
	fields: []field[Bayesian]{
		row("prior", either(
			convert(oneOf("flat"), func(At[string]) Bayesian { return Bayesian{Flat: true} }),
			convert(priorObject.kind(), func(p priorDraft) Bayesian {
				return Bayesian{Mean: p.mean.V, SD: p.sd.V, Relative: p.of.V != "absolute"}
			}),
			"flat, or {mean: 0, sd: 0.3, of: relative}",
		), func(b *Bayesian) *Bayesian { return b }, "flat, or a normal prior: {mean: 0, sd: 0.3, of: relative}").needed("flat"),
	},
	flow: "{prior: flat}",
}

var bayesian = either(
	convert(oneOf("off"), func(At[string]) Bayesian { return Bayesian{Off: true} }),
	bayesianObject.kind(),
	"off, or a prior such as {prior: flat}",
)

// correctionMethods are the corrections for several comparisons.
var correctionMethods = []string{
	"none", "bonferroni", "sidak", "holm", "holm_sidak", "hochberg", "hommel", "benjamini_hochberg", "benjamini_yekutieli",
}

var correctionObject = &object[Correction]{
	name: "correction",
	doc:  "a correction, and which comparisons are one family",
	fields: []field[Correction]{
		row("method", bare(oneOf(correctionMethods...)), func(c *Correction) *string { return &c.Method }, "the correction").needed("holm"),
		row("over", distinct(listOf(bare(oneOf("metrics", "variations", "segments")), "a list of metrics, variations, segments")),
			func(c *Correction) *[]string { return &c.Over }, "what makes several comparisons: metrics, variations, segments").shown("[metrics, variations]"),
		row("roles", distinct(listOf(correctionRole, "a list of primary, secondary, guardrails")),
			func(c *Correction) *[]Role { return &c.Roles }, "the metrics that are corrected, by role").shown("[primary]"),
	},
	foreign: vocabulary{"type": ours("method"), "family": ours("over")},
	flow:    "{method: holm, over: [metrics, variations]}",
}

var correctionRole = convert(oneOf("primary", "secondary", "guardrails"), func(r At[string]) Role {
	if r.V == "guardrails" {
		return Guardrail
	}
	return Role(r.V)
})

var correction = either(
	convert(oneOf(correctionMethods...), func(m At[string]) Correction { return Correction{Method: m.V} }),
	refine(correctionObject.kind(), func(d *decoder, n *yaml.Node, c Correction) bool {
		if c.Method == "none" && len(c.Over)+len(c.Roles) > 0 {
			d.diags.Warnf(d.pos(n), "no-effect", "over and roles change nothing in correction: its method is none").
				WithHint("write the method that is to correct, such as holm, or leave them out")
		}
		return true
	}),
	listing(correctionMethods)+", or {method: holm, over: […]}",
)

// alarm is a mapping with the limit of an alarm.
func alarm(name, doc, flow string) kind[At[Number]] {
	o := &object[At[Number]]{
		name:    name,
		doc:     doc,
		fields:  []field[At[Number]]{row("alarm", share, func(n *At[Number]) *At[Number] { return n }, doc).needed(flow[len("{alarm: ") : len(flow)-1])},
		foreign: vocabulary{"threshold": ours("alarm"), "limit": ours("alarm"), "alpha": ours("alarm")},
		flow:    flow,
	}
	return o.kind()
}

// stratify is a list of segments, which may be empty.
var stratify = orEmpty(distinct(listOf(bare(text), "a list of segments")))

var cupedObject = &object[CUPED]{
	name: "cuped",
	doc:  "the covariate adjustment by the same metric before exposure",
	fields: []field[CUPED]{
		row("days", bare(integer(1, 3650)), func(c *CUPED) *int { return &c.Days }, "how many days before the exposure are read").needed("14"),
	},
	foreign: vocabulary{"window": ours("days"), "lookback": ours("days"), "lookback_days": ours("days")},
	flow:    "{days: 14}",
}

var cuped = either(
	convert(oneOf("off"), func(At[string]) CUPED { return CUPED{} }),
	cupedObject.kind(),
	"off, or {days: 14}",
)

var bootstrapObject = &object[Bootstrap]{
	name: "bootstrap",
	doc:  "resampling with a fixed seed",
	fields: []field[Bootstrap]{
		row("resamples", bare(integer(100, 1_000_000)), func(b *Bootstrap) *int { return &b.Resamples }, "how many resamples").needed("10000"),
		row("seed", bare(integer(0, 1<<31-1)), func(b *Bootstrap) *int { return &b.Seed }, "the seed").needed("1"),
	},
	foreign: vocabulary{"iterations": ours("resamples"), "samples": ours("resamples"), "n": ours("resamples")},
	flow:    "{resamples: 10000, seed: 1}",
}

// distinct refuses a list in which something stands twice.
func distinct[T ~string](k kind[[]T]) kind[[]T] {
	return refine(k.saying(member{"uniqueItems", true}), func(d *decoder, n *yaml.Node, vs []T) bool {
		for i, v := range vs {
			if at := slices.Index(vs, v); at < i {
				d.errorf(n.Content[i], "duplicate-name", "%s is listed twice in %s", quoted(string(v)), d.subject()).
					WithHint("leave one of them out")
				return false
			}
		}
		return true
	})
}
