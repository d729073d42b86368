package imports

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/metricsjob/metricsjob/metrics"
)

// variation is one variation of an experiment.
type variation struct {
	key, name string
	// match are the values of the export; value is JSON in their place.
	match  []string
	value  string
	weight string // empty or 0: the file tells none
	// baseline: the file says so.
	baseline bool
}

// controlNames are what variations are called that others are compared to.
var controlNames = []string{"control", "baseline", "original", "off"}

// variations gives an experiment its variations and its rule. The baseline is the one
// that the file names, else the one that is called so, else the first.
func (d *definition) variations(list []variation) {
	taken := map[string]bool{}
	baseline := slices.IndexFunc(list, func(v variation) bool { return v.baseline })
	if baseline < 0 && len(list) > 1 {
		baseline = max(0, slices.IndexFunc(list, isControl))
		d.check("the file does not tell the baseline")
	}
	weighted := weigh(list)
	if !weighted && slices.ContainsFunc(list, func(v variation) bool { return v.weight != "" }) {
		d.lose("weights: not every variation has one")
	}
	var items []string
	for i, v := range list {
		key := v.key
		for n := 2; taken[key] || key == ""; n++ {
			key = strings.TrimPrefix(fmt.Sprintf("%s_%d", v.key, n), "_")
		}
		taken[key] = true
		var f fields
		f.text("key", key)
		if v.name != key {
			f.text("name", v.name)
		}
		if weighted {
			f.set("weight", v.weight)
		}
		if i == baseline && len(list) > 1 {
			f.set("baseline", "true")
		}
		switch {
		case v.value != "":
			f.set("match", "{value: "+v.value+"}")
		case len(v.match) > 0 && !slices.Equal(v.match, []string{key}):
			f.set("match", one(v.match))
		}
		items = append(items, f.flow())
	}
	d.list("variations", items)
	if len(list) < 2 && !d.has("rule") {
		d.check("an experiment with one variation is taken for a rollout")
		d.set("rule", "rollout")
	}
}

func isControl(v variation) bool {
	return slices.ContainsFunc(controlNames, func(word string) bool {
		return strings.EqualFold(v.key, word) || strings.EqualFold(v.name, word)
	})
}

// weigh writes the weights as whole numbers where they have fractions, and reports
// whether every variation has one.
func weigh(list []variation) bool {
	for _, v := range list {
		w, ok := new(big.Rat).SetString(v.weight)
		if !ok || w.Sign() <= 0 {
			return false
		}
	}
	return len(list) > 0
}

// metrics gives an experiment metrics: of a test the first is the primary one, where
// none is given. A key that no metric has is told.
func (d *definition) metrics(primary, secondary []string) {
	if len(primary)+len(secondary) == 0 {
		return
	}
	if len(primary) > 1 {
		primary, secondary = primary[:1], slices.Concat(primary[1:], secondary)
		d.check("the file does not tell which metric decides")
	}
	if len(primary) == 0 {
		primary, secondary = secondary[:1], secondary[1:]
		d.check("the file does not tell which metric decides")
	}
	var f fields
	f.set("primary", "["+strings.Join(primary, ", ")+"]")
	if len(secondary) > 0 {
		f.set("secondary", "["+strings.Join(secondary, ", ")+"]")
	}
	d.set("metrics", f.flow())
}

// is reports whether a field has the value.
func (f *fields) is(name, yaml string) bool {
	return slices.ContainsFunc(*f, func(have field) bool { return have.name == name && have.yaml == yaml })
}

// amount is a number with its noun.
func amount(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// unitKind is the unit kind that a word of another tool means.
func unitKind(word string) string {
	word = strings.TrimSuffix(strings.TrimSuffix(word, "ID"), "_id")
	return metrics.KeyOf(word, "unit")
}
