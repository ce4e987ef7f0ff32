// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// TestMetersAreProposedAndNotSwitchedOn: each can be switched on by removing the comment signs,
// and is off before.
func TestMetersAreProposedAndNotSwitchedOn(t *testing.T) {
	file := func(there ...string) string {
		return Make(Offers(survey.Facts{Exporters: []survey.Exporter{node(2)}}), 0, usual).File(settings(func(s *Settings) { s.Meters = there }))
	}
	if text := file(); strings.Contains(text, "measured:") || strings.Contains(text, "devices:") {
		t.Errorf("a server without meters:\n%s", text)
	}
	all := survey.Meters()
	text := file(all...)
	c, err := config.Parse("carbon.yml", []byte(text))
	if err != nil || len(c.Power.Measured)+len(c.Power.Devices) > 0 {
		t.Fatalf("%v: %+v", err, c.Power)
	}
	var on []string
	commented := false
	for line := range strings.Lines(text) {
		key := strings.HasPrefix(line, "  # measured:") || strings.HasPrefix(line, "  # devices:")
		commented = key || commented && strings.HasPrefix(line, "  #   ")
		if commented {
			line = "  " + strings.TrimPrefix(line, "  # ")
		}
		on = append(on, line)
	}
	c, err = config.Parse("carbon.yml", []byte(strings.Join(on, "")))
	if err != nil {
		t.Fatalf("%v in\n%s", err, strings.Join(on, ""))
	}
	if n := len(c.Power.Measured) + len(c.Power.Devices); n != len(all) {
		t.Errorf("%d of %d meters can be switched on in\n%s", n, len(all), text)
	}
	for _, i := range instruments() {
		if !slices.Contains(all, i.metric) || !strings.Contains(i.query, i.metric) {
			t.Errorf("%s is not asked for, or not in %s", i.metric, i.query)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 141 {
			t.Errorf("wide: %s", line)
		}
	}
}
