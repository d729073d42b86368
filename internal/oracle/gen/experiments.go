package gen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

func (w *world) drawExperiment(t *rapid.T, i int) *experiment {
	letter := string(rune('a' + i))
	x := &experiment{
		key: "exp_" + letter, flag: pick(t, "flag", "flag_a", "flag_"+letter),
		unit:  pick(t, "unit", "user", "user", "device"),
		start: monday.Add(time.Duration(between(t, "start", 0, 2)) * 12 * time.Hour),
	}
	if !contains(w.impressions[0].kinds, x.unit) || !contains(w.events[0].kinds, x.unit) {
		x.unit = "user"
	}
	if w.units != nil && len(w.units.kinds) > 1 {
		switch {
		case w.use(t, identityStrict, 30):
			x.identity = "strict"
		case w.use(t, identityFirst, 40):
			x.identity = "first_touch"
		}
	}
	if chance(t, 60) {
		x.end = new(x.start.Add(time.Duration(between(t, "end", 1, 5)) * 18 * time.Hour))
	}
	if chance(t, 30) {
		from := x.start
		if x.end != nil {
			from = *x.end
		}
		x.observeUntil = new(from.Add(time.Duration(between(t, "observe_until", 1, 3)) * 12 * time.Hour))
	}
	switch pick(t, "match", "", "", "experiment", "flag", "both") {
	case "experiment":
		x.matchExperiment = []string{"10" + letter, "11" + letter}[:1+between(t, "values", 0, 1)]
	case "flag":
		x.matchFlag = []string{"flag_a"}
	case "both":
		x.matchExperiment, x.matchFlag = []string{"10" + letter}, []string{"flag_a", "flag_b"}
	}
	x.variations = []variation{{key: "control"}, {key: "green"}, {key: "B l'ue"}}[:between(t, "variations", 2, 3)]
	if chance(t, 25) {
		x.variations[0].match = []string{"off", "control"}
	}
	if w.use(t, matchJSON, 10) {
		x.variations[1].json = pick(t, "JSON", "true", "1.50", `{a: [1, x]}`)
	}
	if chance(t, 25) {
		x.ignored = []string{"fallback"}
	}
	if w.impressions[0].holdback && w.use(t, holdbacks, 40) {
		x.holdbackAs = "control"
	}
	x.multiple = pick(t, "multiple", "", "exclude", "first", "first")
	if w.use(t, eachVariation, 12) {
		x.multiple = "each"
	}
	x.cutWindows = chance(t, 25)
	if w.use(t, audiences, 20) {
		x.where = w.audience(t)
	}
	if w.use(t, activation, 12) {
		x.activation = w.drawFilter(t)
	}
	x.segments = slices.Clone(pick(t, "segments", nil, []string{"country"}, []string{"platform", "country"}))
	w.drawPhases(t, x)
	if w.use(t, comparisons, 15) {
		x.compare = pick(t, "compare", "all", "[[green, control]]")
	}
	if w.use(t, covariates, 20) {
		x.cuped = between(t, "days", 1, 4)
	}
	return x
}

// drawPhases draws up to three phases, the first from the start.
func (w *world) drawPhases(t *rapid.T, x *experiment) {
	switch {
	case w.use(t, phasesStratified, 8):
		x.pool = pick(t, "pool", "", "stratify")
	case w.use(t, phasesLast, 8):
		x.pool = "last"
	default:
		return
	}
	x.phases = []time.Time{x.start}
	for range between(t, "phases", 1, 2) {
		next := x.phases[len(x.phases)-1].Add(time.Duration(between(t, "phase", 1, 4)) * 6 * time.Hour)
		if x.end != nil && !next.Before(*x.end) {
			return
		}
		x.phases = append(x.phases, next)
	}
}

// linkExperiments draws what experiments say of each other, and segments of other kinds.
func (w *world) linkExperiments(t *rapid.T) {
	for i, x := range w.experiments {
		for j, other := range w.experiments {
			if i == j || other.unit != x.unit {
				continue
			}
			if w.use(t, excludeUnitsIn, 8) {
				x.excludeUnitsIn = append(x.excludeUnitsIn, other.key)
			}
			if other.multiple != "each" && w.use(t, segmentExperiment, 15) {
				x.segments = append(x.segments, fmt.Sprintf("{key: in_%s, experiment: %s}", other.key, other.key))
			}
		}
		if w.hasUnitAttributes && w.use(t, segmentUnit, 30) {
			x.segments = append(x.segments, unitSegment)
		}
		if w.use(t, segmentEvents, 15) {
			x.segments = slices.DeleteFunc(x.segments, func(s string) bool { return s == "country" })
			x.segments = append(x.segments, "{key: country, from: events}")
		}
	}
}

// unitSegment is a segment by the unit attribute plan.
const unitSegment = "unit.plan"

func (x *experiment) write(b *strings.Builder) {
	fmt.Fprintf(b, "  - key: %s\n    flag: %s\n    unit: %s\n    start: %s\n", x.key, x.flag, x.unit, instant(x.start))
	if x.end != nil {
		fmt.Fprintf(b, "    end: %s\n", instant(*x.end))
	}
	if x.observeUntil != nil {
		fmt.Fprintf(b, "    observe_until: %s\n", instant(*x.observeUntil))
	}
	if len(x.matchExperiment)+len(x.matchFlag) > 0 {
		var match []string
		if len(x.matchExperiment) > 0 {
			match = append(match, "experiment: "+quotedList(x.matchExperiment))
		}
		if len(x.matchFlag) > 0 {
			match = append(match, "flag: "+quotedList(x.matchFlag))
		}
		fmt.Fprintf(b, "    match: {%s}\n", strings.Join(match, ", "))
	}
	b.WriteString("    variations:\n")
	for i, v := range x.variations {
		fmt.Fprintf(b, "      - {key: %s", quoted(v.key))
		if len(x.phases) == 0 {
			b.WriteString(", weight: 1")
		}
		if i == 0 {
			b.WriteString(", baseline: true")
		}
		if len(v.match) > 0 {
			fmt.Fprintf(b, ", match: %s", quotedList(v.match))
		}
		if v.json != "" {
			fmt.Fprintf(b, ", match: {value: %s}", v.json)
		}
		b.WriteString("}\n")
	}
	if len(x.ignored) > 0 {
		fmt.Fprintf(b, "    ignore_variations: %s\n", quotedList(x.ignored))
	}
	if x.holdbackAs != "" {
		fmt.Fprintf(b, "    holdback: {as: %s}\n", x.holdbackAs)
	}
	if x.multiple != "" {
		fmt.Fprintf(b, "    multiple_variations: %s\n", x.multiple)
	}
	if x.cutWindows {
		b.WriteString("    cut_windows_at_end: true\n")
	}
	if x.where != "" {
		fmt.Fprintf(b, "    where: %s\n", quoted(x.where))
	}
	if len(x.segments) > 0 {
		fmt.Fprintf(b, "    segments: [%s]\n", strings.Join(x.segments, ", "))
	}
	if len(x.excludeUnitsIn) > 0 {
		fmt.Fprintf(b, "    exclude_units_in: [%s]\n", strings.Join(x.excludeUnitsIn, ", "))
	}
	if x.activation != "" {
		fmt.Fprintf(b, "    activation: %s\n", x.activation)
	}
	if x.identity != "" {
		fmt.Fprintf(b, "    identity: %s\n", x.identity)
	}
	if x.compare != "" {
		fmt.Fprintf(b, "    compare: %s\n", x.compare)
	}
	x.writePhases(b)
	if x.cuped > 0 {
		fmt.Fprintf(b, "    analysis: {cuped: {days: %d}}\n", x.cuped)
	}
	fmt.Fprintf(b, "    metrics:\n      primary: [%s]\n", strings.Join(x.primary, ", "))
	if len(x.secondary) > 0 {
		fmt.Fprintf(b, "      secondary: [%s]\n", strings.Join(x.secondary, ", "))
	}
}

func (x *experiment) writePhases(b *strings.Builder) {
	if len(x.phases) == 0 {
		return
	}
	b.WriteString("    phases:\n")
	for _, start := range x.phases {
		var shares []string
		for _, v := range x.variations {
			shares = append(shares, quoted(v.key)+": 1")
		}
		fmt.Fprintf(b, "      - {start: %s, weights: {%s}}\n", instant(start), strings.Join(shares, ", "))
	}
	if x.pool != "" {
		fmt.Fprintf(b, "    pool: %s\n", x.pool)
	}
}
