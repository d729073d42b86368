package job

import (
	"github.com/metricsjob/metricsjob/loaders"
	"github.com/metricsjob/metricsjob/metrics"
)

// Preset is a known export with its name.
type Preset struct {
	Name string
	metrics.PresetFile
}

// Presets are the known exports, by name.
func Presets() ([]Preset, error) {
	var all []Preset
	for _, name := range loaders.Presets() {
		p, err := loaders.Preset(name)
		if err != nil {
			return nil, err
		}
		all = append(all, Preset{name, p})
	}
	return all, nil
}
