// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// badFile is a file and its whole message, without the file's name at the start of each line.
type badFile struct {
	name, file string
	want       []string
}

// badFiles are all but those of badPower.
var badFiles = []badFile{
	{"an anchor that holds itself", "bad-anchor.yml", []string{
		`:2: not valid YAML: anchor 'power' value contains itself`,
	}},
	{"groups that are ambiguous", "bad-attribution.yml", []string{
		`:2: attribution.group_by: directory needs a section directory or mongodb`,
		`:6: attribution.groups[1].name: must be unique, but "ISIS" is used already`,
		`:7: attribution.groups[1].projects[0]: "TDAaaS" is in group "ISIS" already; a project can be in one group only`,
		`:7: attribution.groups[1].projects[1]: must not be empty`,
		`:8: attribution.groups[2].name: must not be empty`,
		`:8: attribution.groups[2].projects: must name at least one project`,
	}},
	{"shares and info that cannot be told apart", "bad-shares.yml", []string{
		`:2: prometheus.unit: must be one of s, ms, us, ns, is "minutes"`,
		`:3: prometheus.labels.mode: must not be empty, or prometheus.cores_query must be set: without this label the cores cannot be counted`,
		`:3: prometheus.labels.cpu: must not be empty, or prometheus.cores_query must be set: without this label the cores cannot be counted`,
		`:5: prometheus.info[0].query: must not be empty`,
		`:6: prometheus.info[1].by[0]: must be the host label "instance", is "node"`,
		`:6: prometheus.info[1].labels: must name at least one label`,
		`:8: prometheus.shares.metric: must be a metric name such as container_cpu_usage_seconds_total, is "a b"`,
		`:9: prometheus.shares.matchers: must be without the braces, is "{a=\"b\"}"`,
		`:10: prometheus.shares.unit: must be one of s, ms, us, ns, is "h"`,
		`:11: prometheus.shares.labels.project: must be a label name such as namespace, is ""`,
		`:11: prometheus.shares.labels.host: must name the labels by which shares name their machine, such as [node, instance]`,
		`:13: prometheus.shares.info[0].by: must name the labels that the query and the shares have in common`,
		`:13: prometheus.shares.info[0].labels.machine: must be left out: a share has the machine type of its machine`,
		`:13: prometheus.shares.info[0].labels: must name at least one label`,
		`:14: prometheus.fallback.busy_query: must be set together with idle_query or cores_query`,
		`:14: prometheus.fallback.busy_query: must not contain $__range: only $__interval and $__interval_seconds are replaced`,
		`:14: prometheus.fallback.host: must be a label name such as instance, is "a b"`,
	}},
	{"a directory in no place", "bad-directory-none.yml", []string{
		`:1: directory: must have file or prometheus`,
	}},
	{"a directory in a place of each kind", "bad-directory.yml", []string{
		`:2: directory.file: must end in .csv, .json, .yaml or .yml, is "testdata/owners.xls"`,
		`:3: directory.prometheus: must not be set together with file`,
		`:3: directory.prometheus.url: must begin with http:// or https:// and name a host`,
		`:3: directory.prometheus: must have metric, or names`,
		`:4: directory.refresh: must be from 10s to 1d, is 1s`,
	}},
	{"a directory beside MongoDB", "bad-directory-both.yml", []string{
		`:3: directory: must not be set together with mongodb: owners can come from one place only; remove one of the two sections`,
	}},
	{"an info metric that says nothing", "bad-directory-metric.yml", []string{
		`:2: directory.prometheus: must have a url of its own to have credentials and other settings of a client of its own`,
		`:3: directory.prometheus.metric: must be a metric name such as libvirt_domain_openstack_info, is "kube pod labels"`,
		`:4: directory.prometheus.matchers: must be without the braces, is "{namespace=\"a\"}"`,
		`:5: directory.prometheus.labels.host: must be a label name such as instance, is ""`,
		`:5: directory.prometheus.labels.group: must be set together with owner: a group is one of users`,
		`:7: directory.prometheus.names.project.id: must be a label name such as id, is ""`,
		`:8: directory.prometheus.names.user.matchers: has an unterminated quote: "\""`,
	}},
	{"queries that look at different times", "bad-windows.yml", []string{
		`:2: prometheus.busy_query: must contain $__interval or $__interval_seconds if and only if idle_query does: both must cover the same time`,
	}},
	{"a second reading after everything is settled", "bad-reread-late.yml", []string{
		`:3: prometheus.reread_after: must be longer than lag (2m) and shorter than settle_after (3h), or 0 for no second reading, is 3h`,
	}},
	{"a second reading before the first", "bad-reread-early.yml", []string{
		`:3: prometheus.reread_after: must be longer than lag (10m) and shorter than settle_after (1d), or 0 for no second reading, is 10m`,
	}},
	{"fewer samples than none", "bad-samples.yml", []string{
		`:2: prometheus.max_samples_per_query: must not be negative (0: only the server limits a query), is -1`,
	}},
	{"queries with variables of Grafana", "bad-variables.yml", []string{
		`:2: prometheus.busy_query: must not contain $__rate_interval: only $__interval and $__interval_seconds are replaced`,
		`:3: prometheus.idle_query: must not contain $__interval_ms: only $__interval and $__interval_seconds are replaced`,
		`:4: prometheus.cores_query: must not contain $__range: only $__interval and $__interval_seconds are replaced`,
	}},
	{"idle time from cores without busy time", "bad-idle-alone.yml", []string{
		`:2: prometheus.idle_query: must be set together with busy_query`,
	}},
	{"budgets of nobody, of no time and of no amount", "bad-budgets.yml", []string{
		`:2: budgets[0].scope: must be site, ada, project, machine, user or group, is ""`,
		`:2: budgets[0].target: must name the project, machine, user or group`,
		`:5: budgets[1].target: must name the project, machine, user or group`,
		`:7: budgets[1].period: must be day, week, month, quarter or year, is "fortnight"`,
		`:8: budgets[1].gco2eq: must be positive, is -1`,
		`:9: budgets[2].name: must be unique, but "no-target" is used already`,
		`:9: budgets[2]: must have period, or from and to`,
		`:11: budgets[2].target: must be left out for the scope ada, is "all"`,
		`:13: budgets[2].kwh: must not be set together with gco2eq`,
		`:13: budgets[2].kwh: must be positive, is 0`,
		`:14: budgets[3].name: must not be empty`,
		`:14: budgets[3]: must have a limit: gco2eq, kgco2eq, tco2eq, kwh or mwh`,
		`:16: budgets[3].period: must not be set together with from and to`,
		`:18: budgets[3].to: must be after from, 2026-01-01, is 2026-01-01`,
		`:19: budgets[4].to: must be the day after the last, such as 2027-01-01, is ""`,
		`:22: budgets[4].from: must be the first day, such as 2026-01-01, is "1 January"`,
		`:23: budgets[4].kwh: must be finite, is +Inf`,
		`:26: budgets[5].target: must be left out for the scope site, is "ISIS"`,
		`:29: budgets[5].tco2eq: must not be set together with gco2eq`,
		`:30: budgets[5].mwh: must not be set together with gco2eq`,
		`:30: budgets[5].mwh: must be positive, is -2`,
	}},
	{"a provider that is not there and places that are none", "bad-carbon-intensity.yml", []string{
		`:2: carbon_intensity.provider: must be uk or static, is "us"`,
		`:4: carbon_intensity.uk.url: must begin with http:// or https:// and name a host`,
		`:5: carbon_intensity.uk.region_id: must be 1 to 17, or 0 for none, is 18`,
		`:6: carbon_intensity.uk.postcode: must be the first half of a postcode, such as OX11, is "OX11 0QX"`,
		`:6: carbon_intensity.uk.postcode: must not be set together with region_id`,
		`:8: carbon_intensity.static.gco2eq_per_kwh: must be 0 to 1000, is 210890`,
		`:9: carbon_intensity.static.grid: must not be empty`,
	}},
	{"one value for all time that is not given", "bad-static-nothing.yml", []string{
		`:1: carbon_intensity.static.gco2eq_per_kwh: must be given with provider: static; set it to the gCO2eq/kWh of your grid or contract, and carbon_intensity.static.source to where that is from`,
	}},
	{"a grid and a source without a value", "bad-static-value.yml", []string{
		`:3: carbon_intensity.static.gco2eq_per_kwh: must be given with provider: static; set it to the gCO2eq/kWh of your grid or contract, and carbon_intensity.static.source to where that is from`,
	}},
	{"a chain with everything wrong", "bad-chain.yml", []string{
		`:2: carbon_intensity.provider: must not be set together with sources, of which it is the short form; make it one of them`,
		`:3: carbon_intensity.basis.signal: must be average or marginal, is "mean"`,
		`:3: carbon_intensity.basis.emissions: must be lifecycle or direct, is "operational"`,
		`:3: carbon_intensity.basis.electricity: must be consumption or production, is "export"`,
		`:5: carbon_intensity.sources[0]: must be one source, is static and uk; begin each with a dash of its own`,
		`:6: carbon_intensity.sources[1]: must name a source: ` + strings.Join(kindNames(), ", "),
		`:7: carbon_intensity.sources[2].uk.url: must begin with http:// or https:// and name a host`,
		`:8: carbon_intensity.sources[3].static.gco2eq_per_kwh: must be given with static; set it to the gCO2eq/kWh of your grid or contract, and carbon_intensity.sources[3].static.source to where that is from`,
		`:9: carbon_intensity.sources[4]: a source of the name "uk" is there already; give one of them another name`,
		`:11: carbon_intensity.also[0].sources: must name at least one source`,
		`:12: carbon_intensity.also[1].name: must be unique, but "lifecycle" is used already`,
		`:12: carbon_intensity.also[1].static.gco2eq_per_kwh: must be 0 to 1000, is -1`,
		`:13: carbon_intensity.also[2].name: must be made of letters, digits and _, and not begin with a digit, is "market based"`,
		`:14: carbon_intensity.also[3]: must have sources, or be one source, not both`,
		`:16: carbon_intensity.marginal.sources: must name at least one source`,
		`:18: carbon_intensity.elsewhere[0].grid: must not be empty`,
		`:19: carbon_intensity.elsewhere[1].sources[0]: must name a source: ` + strings.Join(kindNames(), ", "),
	}},
	{"sources in no form that is known", "bad-chain-form.yml", []string{
		`:3: carbon_intensity.sources[0].static: must be a number, or a mapping with gco2eq_per_kwh, is a list`,
		`:4: carbon_intensity.sources[1].static: must be a number, is "much"`,
		`:5: unknown key "electricity" in carbon_intensity.sources[2]`,
		`:6: carbon_intensity.sources[3]: must be the name of a source, or a mapping with it, is a list`,
	}},
	{"a table of nowhere", "bad-grid-table.yml", []string{
		`:3: carbon_intensity.sources[0].table.zone: must be the code of a country, such as FR, or EU, or WORLD`,
		`:4: carbon_intensity.sources[1].table.zone: must be the code of a country, such as FR, or EU, or WORLD`,
	}},
	{"a series of carbon intensity without a query", "bad-grid-prometheus.yml", []string{
		`:3: carbon_intensity.sources[0].prometheus.query: must not be empty`,
		`:3: carbon_intensity.sources[0].prometheus.unit: must be g/kWh, kg/MWh, kg/kWh, lb/MWh or t/MWh, is "g"`,
		`:5: carbon_intensity.sources[1].prometheus: must have a url of its own to have credentials and other settings of a client of its own`,
		`:5: carbon_intensity.sources[1].prometheus.query: must not be empty`,
		`:5: carbon_intensity.sources[1].prometheus.hold: must be whole minutes, at most 12h, is 1m30s`,
		`:7: carbon_intensity.sources[2].prometheus.url: must begin with http:// or https:// and name a host`,
		`:7: carbon_intensity.sources[2].prometheus.hold: must be whole minutes, at most 12h, is 13h`,
	}},
	{"a country that is none", "bad-grid-energy-charts.yml", []string{
		`:3: carbon_intensity.sources[0].energy_charts.country: must be the code of a country, such as de or fr, is ""`,
		`:4: carbon_intensity.sources[1].energy_charts.url: must begin with http:// or https:// and name a host`,
		`:4: carbon_intensity.sources[1].energy_charts.country: must be the code of a country, such as de or fr, is "Germany"`,
	}},
	{"grids of one country that are none", "bad-grid-national.yml", []string{
		`:3: carbon_intensity.sources[0].rte.url: must begin with http:// or https:// and name a host`,
		`:4: carbon_intensity.sources[1].energinet.area: must be DK1 or DK2, is "dk1"`,
		`:5: carbon_intensity.sources[2].openelectricity.token_file: must not be set together with token`,
		`:5: carbon_intensity.sources[2].openelectricity.network: must be NEM or WEM, is "NSW1"`,
		`:5: carbon_intensity.sources[2].openelectricity.region: must be the code of a region of the network, such as NSW1, is "New South Wales"`,
		`:6: carbon_intensity.sources[3].openelectricity.token_file: must be given: the file that holds the key of the API; or token, the key itself`,
	}},
	{"zones that Electricity Maps does not have, and no key", "bad-grid-electricity-maps.yml", []string{
		`:3: carbon_intensity.sources[0].electricity_maps.token_file: must be given: the file that holds the key of the API; or token, the key itself`,
		`:3: carbon_intensity.sources[0].electricity_maps.zone: must be a zone of Electricity Maps, such as FR or US-CAL-CISO, is "France"`,
		`:3: carbon_intensity.sources[0].electricity_maps.granularity: must be 5_minutes, 15_minutes or hourly, is "daily"`,
		`:3: carbon_intensity.sources[0].electricity_maps.horizon: must be 6h, 24h, 48h or 72h, or 0s for no forecasts, is 12h`,
		`:6: carbon_intensity.sources[1].electricity_maps.url: must begin with http:// or https:// and name a host`,
		`:7: carbon_intensity.sources[1].electricity_maps.zone: must be a zone of Electricity Maps, such as FR or US-CAL-CISO, is ""`,
		`:9: carbon_intensity.sources[1].electricity_maps.token_file: must not be set together with token`,
		`:10: carbon_intensity.sources[2].electricity_maps.token_file: must be given: the file that holds the key of the API; or token, the key itself`,
		`:10: carbon_intensity.sources[2].electricity_maps.zone: must be a zone of Electricity Maps, such as FR or US-CAL-CISO, is ""`,
	}},
	{"no account at WattTime", "bad-grid-watttime.yml", []string{
		`:3: carbon_intensity.sources[0].watttime.region: must be a region of WattTime, such as CAISO_NORTH, is ""`,
		`:3: carbon_intensity.sources[0].watttime.signal: must be co2_aoer or co2_moer, is "health_damage"`,
		`:3: carbon_intensity.sources[0].watttime.basic_auth: must have username and password_file (or password), those of the account at WattTime`,
		`:4: carbon_intensity.sources[1].watttime.basic_auth: must have username and password_file (or password), those of the account at WattTime`,
		`:5: carbon_intensity.sources[2].watttime.region: must be a region of WattTime, such as CAISO_NORTH, is "CAISO NORTH"`,
		`:5: carbon_intensity.sources[2].watttime.basic_auth: must have username and password_file (or password), those of the account at WattTime`,
	}},
	{"ENTSO-E without its zone and key", "bad-entsoe.yml", []string{
		`:3: carbon_intensity.sources[0].entsoe.url: must begin with http:// or https:// and name a host`,
		`:3: carbon_intensity.sources[0].entsoe.token_file: must not be set together with token`,
		`:3: carbon_intensity.sources[0].entsoe.zone: must be given: a bidding zone or country such as DE-LU or FR, or the EIC of an area`,
		`:4: carbon_intensity.sources[1].entsoe.token_file: must be given: the file that holds the key of the API; or token, the key itself`,
	}},
	{"EIA without its respondent and key", "bad-eia.yml", []string{
		`:3: carbon_intensity.sources[0].eia.url: must begin with http:// or https:// and name a host`,
		`:3: carbon_intensity.sources[0].eia.token_file: must not be set together with token`,
		`:3: carbon_intensity.sources[0].eia.respondent: must be the code of a balancing authority or region, such as CISO or US48, is "New York"`,
		`:4: carbon_intensity.sources[1].eia.token_file: must be given: the file that holds the key of the API; or token, the key itself`,
		`:4: carbon_intensity.sources[1].eia.respondent: must be the code of a balancing authority or region, such as CISO or US48, is ""`,
	}},
	{"two documents", "bad-documents.yml", []string{
		`: has several YAML documents, but only one is allowed`,
	}},
	{"a key twice in one line", "bad-duplicate-key-in-line.yml", []string{
		`:2: duplicate key "project"`,
	}},
	{"a key twice, in three sections", "bad-duplicate-key.yml", []string{
		`:5: power.busy_watts: duplicate key, first set in line 3`,
		`:8: power.machines.Muon: duplicate key, first set in line 7`,
		`:9: interval: duplicate key, first set in line 1`,
	}},
	{"a client that its own package refuses", "bad-http-client.yml", []string{
		`:2: prometheus.tls_config: exactly one of key or key_file must be configured when a client certificate is configured`,
		`:4: prometheus.oauth2: if proxy_from_environment is configured, no_proxy must not be configured`,
	}},
	{"an interval of two days", "bad-interval-long.yml", []string{
		`:1: interval: must divide 24h, is 2d; use 1d`,
	}},
	{"an interval that half hours cut too small", "bad-interval-pieces.yml", []string{
		`:1: interval: an interval of 1m36s is split at half hours into pieces of 24s, shorter than 1m; use 1m or 2m`,
		`:2: timezone: must be a time zone such as Europe/London, is "Local"`,
	}},
	{"an interval of half a minute", "bad-interval-short.yml", []string{
		`:1: interval: must be at least 1m, is 30s`,
	}},
	{"a list in place of a mapping", "bad-list.yml", []string{
		`:1: must be a mapping of keys to values, is a list`,
	}},
	{"a database without an address", "bad-mongodb-none.yml", []string{
		`:1: mongodb: must have uri or uri_file`,
	}},
	{"a lake without a bucket, and a site that is two directories", "bad-lake.yml", []string{
		`:1: lake.objstore_config_file: must be given: the file that says where the bucket is, as Thanos reads it`,
		`:2: lake.site: must have up to 63 letters, digits, '.', '_' and '-', and begin with a letter or digit, is "harwell/north"`,
	}},
	{"a lake without a site", "bad-lake-none.yml", []string{
		`:1: lake.site: must be given: the name of this site in the bucket; no other exporter may have the same`,
	}},
	{"a field that no document is asked for", "bad-mongodb-field.yml", []string{
		`:3: unknown key "host" in mongodb.fields.workspaces`,
	}},
	{"users shown in no known way", "bad-privacy.yml", []string{
		`:2: attribution.user_label: must be id, pseudonym or none, is "name"`,
		`:3: attribution.pseudonym_key_file: is needed with user_label: pseudonym, and only then`,
		`:4: attribution.max_users: must not be negative (0: all are named), is -1`,
	}},
	{"pseudonyms without a key", "bad-pseudonym.yml", []string{
		`:1: attribution.pseudonym_key_file: is needed with user_label: pseudonym, and only then`,
	}},
	{"a database with two addresses and no names", "bad-mongodb.yml", []string{
		`:1: attribution.group_by: must be project, project_machine or directory, is "team"`,
		`:3: mongodb.uri: must not be set together with uri_file`,
		`:5: mongodb.database: must not be empty`,
		`:6: mongodb.collections.users: must not be empty`,
		`:7: mongodb.fields.workspaces.hostname: must not be empty`,
		`:7: mongodb.fields.hosts.machine_name: must not be empty`,
		`:8: mongodb.refresh: must be from 10s to 1d, is 1s`,
		`:9: mongodb.timeout: must be from 100ms to 10m, is 11m`,
	}},
	{"keys without a value", "bad-no-value.yml", []string{
		`:1: prometheus: has no value; leave the key out for its default`,
		`:4: power.busy_watts: has no value; leave the key out for its default`,
		`:7: attribution.groups[0]: has no value; leave the key out for its default`,
	}},
	{"a server with two credentials", "bad-prometheus-more.yml", []string{
		`:1: prometheus: at most one of basic_auth, oauth2 & authorization must be configured`,
		`:2: prometheus.url: must not have a query or a fragment`,
		`:3: prometheus.matchers: has an unterminated quote: "job=\"node\\\""`,
		`:4: prometheus.busy_modes: must name at least one mode`,
		`:5: prometheus.idle_query: must be set together with busy_query`,
	}},
	{"a query that cannot be built", "bad-prometheus.yml", []string{
		`:2: prometheus.url: must begin with http:// or https:// and name a host`,
		`:3: prometheus.timeout: must be positive, is 0s`,
		`:4: prometheus.metric: must be a metric name such as node_cpu_seconds_total, is "node-cpu"`,
		`:5: prometheus.matchers: must be without the braces, is "{job=\"node\"}"`,
		`:6: prometheus.labels.project: must be a label name such as project, is ""`,
		`:6: prometheus.labels.host: must be a label of its own, is "instance", the same as machine`,
		`:6: prometheus.labels.user: must be a label of its own, is "mode", the same as mode`,
		`:7: prometheus.busy_modes[1]: must be a simple word such as user, is "us|er"`,
		`:7: prometheus.busy_modes[2]: "user" is in busy_modes already; each mode can be listed once`,
		`:8: prometheus.idle_modes[1]: "user" is in busy_modes already; each mode can be listed once`,
		`:9: prometheus.busy_query: must be set together with idle_query or cores_query`,
	}},
	{"series whose labels and modes are mixed up", "bad-series.yml", []string{
		`:2: prometheus.labels.host: must be a label of its own, is "instance", the same as mode`,
		`:2: prometheus.labels.cpu: must not be empty, or prometheus.cores_query must be set: without this label the cores cannot be counted`,
		`:4: prometheus.other_modes[0]: "steal" is in busy_modes already; each mode can be listed once`,
		`:4: prometheus.other_modes[1]: must be a simple word such as user, is "a b"`,
		`:4: prometheus.other_modes[3]: "guest" is in other_modes already; each mode can be listed once`,
	}},
	{"text that is no YAML", "bad-syntax.yml", []string{
		`:3: not valid YAML near this line: did not find expected key`,
	}},
	{"an interval that does not divide the day", "bad-times.yml", []string{
		`:1: interval: must divide 24h, is 7m; use 6m or 8m`,
		`:2: lookback: must be at least the interval of 7m, is 5m`,
		`:3: timezone: must be a time zone such as Europe/London, is "Europe/Lundon"`,
		`:4: metrics.keep: must be at least 1h (0 does not mean for ever), is 0s`,
	}},
	{"values of another type", "bad-type.yml", []string{
		`:1: interval: must be a duration such as 30m or 1d, is "soon"`,
		`:2: lookback: must be a duration such as 30m or 1d, is "90"`,
		`:4: prometheus.url: must be a URL such as http://localhost:9090`,
		`:5: prometheus.labels: must be a mapping, is a list`,
		`:6: prometheus.busy_modes: must be a list, is a plain value`,
		`:7: prometheus.follow_redirects: must be true or false, is "maybe"`,
		`:8: prometheus.tls_config.min_version: must be a TLS version such as TLS12, is "TLS9"`,
		`:9: prometheus.basic_auth: must be a mapping, is a plain value`,
		`:11: prometheus.http_headers.X-Scope-OrgID.secrets: must be a list, is a plain value`,
		`:13: power.busy_watts: must be a number, is "twelve"`,
		`:14: power.idle_watts: must be a number, is "1"`,
		`:15: power.pue: must be a number, is "low"`,
		`:17: power.machines.Muon: must be a mapping, is a plain value`,
		`:19: carbon_intensity.uk.region_id: must be a whole number, is "13.7"`,
		`:22: attribution.groups[0]: must be a mapping, is a plain value`,
		`:23: attribution.groups[1].name: must be text, is a list`,
		`:24: timezone: must be text, is a list`,
	}},
	{"keys that are misspelt", "bad-unknown-key.yml", []string{
		`:7: unknown key "bussy_watts" in power.machines.Muon`,
		`:8: unknown key "idle_wats" in power.machines.Muon`,
		`:12: unknown key "pasword" in prometheus.basic_auth`,
		`:13: unknown key "password_file" in prometheus`,
		`:15: unknown key "credentials_ref" in prometheus.authorization`,
		`:16: unknown key "colour"`,
	}},
}

func TestBadFiles(t *testing.T) {
	tested := map[string]bool{}
	for _, test := range slices.Concat(badFiles, badPower) {
		tested[test.file] = true
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join("testdata", test.file)
			_, err := Load(path)
			if err == nil {
				t.Fatal("is taken")
			}
			want := path + strings.Join(test.want, "\n"+path)
			if err.Error() != want {
				t.Errorf("got\n%s\nwant\n%s", err, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("shows a secret")
			}
		})
	}
	for _, path := range files(t, "testdata/bad-*.yml") {
		if !tested[filepath.Base(path)] {
			t.Errorf("%s has no test", path)
		}
	}
}
