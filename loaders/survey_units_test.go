package loaders

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The unit is what saw one variation, where most rows have its id, and of what is alike
// in that the one that fewest rows lack. Each of 40 users has a device that two share, or
// each of 20 users two devices.
func TestSurveyOfUnits(t *testing.T) {
	w := newWarehouse(t)
	const byUser, byDevice = "i % 40", "i % 20"
	for name, c := range map[string]struct {
		user, device, variation string // of impression i
		eventUser, eventDevice  string // of event i
		want                    []string
	}{
		"users were randomised, and some events have none": {
			byUser, byDevice, "i % 40 < 20", "CASE WHEN i % 10 > 0 THEN i END", "i",
			[]string{"user: 0 of 40", "device: 20 of 20"},
		},
		"devices were randomised, and each event has a user": {
			byDevice, byUser, "i % 40 < 20", "i", "CASE WHEN i % 10 > 0 THEN i END",
			[]string{"device: 0 of 40", "user: 20 of 20"},
		},
		"few impressions have a user": {
			"CASE WHEN i % 4 = 0 THEN i % 40 END", byDevice, "i % 40 < 20", "i", "i",
			[]string{"device: 20 of 20", "user: 0 of 10"},
		},
		"few events have a user": {
			byUser, byDevice, "i % 40 < 20", "CASE WHEN i % 10 = 0 THEN i END", "i",
			[]string{"device: 20 of 20", "user: 0 of 40"},
		},
		"both saw one variation": {
			byUser, byUser, "i % 2 = 0", "CASE WHEN i % 10 > 0 THEN i END", "i",
			[]string{"device: 0 of 40", "user: 0 of 40"},
		},
		"events have no users": {
			byUser, byDevice, "i % 40 < 20", "NULL::BIGINT", "i",
			[]string{"device: 20 of 20", "user: 0 of 40"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := w.folder(t)
			w.write("imps.parquet", fmt.Sprintf("SELECT %s AS user_id, %s AS device_id, 'f' AS flag, CASE WHEN %s THEN 'a' ELSE 'b' END AS variation, TIMESTAMP '2026-03-02 10:00:00' AS ts FROM range(120) t(i)", c.user, c.device, c.variation))
			w.write("events.parquet", fmt.Sprintf("SELECT %s AS user_id, %s AS device_id, 'buy' AS event, TIMESTAMP '2026-03-02 11:00:00' + i * INTERVAL 1 SECOND AS ts FROM range(40) t(i)", c.eventUser, c.eventDevice))
			s := mustSurvey(t, w.engine, w.dir)
			var got []string
			for _, u := range s.Units {
				got = append(got, fmt.Sprintf("%s: %d of %d", u.Kind, u.Several, u.Units))
			}
			if diff := cmp.Diff(c.want, got); diff != "" || s.Experiments[0].Unit != s.Units[0].Kind {
				t.Errorf("the unit is %s; units (-want +found):\n%s", s.Experiments[0].Unit, diff)
			}
		})
	}
}
