// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"testing"
)

func TestWhatShardsHaveInCommon(t *testing.T) {
	const site = "timezone: UTC\nprometheus: {url: 'http://p', matchers: 'dc=\"a\"'}\npower: {pue: 1.3, devices: [{name: gpu, query: 'g{dc=\"a\"}', unit: J}]}\n"
	for _, test := range []struct {
		name, one, other string
		want             []string
	}{
		{"the same", site, site, nil},
		{
			"the part, its limits, credentials and budgets", site,
			"timezone: UTC\nlookback: 2d\nprometheus: {url: 'http://p', matchers: 'dc=\"b\"', timeout: 5m, max_samples_per_query: 1000, basic_auth: {username: u, password: p}}\n" +
				"power: {pue: 1.3, devices: [{name: gpu, query: 'g{dc=\"b\"}', unit: J}]}\nbudgets: [{name: b, scope: site, period: day, kwh: 1}]\nmetrics: {keep: 50d}\n", nil,
		},
		{
			"another PUE, time zone and server", site, "timezone: Europe/London\nprometheus: {url: 'http://q', matchers: 'dc=\"b\"'}\npower: {pue: 1.2, devices: [{name: gpu, query: g, unit: J}]}\n",
			[]string{"prometheus.url", "power.pue", "timezone"},
		},
		{
			"another interval, lag, profile and unit of a device", site, "interval: 1h\ntimezone: UTC\nprometheus: {profile: recorded, url: 'http://p', lag: 5m}\npower: {pue: 1.3, devices: [{name: gpu, query: g, unit: mJ}]}\n",
			[]string{"interval", "prometheus.profile", "prometheus.lag", "prometheus.metric", "prometheus.labels.cpu", "power.devices"},
		},
		{"another price", site, site + "carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 1}}\n", []string{"carbon_intensity.provider", "carbon_intensity.static"}},
		{"another machine type", site + "embodied: {}\n", "timezone: UTC\nprometheus: {url: 'http://p'}\npower: {pue: 1.3, machines: {Muon: {busy_watts: 9}}, devices: [{name: gpu, query: g, unit: J}]}\n", []string{"power.machines"}},
		{"a directory in one alone", site, site + "directory: {file: owners.csv}\n", []string{"directory"}},
		{"where days are published", site + "lake: {objstore_config_file: f, site: a}\n", site + "lake: {objstore_config_file: f, site: b}\n", nil},
		{"where usage is written", site + "mongodb: {uri: 'mongodb://a', usage_database: x}\n", site + "mongodb: {uri_file: f, usage_database: y}\n", nil},
	} {
		one, err := Parse("a.yml", []byte(test.one))
		if err != nil {
			t.Fatal(err)
		}
		other, err := Parse("b.yml", []byte(test.other))
		if err != nil {
			t.Fatal(err)
		}
		if got := one.Differs(other); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if one.Prometheus.URL.URL == nil || len(one.Power.Devices) > 0 && one.Power.Devices[0].Query == "" {
			t.Errorf("%s: a configuration was changed", test.name)
		}
	}
}
