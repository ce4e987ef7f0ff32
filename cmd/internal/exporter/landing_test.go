// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// read is the landing page as somebody reads it.
func read(t *testing.T, url string) string {
	t.Helper()
	status, page := ask(t, http.MethodGet, url+"/")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	_, body, _ := strings.Cut(page, "<body>")
	body = strings.ReplaceAll(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), "\u00a0", " ")
	return strings.Join(strings.Fields(body), " ")
}

// stopped is a clock in the middle of a month.
type stopped struct{ clock.Real }

func (stopped) Now() time.Time { return time.Date(2026, time.November, 18, 12, 10, 0, 0, time.UTC) }

// used is a daemon whose last two days have usage.
func used(t *testing.T, args ...string) (*daemon, string) {
	t.Helper()
	d, server := prepared(t, args...)
	d.clock = stopped{}
	now := d.clock.Now()
	steady(t, d, now.Add(-48*time.Hour), now.Add(-30*time.Minute))
	d.Changed(t.Context())
	return d, server.URL
}

func saysAll(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not say %q:\n%s", part, page)
		}
	}
}

func TestTheLandingPageShowsWhatMetricsShow(t *testing.T) {
	d, url := used(t, "--config.file="+configFile(t, `
attribution: {groups: [{name: ISIS, projects: [IDAaaS]}]}
budgets: [{name: week, scope: ada, period: week, kwh: 0.1}]
`))
	page := read(t, url)
	// 0.4 kWh in half an hour, at 100 g/kWh.
	saysAll(t, page, "Power now 800 W 0 W of it idle", "Carbon now 80.0 g/h", "CLF 600 W", "IDAaaS 200 W", "75 %", "25 %", "ISIS 200 W", "1042 800 W",
		"Budget week", "week whole site", "of 100 Wh (",
		"This month 38.4 kWh 3.84 kg CO₂eq since 16 November 12:00")
	if strings.Contains(page, "of it missing") {
		t.Errorf("what was never asked for is missing:\n%s", page)
	}
	if strings.Contains(page, "Nothing found") || strings.Contains(page, "National Energy System Operator") || strings.Contains(page, "48 hours") {
		t.Errorf("the page says too much:\n%s", page)
	}
	d.Notice(usage.TopicUsage, "there is none any more")
	saysAll(t, read(t, url), "Nothing found any more there is none any more")
}

func TestTheLandingPageWithoutUsage(t *testing.T) {
	d, url := used(t, "--config.file="+configFile(t, ""), "--web.landing=state")
	d.Requested(usage.SourcePrometheus, time.Second, nil)
	page := read(t, url)
	saysAll(t, page, "Everything answers", "Prometheus CPU time of machines responded")
	for _, never := range []string{"CLF", "IDAaaS", "800 W", "kWh of", "g/h", "1042", "Today"} {
		if strings.Contains(page, never) {
			t.Errorf("the page says %q:\n%s", never, page)
		}
	}
	if code := Run([]string{"--web.landing=none"}, &screen{}, &screen{}); code != exitUse {
		t.Errorf("another value: exit code %d", code)
	}
}

func TestTheLandingPageShowsUsersAsMetricsDo(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, strings.Repeat("k", 32))
	for _, test := range []struct{ name, attribution string }{
		{"by pseudonym", "{user_label: pseudonym, pseudonym_key_file: " + key + "}"},
		{"not at all", "{user_label: none}"},
		{"none but the first", "{max_users: 1}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, url := used(t, "--config.file="+configFile(t, "attribution: "+test.attribution+"\nbudgets: [{name: b, scope: user, target: '1042', period: year, kwh: 3}]\n"))
			now := usage.IntervalAt(d.clock.Now().Add(-30*time.Minute), usage.SlotLength)
			storetest.Commit(t, d.store, usage.Record{Interval: now, State: usage.Unpriced, PUE: 1, FetchedAt: now.End(), Facts: []usage.Fact{{
				Key: usage.Key{Project: "CLF", Machine: "Laser", User: "secondperson", Group: "CLF"}, Start: now.Start,
				Energy: usage.ByMode[usage.KWh]{Busy: 0.001},
			}}})
			d.caughtUp.Store(true)
			d.Changed(t.Context())
			page := read(t, url)
			_, metrics := ask(t, http.MethodGet, url+"/metrics")
			for _, user := range []string{"1042", "secondperson"} {
				if shown := strings.Contains(metrics, `user="`+user+`"`); shown != strings.Contains(page, user) {
					t.Errorf("%s is on /metrics: %v, but not so on the page:\n%s", user, shown, page)
				}
			}
			if strings.Contains(page, "Users, by energy") == (test.name == "not at all") {
				t.Errorf("a list of users is there, or not:\n%s", page)
			}
			for _, m := range regexp.MustCompile(`user="([0-9a-f]{16})"`).FindAllStringSubmatch(metrics, -1) {
				if _, err := hex.DecodeString(m[1]); err == nil && !strings.Contains(page, m[1]) {
					t.Errorf("the pseudonym %s is not on the page", m[1])
				}
			}
		})
	}
}

// TestTheLandingPageSaysWhyThereIsNothing runs the whole program against servers that are no
// Prometheus.
func TestTheLandingPageSaysWhyThereIsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, path, fmt.Sprintf("prometheus: {url: %q}\n", broken(t))+"carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210}}\n")
	p := start(t, storage(t), "--config.file="+path)
	eventually(t, "the page says why", func() bool {
		page := read(t, p.url)
		return strings.Contains(page, "Nothing found yet: Prometheus does not answer") && strings.Contains(page, "500") && strings.Contains(page, "out of order")
	})
}

func TestThePageIsBounded(t *testing.T) {
	d, server := prepared(t, "--config.file="+configFile(t, ""))
	d.clock = stopped{}
	i := usage.IntervalAt(d.clock.Now().Add(-time.Hour), usage.SlotLength)
	rec := usage.Record{Interval: i, State: usage.Unpriced, PUE: 1, FetchedAt: i.End()}
	for n := range 3000 {
		name := fmt.Sprintf("%05d-%s", n, strings.Repeat("x", 100))
		rec.Facts = append(rec.Facts, usage.Fact{
			Key: usage.Key{Project: name, Machine: name, User: name, Group: "g" + name}, Start: i.Start, Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(n + 1)},
		})
	}
	storetest.Commit(t, d.store, rec)
	d.Changed(t.Context())
	_, page := ask(t, http.MethodGet, server.URL+"/")
	if len(page) > 60<<10 || !strings.Contains(page, "2,990\u00a0others") {
		t.Errorf("%d bytes", len(page))
	}
}
