package metrics

// vocabulary is a list of words that stand in other tools' files, or in a
// neighbouring place of this language, with what to write instead. Words are
// compared in the spelling of keys.
type vocabulary map[string]word

// word is what a foreign word is here.
type word struct {
	ours string // the key that is meant; empty: there is none in this place
	text string // the hint, where it is more than the key
	// covers are further keys that are not missing where the word stands.
	covers []string
	// beside is a word with which this one makes one mistake.
	beside string
}

func ours(key string) word { return word{ours: key} }

func hint(key, text string) word { return word{ours: key, text: text} }

// covering says that the word stands for further keys too.
func (w word) covering(keys ...string) word {
	w.covers = keys
	return w
}

// with says that nothing is said of the word where the other was reported.
func (w word) with(other string) word {
	w.beside = other
	return w
}

func (w word) hint() string {
	if w.text != "" {
		return w.text
	}
	return "here it is called " + w.ours
}

func (v vocabulary) find(s string) (word, bool) {
	if w, ok := v[s]; ok {
		return w, true
	}
	w, ok := v[snake(s)]
	return w, ok
}

// and is v with the words of w over it.
func (v vocabulary) and(w vocabulary) vocabulary {
	out := vocabulary{}
	for k, x := range v {
		out[k] = x
	}
	for k, x := range w {
		out[k] = x
	}
	return out
}

// only is the part of v that means one of the keys.
func (v vocabulary) only(keys ...string) vocabulary {
	out := vocabulary{}
	for k, x := range v {
		for _, key := range keys {
			if x.ours == key {
				out[k] = x
			}
		}
	}
	return out
}

// people are words for the texts that metrics and experiments have.
var people = vocabulary{
	"label": ours("name"), "title": ours("name"), "display_name": ours("name"),
	"owner": ours("maintainer"), "owners": ours("maintainer"), "author": ours("maintainer"), "team": ours("maintainer"),
	"maintainer_id": ours("maintainer"), "labels": ours("tags"), "tag": ours("tags"),
	"id": ours("key"), "slug": ours("key"), "desc": ours("description"), "notes": ours("description"), "hypothesis": ours("description"),
}

// statisticalOptions are words that stand under analysis.
var statisticalOptions = func() vocabulary {
	out := vocabulary{}
	for _, k := range []string{
		"test", "exact", "exact_below", "alternative", "alpha", "power", "relative_interval", "peeking", "bayesian", "correction",
		"sample_ratio", "several_variations", "stratify", "cuped", "minimum_effect", "bootstrap",
	} {
		out[k] = hint("", "write it under analysis: {"+k+": …}")
	}
	out["confidence"] = hint("", "write it under analysis, as alpha: 0.05 for a confidence of 0.95")
	out["confidence_level"] = out["confidence"]
	out["sequential"] = hint("", "write it under analysis, as peeking: {method: always_valid, tuned_at: 5000}")
	out["regression_adjustment"] = hint("", "write it under analysis, as cuped: {days: 14}")
	return out
}()

// aggregation is what other tools say for two things.
var aggregation = hint("per_unit", "here it is called measure for what is taken from the rows, and per_unit for how a unit's values become one number").covering("measure")

var metricWords = people.and(statisticalOptions).and(vocabulary{
	"filters": ours("where"), "filter": ours("where"), "condition": ours("where"), "conditions": ours("where"),
	"row_filter": ours("where"), "event_properties": ours("where"),
	"sql": hint("where", "SQL is not written here: where and value are expressions over the properties of the event"),
	"agg": aggregation, "aggregation": aggregation, "aggregate": aggregation, "aggregator": aggregation,
	"unit_aggregation": aggregation, "unit_aggregation_type": aggregation,
	"desired_change": ours("better"), "desired_direction": ours("better"), "direction": ours("better"), "goal": ours("better"), "success_criteria": ours("better"),
	"winning_direction": ours("better"), "increase_or_decrease": ours("better"),
	"inverse":     hint("better", "write better: lower"),
	"type":        ours("measure"),
	"kind":        ours("measure"),
	"metric_type": ours("measure"),
	"is_numeric":  hint("measure", "write measure: value for numbers, measure: occurrence for conversions"),
	"numerator":   hint("", "write it under ratio: {numerator: …, denominator: …}").covering("event", "measure"),
	"denominator": hint("", "write it under ratio: {numerator: …, denominator: …}").covering("event", "measure").with("numerator"),
	"steps":       hint("", "write it under funnel: {steps: […]}").covering("event", "measure"),
	"cap":         ours("winsorize"), "capping": ours("winsorize"), "outliers": ours("winsorize"), "cap_value": ours("winsorize"),
	"percentile": ours("statistic"), "quantile": ours("statistic"), "analysis_type": ours("statistic"), "percentile_value": ours("statistic"),
	"event_key": ours("event"), "event_name": ours("event"), "events": ours("event"), "event_type": ours("event"), "fact_table": ours("event"),
	"column": ours("value"), "property": ours("value"), "field": ours("value"), "expression": ours("value"), "event_value": ours("value"),
	"unit": ours("unit_label"), "units": ours("unit_label"), "currency": ours("unit_label"),
	"attribution_window": ours("window"), "conversion_window": ours("window"), "window_hours": ours("window"), "window_settings": ours("window"),
	"delay":   hint("window", "write window: {from: …}"),
	"min":     hint("", "for a limit of the per-unit number write threshold: {at_least: …}"),
	"exclude": ours("units_without_events"), "include_units_without_events": ours("units_without_events"), "event_default": ours("units_without_events"),
	"exclude_units_without_events": ours("units_without_events"), "ignore_nulls": ours("units_without_events"), "default": ours("units_without_events"),
	"randomization_unit": ours("randomization_units"), "analysis_units": ours("randomization_units"), "unit_types": ours("randomization_units"),
	"dimension": ours("split_by"), "dimensions": ours("split_by"), "breakdown": ours("split_by"), "group_by": ours("split_by"),
	"cluster": ours("over"), "cluster_by": ours("over"), "session": ours("over"), "precision": ours("decimals"), "round": ours("decimals"), "scale": hint("", "a scale belongs to the event: events: {list: [{key: …, value: {scale: 0.01}}]}"),
	"extends": ours("like"), "inherits": ours("like"), "from": ours("like"), "sources": ours("source"), "dataset": ours("source"), "table": ours("source"),
})

var experimentWords = people.and(statisticalOptions).and(vocabulary{
	"variants": ours("variations"), "arms": ours("variations"), "treatments": ours("variations").with("control"), "treatment": ours("variations").with("control"), "variant": ours("variations"),
	"variation": ours("variations"), "groups": ours("variations"), "branches": ours("variations"), "cells": ours("variations"),
	"control":            hint("", "write it as one of the variations: variations: [{key: control, baseline: true}, …]").covering("variations"),
	"baseline":           hint("", "write baseline: true at one of the variations"),
	"allocation":         hint("", "write weight at each variation"),
	"traffic":            hint("", "write weight at each variation"),
	"split":              hint("", "write weight at each variation"),
	"weights":            hint("", "write weight at each variation"),
	"weight":             hint("", "write weight at each variation"),
	"coverage":           hint("", "units that were not exposed have no impressions, so no coverage is needed; shares are the weights of variations"),
	"primary":            hint("", "write it under metrics: {primary: […]}").covering("metrics"),
	"primary_metric":     hint("", "write it under metrics: {primary: […]}").covering("metrics"),
	"secondary":          hint("", "write it under metrics: {secondary: […]}").covering("metrics").with("primary"),
	"guardrails":         hint("", "write it under metrics: {guardrails: […]}").covering("metrics").with("primary"),
	"guardrail":          hint("", "write it under metrics: {guardrails: […]}").covering("metrics").with("primary"),
	"goals":              ours("metrics"),
	"flag_key":           ours("flag"),
	"feature":            ours("flag"),
	"feature_flag":       ours("flag"),
	"feature_key":        ours("flag"),
	"start_date":         ours("start"),
	"started":            ours("start"),
	"starts":             ours("start"),
	"start_time":         ours("start"),
	"started_at":         ours("start"),
	"begin":              ours("start"),
	"begins":             ours("start"),
	"since":              ours("start"),
	"date_started":       ours("start"),
	"from":               ours("start"),
	"end_date":           ours("end"),
	"ended":              ours("end"),
	"ends":               ours("end"),
	"end_time":           ours("end"),
	"ended_at":           ours("end"),
	"finish":             ours("end"),
	"stop":               ours("end"),
	"to":                 ours("end"),
	"until":              ours("end"),
	"dimensions":         ours("segments"),
	"breakdowns":         ours("segments"),
	"segment":            ours("segments"),
	"audience":           ours("where"),
	"filter":             ours("where"),
	"filters":            ours("where"),
	"type":               ours("rule"),
	"kind":               ours("rule"),
	"rule_type":          ours("rule"),
	"unit_type":          ours("unit"),
	"hash_attribute":     ours("unit"),
	"randomized_by":      ours("unit"),
	"randomize_by":       ours("unit"),
	"bucket_by":          ours("unit"),
	"tracking_key":       ours("match"),
	"trigger":            ours("activation"),
	"activation_metric":  ours("activation"),
	"mutual_exclusion":   ours("exclude_units_in"),
	"randomization_unit": ours("unit"), "randomization_units": ours("unit"),
	"sources": ours("source"), "ramp": ours("phases"), "statistics": ours("analysis"), "stats": ours("analysis"),
	"window": hint("", "a window belongs to a metric; the experiment's end of counting is observe_until"),
})

var variationWords = vocabulary{
	"control": ours("baseline"), "is_control": ours("baseline"), "is_baseline": ours("baseline"),
	"split": ours("weight"), "allocation": ours("weight"), "percentage": ours("weight"), "percent": ours("weight"), "traffic": ours("weight"), "ratio": ours("weight"),
	"value": ours("match"), "values": ours("match"), "variation": ours("match"), "variation_id": ours("match"), "matches": ours("match"),
	"id": ours("key"), "label": ours("name"), "title": ours("name"), "description": ours("name"),
}

var entryWords = vocabulary{
	"key": ours("metric"), "name": ours("metric"), "id": ours("metric"),
	"analysis":  hint("", "write the options beside metric: {metric: revenue, alpha: 0.01}"),
	"threshold": ours("margin"), "tolerance": ours("margin"), "non_inferiority": ours("margin"), "limit": ours("margin"),
	"confidence": hint("", "write alpha: 0.05 for a confidence of 0.95"),
}

// ofExperiment are options that no single metric has.
var ofExperiment = vocabulary{
	"sample_ratio":       hint("", ofExperimentHint),
	"srm":                hint("", ofExperimentHint),
	"several_variations": hint("", ofExperimentHint),
}

const ofExperimentHint = "it is about the units of an experiment, and not of one metric: write it under analysis: of the experiment, or of the file's defaults"

var analysisWords = vocabulary{
	"confidence":       hint("", "write alpha: 0.05 for a confidence of 0.95"),
	"confidence_level": hint("", "write alpha: 0.05 for a confidence of 0.95"),
	"significance":     ours("alpha"), "significance_level": ours("alpha"),
	"method": ours("test"), "sequential": ours("peeking"), "sequential_testing": ours("peeking"), "srm": ours("sample_ratio"),
	"mde": ours("minimum_effect"), "minimum_detectable_effect": ours("minimum_effect"), "multiple_testing": ours("correction"),
	"multiple_comparisons": ours("correction"), "regression_adjustment": ours("cuped"), "variance_reduction": ours("cuped"),
	"prior": hint("bayesian", "write bayesian: {prior: …}"), "sides": ours("alternative"), "tails": ours("alternative"), "strata": ours("stratify"),
}

var sourceWords = vocabulary{
	"file": ours("path"), "files": ours("path"), "folder": ours("path"), "glob": ours("path"), "url": ours("path"), "paths": ours("path"), "location": ours("path"),
	"query": ours("sql"), "filter": ours("where"), "filters": ours("where"), "mapping": ours("columns"), "fields": ours("columns"), "schema": ours("columns"),
	"key": ours("name"), "id": hint("", "write it under columns"), "type": ours("preset"), "vendor": ours("preset"), "kind": ours("preset"), "deduplicate": ours("dedupe"),
	"unnest": ours("rows"), "explode": ours("rows"), "flatten": ours("rows"), "records": ours("rows"), "list": ours("rows"),
	"units": hint("", "write it under columns"), "timestamp": hint("", "write it under columns"), "event": hint("", "write it under columns"),
	"variation": hint("", "write it under columns"), "experiment": hint("", "write it under columns"), "flag": hint("", "write it under columns"),
	"value": hint("", "write it under columns"), "properties": hint("", "write it under columns"), "attributes": hint("", "write it under columns"),
	"holdback": hint("", "write it under columns"), "weight": hint("", "write it under columns"), "partition_by": ours("partition"), "date_partition": ours("partition"),
}

var columnWords = vocabulary{
	"user": hint("units", "write units: {user: …}"), "user_id": hint("units", "write units: {user: user_id}"), "device": hint("units", "write units: {device: …}"),
	"unit": ours("units"), "unit_id": ours("units"), "ids": ours("units"),
	"time": ours("timestamp"), "ts": ours("timestamp"), "date": ours("timestamp"), "event_time": ours("timestamp"),
	"event_name": ours("event"), "event_key": ours("event"), "event_type": ours("event"), "revenue": ours("value"), "amount": ours("value"),
	"variant": ours("variation"), "variation_id": ours("variation"), "treatment": ours("variation"), "experiment_id": ours("experiment"), "experiment_key": ours("experiment"),
	"flag_key": ours("flag"), "event_id": ours("id"), "uuid": ours("id"), "props": ours("properties"), "tags": ours("properties"), "context": ours("attributes"),
	"is_holdback": ours("holdback"),
}

var eventWords = vocabulary{
	"name": ours("key"), "id": ours("key"), "event": ours("key"), "props": ours("properties"), "fields": ours("properties"), "schema": ours("properties"),
	"scale": hint("", "write it under value: {scale: …}"), "unit": hint("", "write it under value: {unit: …}"), "desc": ours("description"),
}

var fileWords = vocabulary{
	"metric": ours("metrics"), "experiment": ours("experiments"), "source": ours("sources"), "datasets": ours("sources"), "tables": ours("sources"), "data": ours("sources"),
	"event": ours("events"), "event_types": ours("events"), "groups": ours("metric_groups"), "collections": ours("metric_groups"), "metric_sets": ours("metric_groups"),
	"flags": ours("experiments"), "rules": ours("experiments"), "tests": ours("experiments"), "config": ours("defaults"), "settings": ours("defaults"), "default": ours("defaults"),
	"out": ours("output"), "outputs": ours("output"), "analysis": hint("", "write it under defaults: {analysis: …}"), "statistics": hint("", "write it under defaults: {analysis: …}"),
	"impressions": hint("", "write it under sources: {impressions: […]}"), "units": hint("", "write it under sources: {units: […]}"), "exclude_units": hint("", "write it under sources: {exclude_units: […]}"),
	"numerator": hint("", "write it in a metric: ratio: {numerator: …, denominator: …}"), "registry": hint("", "write it under events: {registry: closed}"),
	"apiversion": ours("version"), "schema_version": ours("version"),
}

// correctionWords are other names of corrections.
var correctionWords = vocabulary{
	"bh": ours("benjamini_hochberg"), "fdr": ours("benjamini_hochberg"), "by": ours("benjamini_yekutieli"), "off": ours("none"),
	"obf": hint("", "write method: group and spending: obrien_fleming"),
}

// foreignValues are words of other tools that stand as values, by key.
var foreignValues = map[string]vocabulary{
	"measure": {
		"conversion": ours("occurrence"), "proportion": ours("occurrence"), "binary": ours("occurrence"), "unique": ours("occurrence"), "binomial": ours("occurrence"),
		"boolean": ours("occurrence"), "rate": ours("occurrence"), "unique_conversions": ours("occurrence"), "converted": ours("occurrence"),
		"total": ours("count"), "count_events": ours("count"), "total_conversions": ours("count"), "number": ours("count"),
		"sum": hint("", "write measure: value and per_unit: sum"), "average": hint("", "write measure: value and per_unit: average"),
		"mean": hint("", "write measure: value and, for the average within a unit, per_unit: average"), "numeric": ours("value"), "revenue": ours("value"),
		"min": hint("", "write measure: value and per_unit: min"), "max": hint("", "write measure: value and per_unit: max"),
		"count_distinct": hint("", "write measure: value and per_unit: count_distinct"), "first": hint("", "write measure: value and per_unit: first"),
		"last":  hint("", "write measure: value and per_unit: last"),
		"ratio": hint("", "write ratio: {numerator: …, denominator: …} in place of event and measure"), "funnel": hint("", "write funnel: {steps: […]} in place of event and measure"),
		"retention": hint("", "write measure: occurrence and window: {from: 7d}"), "days": ours("active_days"),
		"percentile": hint("", "write measure: value and statistic: p95"), "quantile": hint("", "write measure: value and statistic: p95"),
	},
	"better": {
		"increase": ours("higher"), "up": ours("higher"), "increasing": ours("higher"), "greater": ours("higher"), "higher_than_baseline": ours("higher"), "positive": ours("higher"), "more": ours("higher"),
		"decrease": ours("lower"), "down": ours("lower"), "decreasing": ours("lower"), "less": ours("lower"), "lower_than_baseline": ours("lower"), "negative": ours("lower"), "smaller": ours("lower"),
	},
	"per_unit": {
		"avg": ours("average"), "mean": ours("average"), "total": ours("sum"), "minimum": ours("min"), "maximum": ours("max"), "distinct": ours("count_distinct"), "unique": ours("count_distinct"),
		"count": hint("", "write measure: count"), "median": hint("", "percentiles are over units: statistic: p50"),
		"p95": hint("", "percentiles are over units: statistic: p95"),
	},
	"units_without_events": {"0": ours("zero"), "ignore": ours("exclude"), "include": ours("zero"), "drop": ours("exclude"), "none": ours("exclude"), "null": ours("exclude")},
	"type": {
		"text": ours("string"), "str": ours("string"), "float": ours("number"), "double": ours("number"), "decimal": ours("number"), "numeric": ours("number"),
		"int": ours("integer"), "long": ours("integer"), "bigint": ours("integer"), "bool": ours("boolean"), "date": ours("timestamp"), "datetime": ours("timestamp"), "time": ours("timestamp"),
	},
	"rule": {
		"experiment": ours("test"), "a/b": ours("test"), "ab": ours("test"), "ab_test": ours("test"), "a/b_test": ours("test"), "delivery": ours("rollout"), "targeted_delivery": ours("rollout"), "personalization": ours("personalize"),
	},
	"status":              {"active": ours("running"), "live": ours("running"), "paused": ours("stopped"), "completed": ours("stopped"), "finished": ours("stopped"), "ended": ours("stopped")},
	"test":                {"t": ours("welch"), "ttest": ours("welch"), "t_test": ours("welch"), "chi2": ours("pearson"), "chi_squared": ours("pearson"), "z_test": ours("z")},
	"alternative":         {"two-sided": ours("two_sided"), "both": ours("two_sided"), "larger": ours("greater"), "smaller": ours("less"), "two_tailed": ours("two_sided")},
	"method":              correctionWords,
	"dedupe":              {"uuid": ours("id"), "all": ours("row"), "off": ours("none"), "false": ours("none"), "true": ours("id"), "distinct": ours("row")},
	"multiple_variations": {"drop": ours("exclude"), "all": ours("each"), "keep_first": ours("first")},
	"holdback":            {"drop": ours("exclude"), "include": hint("", "write {as: control}, with the key of a variation")},
	"compare":             {"control": ours("baseline"), "pairwise": ours("all"), "every": ours("all")},
	"cuped":               {"on": hint("", "write the days before exposure: {days: 14}"), "true": hint("", "write the days before exposure: {days: 14}"), "false": ours("off"), "none": ours("off")},
	"bayesian":            {"false": ours("off"), "none": ours("off"), "flat": hint("", "write {prior: flat}"), "on": hint("", "write {prior: flat}"), "true": hint("", "write {prior: flat}")},
	"epoch":               {"seconds": ours("s"), "milliseconds": ours("ms"), "millis": ours("ms"), "microseconds": ours("us"), "micros": ours("us"), "nanoseconds": ours("ns"), "sec": ours("s")},
	"format":              {"json": ours("ndjson"), "jsonl": ours("ndjson"), "tsv": ours("csv"), "percentage": ours("percent"), "%": ours("percent"), "money": ours("currency"), "usd": ours("currency"), "seconds": ours("duration"), "ms": ours("duration")},
	"registry":            {"strict": ours("closed"), "true": ours("closed"), "false": ours("open")},
	"order":               {"strict": ours("ordered"), "none": ours("any"), "sequential": ours("ordered"), "unordered": ours("any")},
}
