package imports

import (
	"strings"
	"time"
)

// flagSyncFlags reads flags with the states of their environment, one or several.
// Flags that roll out to shares of users are experiments.
func flagSyncFlags(d *draft, r *record, _ Options) bool {
	flags := r.children("items")
	switch {
	case r.has("featureFlag"):
		flags = []*record{r}
	case r.has("flags"):
		flags = append(r.children("flags"), r.groupsOf("flags")...)
	}
	ids := []string{"environmentId", "organizationId", "workspaceId"}
	known := false
	for _, own := range flags {
		if !own.has("featureFlag") {
			continue
		}
		known = true
		d.flagSyncFlag(own.child("featureFlag"), own.child("state"))
		own.ignore(ids...)
		d.rest(own, "featureFlag", "state")
	}
	if known && !r.has("featureFlag") {
		d.others(flags, "flag", func(own *record) bool { return own.has("featureFlag") })
		r.ignore(ids...)
		d.rest(r, "items", "flags")
	}
	return known
}

// groupsOf are the objects of a mapping, in the order of its keys.
func (r *record) groupsOf(name string) []*record {
	c := r.child(name)
	var out []*record
	for _, key := range c.keys() {
		if own := c.child(key); own != nil {
			out = append(out, own)
		}
	}
	return out
}

func (d *draft) flagSyncFlag(f, state *record) {
	key := f.text("key")
	shares := map[string]string{}
	for _, entry := range state.children("percentageRollout") {
		shares[entry.text("variantId")] = entry.text("percentage")
	}
	if len(shares) < 2 {
		d.lose("flag %s, which serves no shares of its variants", key)
		return
	}
	x := d.experiment(key)
	x.text("name", f.text("name"))
	x.text("description", f.text("description"))
	x.text("flag", key)
	x.set("unit", "user")
	off := state.text("disabledSingleVariantId")
	fallback := true // the SDKs say control where they have no variant
	var list []variation
	for _, v := range f.children("variants") {
		v.ignore("dataTypeCode", "createdAt", "updatedAt", "description")
		id := v.text("variantId")
		own := variation{key: v.text("name"), weight: shares[id]}
		switch {
		case v.text("dataTypeCode") == "STR":
			own.match = []string{v.text("stringValue")}
			fallback = fallback && own.match[0] != "control"
		case v.text("dataTypeCode") == "NUM":
			own.value = v.text("numberValue")
		case v.text("dataTypeCode") == "BOOL":
			value, _ := v.take("booleanValue").(bool)
			own.value = jsonText(value)
		default:
			own.value = jsonText(v.take("jsonValue"))
		}
		v.ignore("stringValue", "numberValue", "booleanValue", "jsonValue")
		if own.weight == "" || own.weight == "0" {
			x.lose("variant %s, which has no share", own.key)
			continue
		}
		if id == off {
			x.check("the baseline is what is served while the flag is off")
			own.baseline = true
		}
		list = append(list, own)
		x.rest(v)
	}
	if fallback {
		x.set("ignore_variations", "[control]")
	}
	if at, err := time.Parse(time.RFC3339, state.text("createdAt")); err == nil {
		x.check("it starts when the flag was made in the environment")
		x.set("start", at.UTC().Format(time.DateOnly))
	}
	x.variations(list)
	f.ignore("featureFlagId", "createdAt", "updatedAt")
	state.ignore("featureFlagEnvironmentStateId", "environmentId", "isEnabled", "updatedAt", "enabledSingleVariantId", "seed")
	for _, rule := range state.children("targetingRules") {
		x.lose("targeting rule %s, whose users get one variant", rule.text("name"))
	}
	x.rest(f)
	for _, field := range state.unread() {
		if !strings.HasPrefix(field, "targetingRules.") {
			x.lose("%s", field)
		}
	}
}
