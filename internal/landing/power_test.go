// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestWhereWattsComeFrom(t *testing.T) {
	one := usage.RatedOf([]usage.Rating{{Machine: "Muon", Source: usage.RatedProcessor}}, nil)
	for _, c := range []struct {
		name  string
		power *Power
		want  string
	}{
		{"not known", nil, ""},
		{"nothing is rated yet", PowerOf(usage.RatedOf(nil, nil), nil, nil), ""},
		{"no bounds and no meters", PowerOf(one, nil, nil), "1 machine type: 1 by processor."},
		{"two zones", PowerOf(one, nil, []usage.ZoneFact{{Measured: 60, Booked: 50}, {Measured: 40, Booked: 25}}), "1 machine type: 1 by processor. Of what meters of the site measured, 25 % is not booked."},
		{"more booked than measured", PowerOf(one, nil, []usage.ZoneFact{{Measured: 50, Booked: 60}}), "1 machine type: 1 by processor. Booked is 20 % more than meters of the site measured."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.ReplaceAll(c.power.words(), nbsp, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	models := map[string][]usage.ModelShare{"Muon": {{Model: "<Elbrus>", Share: 1}}}
	all := PowerOf(usage.RatedOf([]usage.Rating{{Machine: "Muon", Source: usage.RatedDefault}}, models), nil, nil).guessed(usage.Unrated{Why: "w", Do: "d"})
	if len(all) != 1 || !strings.Contains(all[0].Why, "nobody knows the processors that their hosts name: <Elbrus>") || all[0].Bad {
		t.Errorf("got %+v", all)
	}
}
