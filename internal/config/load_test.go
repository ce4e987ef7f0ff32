// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// files are those of a pattern; a pattern that finds none is a test of nothing.
func files(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no file %s: %v", pattern, err)
	}
	return found
}

func TestGoodFilesLoad(t *testing.T) {
	for _, path := range slices.Concat(files(t, "testdata/good*.yml"), files(t, "../../examples/*.yml"), files(t, "../../examples/*/carbon.yml")) {
		if filepath.Base(path) == "bucket.yml" {
			continue // says where a bucket is, to those who read buckets
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			if _, err := Load(path); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestGoodFileSetsEveryKey(t *testing.T) {
	c, err := Load("testdata/good.yml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := time.Duration(c.Interval), time.Hour; got != want {
		t.Errorf("interval %s, want %s", got, want)
	}
	if got, want := c.Prometheus.Labels, (Labels{Project: "tenant", Machine: "flavor", Host: "vm", User: "owner", CPU: "core", Mode: "state"}); got != want {
		t.Errorf("labels %v, want %v", got, want)
	}
	if c.Prometheus.HTTPClientConfig.FollowRedirects || !c.Prometheus.HTTPClientConfig.EnableHTTP2 {
		t.Errorf("follow_redirects and enable_http2 are %t and %t, want what the file says and the default",
			c.Prometheus.HTTPClientConfig.FollowRedirects, c.Prometheus.HTTPClientConfig.EnableHTTP2)
	}
	if m := c.Power.Machines["c3.large"]; m.BusyWatts != nil || m.IdleWatts == nil || *m.IdleWatts != 0 {
		t.Errorf("machine c3.large is %v, want no busy watts and idle watts of 0", m)
	}
	if s := c.CarbonIntensity.Static; s == nil || s.GCO2eqPerKWh == nil || *s.GCO2eqPerKWh != 0 || s.Grid != "roof" || s.Source != "the panels on it" {
		t.Errorf("static is %+v, want a value of 0", s)
	}
	if got, want := c.Location().String(), "America/New_York"; got != want {
		t.Errorf("location %s, want %s", got, want)
	}
	if got, want := c.Budgets[1].From, "2026-01-01"; got != want {
		t.Errorf("a budget's from is %q, want %q", got, want)
	}

	defaults := Default()
	for _, name := range []string{"Interval", "Lookback", "SettleAfter", "Prometheus", "Power", "Embodied", "CarbonIntensity", "Attribution", "MongoDB", "Budgets", "Timezone", "Metrics"} {
		got, std := reflect.ValueOf(*c).FieldByName(name).Interface(), reflect.ValueOf(defaults).FieldByName(name).Interface()
		if reflect.DeepEqual(got, std) {
			t.Errorf("%s is still the default", name)
		}
	}
}

func TestDefaultsStayWhereAFileIsSilent(t *testing.T) {
	c, err := Load("testdata/good-directory.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Attribution.GroupBy = GroupByDirectory
	want.Prometheus.Labels.User = "owner"
	mongo := defaultMongoDB()
	mongo.URI, mongo.Collections.Users = "mongodb://localhost", "people"
	mongo.Fields.Workspaces.Owner = "parameters.owner"
	want.MongoDB = &mongo
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
}

// TestAStaticValueIsOnlyWhatTheFileSays: it has no default, and its grid is not that of another
// provider.
func TestAStaticValueIsOnlyWhatTheFileSays(t *testing.T) {
	c, err := Parse("carbon.yml", []byte("carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 56}}"))
	if err != nil {
		t.Fatal(err)
	}
	if s := c.CarbonIntensity.Static; *s.GCO2eqPerKWh != 56 || s.Grid != "unknown" || s.Source != "" {
		t.Errorf("got %+v", s)
	}
	for _, text := range []string{"", "carbon_intensity: {provider: uk}"} {
		if c, err = Parse("carbon.yml", []byte(text)); err != nil || c.CarbonIntensity.Provider != ProviderUK || c.CarbonIntensity.Static != nil {
			t.Errorf("%q: %+v, %v", text, c.CarbonIntensity, err)
		}
	}
	if shown, err := c.Redacted(); err != nil || strings.Contains(shown, "static") {
		t.Errorf("shows %s, %v", shown, err)
	}
}

func TestADirectoryIsReadOftenEnoughForWhereItIs(t *testing.T) {
	for _, test := range []struct {
		name, text string
		every      time.Duration
		file       string
	}{
		{"a file", "directory: {file: who/owners.csv}", 30 * time.Second, "/etc/carbon/who/owners.csv"},
		{"a file by its whole path", "directory: {file: /srv/owners.yaml, refresh: 1m}", time.Minute, "/srv/owners.yaml"},
		{"a metric", "directory: {prometheus: {metric: kube_pod_labels, labels: {host: pod, owner: label_owner}}}", 5 * time.Minute, ""},
		{"a metric, often", "directory: {prometheus: {metric: kube_pod_labels, labels: {owner: label_owner}}, refresh: 10s}", 10 * time.Second, ""},
	} {
		c, err := Parse("/etc/carbon/carbon.yml", []byte(test.text))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if d := c.Directory; time.Duration(d.Refresh) != test.every || d.File != test.file {
			t.Errorf("%s: got %+v", test.name, d)
		}
		if p := c.Directory.Prometheus; p != nil && (p.Names.Project.ID != "id" || !p.HTTPClientConfig.FollowRedirects) {
			t.Errorf("%s: got %+v", test.name, p)
		}
	}
}

func TestDefaultIsWhatAnEmptyFileMeans(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{"no text at all", ""},
		{"only blanks", " \n\n"},
		{"only a comment", "# nothing\n"},
		{"an empty document", "---\n"},
		{"an empty document that ends", "---\n...\n"},
		{"a byte order mark", "\ufeff"},
		{"nothing, written out", "null\n"},
		{"an empty mapping", "{}\n"},
		{"an empty mapping and a comment", "# nothing\n{} # at all\n"},
		{"sections without keys", "prometheus: {}\nattribution:\n  {}\n"},
		{"sections of sections without keys", "prometheus: {labels: {}}\n"},
		{"an empty section and its alias", "prometheus: &empty {}\npower: *empty\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("carbon.yml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if want := Default(); !reflect.DeepEqual(*c, want) {
				t.Errorf("got  %+v\nwant %+v", *c, want)
			}
			if !IsEmpty([]byte(test.text)) {
				t.Error("is not empty")
			}
		})
	}
}

// TestDefaultsFitWhatAFileSays: a file that sets one key must not fail because of the default of
// another.
func TestDefaultsFitWhatAFileSays(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"nothing", "", "other_modes [steal guest guest_nice], reread_after 3h"},
		{"steal counts as busy", "prometheus: {busy_modes: [user, steal]}", "other_modes [guest guest_nice], reread_after 3h"},
		{"guest is told from user", "prometheus: {busy_modes: [guest, guest_nice], idle_modes: [idle, steal]}", "other_modes [], reread_after 3h"},
		{"other modes are set, too", "prometheus: {busy_modes: [user, steal], other_modes: [guest]}", "other_modes [guest], reread_after 3h"},
		{"there are no other modes", "prometheus: {other_modes: []}", "other_modes [], reread_after 3h"},
		{"all is settled when the second reading would come", "settle_after: 3h", "other_modes [steal guest guest_nice], reread_after 1h31m"},
		{"settled at once", "settle_after: 0s", "other_modes [steal guest guest_nice], reread_after 0s"},
		{"settled before the first reading", "settle_after: 1h\nprometheus: {lag: 1h}", "other_modes [steal guest guest_nice], reread_after 0s"},
		{"no whole second between the two", "settle_after: 120500ms", "other_modes [steal guest guest_nice], reread_after 0s"},
		{"a first reading that is later than that", "prometheus: {lag: 4h}", "other_modes [steal guest guest_nice], reread_after 14h"},
		{"no second reading", "prometheus: {reread_after: 0s}", "other_modes [steal guest guest_nice], reread_after 0s"},
		{"a second reading of its own", "settle_after: 3h\nprometheus: {reread_after: 2h59m}", "other_modes [steal guest guest_nice], reread_after 2h59m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check := func(text string) *Config {
				t.Helper()
				c, err := Parse("carbon.yml", []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprintf("other_modes %v, reread_after %s", c.Prometheus.OtherModes, c.Prometheus.RereadAfter); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				return c
			}
			shown, err := check(test.file).Redacted()
			if err != nil {
				t.Fatal(err)
			}
			check(shown) // what /config shows means the same
		})
	}
}

func TestGivenQueries(t *testing.T) {
	for _, test := range []struct{ name, keys string }{
		{"busy and idle", "busy_query: busy, idle_query: idle"},
		{"busy and idle with a window each way", "busy_query: 'busy[$__interval]', idle_query: 'idle * $__interval_seconds'"},
		{"busy and cores", "busy_query: 'busy[$__interval]', cores_query: cores"},
		{"busy of a fixed window and cores", "busy_query: busy, cores_query: 'max_over_time(cores[$__interval])'"},
		{"busy, idle and cores", "busy_query: busy, idle_query: idle, cores_query: cores"},
		{"cores alone", "cores_query: cores"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse("carbon.yml", []byte("prometheus: {"+test.keys+"}")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFileThatSetsAKeyIsNotEmpty(t *testing.T) {
	for _, text := range []string{"interval: 30m", "{interval: 30m}", "prometheus:", "prometheus: {}\npower: {pue: 1}", "budgets: []", "- a", "text", "{", "{}\n---\n{}"} {
		if IsEmpty([]byte(text)) {
			t.Errorf("%q is empty", text)
		}
	}
}

func TestDefaultIsValidAndNotShared(t *testing.T) {
	a, b := Default(), Default()
	f := &faults{file: "default"}
	a.validate(f)
	if err := f.err(); err != nil {
		t.Error(err)
	}
	a.Prometheus.BusyModes[0] = "steal"
	a.Prometheus.URL.Host = "elsewhere"
	if want := Default(); !reflect.DeepEqual(b, want) {
		t.Error("a change to one default is in another")
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	absent := filepath.Join(dir, "absent.yml")
	_, err := Load(absent)
	if want := absent + ": open: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("absent file: %v, want %s", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: %v is not fs.ErrNotExist", err)
	}

	large := filepath.Join(dir, "large.yml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#\n", maxSize/2)+"#"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(large)
	if want := large + ": is larger than 1 MiB"; err == nil || err.Error() != want {
		t.Errorf("large file: %v, want %s", err, want)
	}
	if err := os.Truncate(large, maxSize); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large); err != nil {
		t.Errorf("file of just 1 MiB: %v", err)
	}
}

func TestNearbyIntervals(t *testing.T) {
	for _, test := range []struct {
		name     string
		interval time.Duration
		want     string
	}{
		{"between two divisors", 7 * time.Minute, "6m or 8m"},
		{"just under an hour", 59 * time.Minute, "48m or 1h"},
		{"not a whole minute", 70 * time.Second, "1m or 2m"},
		{"longer than a day", 25 * time.Hour, "1d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := nearbyIntervals(test.interval); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if _, err := Parse("carbon.yml", []byte("lookback: 1y\ninterval: "+model.Duration(test.interval).String())); err == nil {
				t.Error("the interval itself is taken")
			}
		})
	}
}
