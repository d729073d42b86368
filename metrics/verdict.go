package metrics

import (
	"encoding/json"
	"fmt"
	"time"
)

// Verdict is what an experiment says about a variation.
type Verdict string

// The verdicts.
const (
	Ship         Verdict = "ship"
	DoNotShip    Verdict = "do_not_ship"
	KeepRunning  Verdict = "keep_running"
	Inconclusive Verdict = "inconclusive"
	Invalid      Verdict = "invalid"
)

// Reason is one of the grounds of a verdict, with the number behind it and what
// that was compared with.
type Reason struct {
	Code      string   `json:"code"`
	Metric    *string  `json:"metric"`
	Text      string   `json:"text"`
	Value     *float64 `json:"value"`
	Threshold *float64 `json:"threshold"`
}

// Reasons are the grounds of a verdict, the weightiest first.
type Reasons []Reason

// JSON gives the reasons as the text of a JSON value.
func (r Reasons) JSON() []byte {
	if r == nil {
		r = Reasons{}
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("metrics: reasons as JSON: %v", err)) // numbers are finite
	}
	return text
}

// VerdictRow is one row of the table verdicts: experiment × variation, of those
// that are compared with the baseline.
type VerdictRow struct {
	RunID      string    `col:"run_id" doc:"digest of everything that determines the run"`
	AsOf       time.Time `col:"as_of" doc:"rows at or after this instant do not exist"`
	Experiment string    `col:"experiment" doc:"key of the experiment"`
	Variation  string    `col:"variation" doc:"key of the variation"`
	ComparedTo string    `col:"compared_to" doc:"key of the variation that it is judged against"`
	Verdict    Verdict   `col:"verdict" doc:"ship, do_not_ship, keep_running, inconclusive, or invalid"`
	Reasons    Reasons   `col:"reasons" doc:"list of {code, metric, text, value, threshold}, the weightiest first"`
}
