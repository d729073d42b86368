package compiler

import "strings"

// lostWords say why a row is lost, by the code of the step; a step whose code is
// not here says it with its own text.
var lostWords = map[string]string{
	"no_timestamp":       "it has no timestamp that can be read",
	"as_of":              "it lies at or after as-of",
	"partition":          "it lies too far from the day of its partition",
	"no_event":           "it has no event key",
	"no_unit":            "it has no id of a unit",
	"excluded_unit":      "it is of an excluded unit",
	"source_where":       "the source's where leaves it out",
	"other_impression":   "it is of another experiment",
	"other_event":        "it is another event",
	"not_exposed":        "the unit has no impression in the experiment",
	"outside_dates":      "it lies outside the dates of the experiment",
	"no_variation":       "it has no variation",
	"ignored_variation":  "its variation is ignored",
	"holdback":           "it is a holdback",
	"unknown_variation":  "its variation is not in the file",
	"several_variations": "the unit saw several variations",
	"other_experiment":   "the unit is in another experiment",
	"audience":           "the unit is not in the audience",
	"phase":              "the unit is of a phase before the last",
	"not_activated":      "the unit was not activated",
	"not_followed":       "the unit did not do what is counted from",
	"no_value":           "it has no value",
	"not_a_number":       "its value is no number",
	"immature":           "the window of the unit is not over",
}

// LeftOutWords say why a unit is left out of an experiment, by the reason of its
// exposure.
func LeftOutWords(reason string) string {
	if words, ok := lostWords[reason]; ok {
		return words
	}
	return reason
}

// Lost says why a row is lost at the step.
func (s WaterfallStep) Lost() string {
	if words, ok := lostWords[s.Code]; ok {
		return words
	}
	switch s.Code {
	case "before_exposure":
		return "it lies " + strings.TrimPrefix(s.Text, "not ")
	case "outside_window":
		return "it lies not " + s.Text
	case "where":
		return "where is not true: " + strings.TrimPrefix(s.Text, "where ")
	case "no_group":
		return "it has no " + strings.TrimPrefix(s.Text, "with ")
	}
	return "not one of: " + s.Text
}
