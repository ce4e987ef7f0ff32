// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestMetricsBy(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       usage.Fold
		fault      string
	}{
		{"all by default", "lookback: 2d", usage.Fold{}, ""},
		{"in any order", "metrics: {by: [user, group, machine, project]}", usage.Fold{}, ""},
		{"two", "metrics: {by: [project, group]}", usage.Fold{Machine: true, User: true}, ""},
		{"none", "metrics: {by: []}", usage.Fold{Project: true, Machine: true, User: true, Group: true}, ""},
		{"another", "metrics: {by: [project, mode]}", usage.Fold{}, `carbon.yml:1: metrics.by: must be labels out of project, machine, user and group, has "mode"`},
		{"one twice", "metrics: {by: [project, project]}", usage.Fold{}, "carbon.yml:1: metrics.by: has project twice"},
		{"a limit below 0", "metrics: {max_samples: -1}", usage.Fold{}, "carbon.yml:1: metrics.max_samples: must be 0 (no warning) or more, is -1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Parse("carbon.yml", []byte(c.text))
			if c.fault != "" {
				if err == nil || err.Error() != c.fault {
					t.Fatalf("says %v, want %s", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Fold(); got != c.want {
				t.Errorf("leaves out %+v, want %+v", got, c.want)
			}
		})
	}
	t.Run("nothing at all", func(t *testing.T) {
		if _, err := Parse("carbon.yml", []byte("metrics:\n  by:\n")); err == nil {
			t.Error("is accepted")
		}
	})
}
