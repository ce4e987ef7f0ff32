// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"crypto/sha256"
	"encoding/base64"
	stdhtml "html"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// text is a page as somebody reads it.
func text(t testing.TB, k Known) string {
	t.Helper()
	_, body, _ := strings.Cut(html(t, k), "<body>")
	body = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")
	return plain(strings.Join(strings.Fields(stdhtml.UnescapeString(body)), " "))
}

func TestThePageSaysHowItIs(t *testing.T) {
	for name, want := range map[string]struct{ has, lacks []string }{
		"full": {
			[]string{
				"3 things need attention", "Power now 2.69 kW", "Carbon now 404 g/h", "Today 700 kWh 105 kg CO₂eq",
				"Found: 96 machines with 1,200 cores in 2 projects: 93 exact, 1 interpolated, 2 refused.", "tomorrow 06:30 to 09:30",
				"Label machine_name Series of 1 project (CLF-analysis) lack it.", "pilots project pilot-00 24.2 kWh of 20 kWh (121 %)",
				"Budget clf At the rate of the last 7 days, 113 % of it will be used.", "National Energy System Operator", "CC BY 4.0",
			},
			[]string{"Nothing found", "All is well"},
		},
		"state": {
			[]string{"Everything answers", "Prometheus CPU time of machines responded"},
			[]string{"kWh of", "IDAaaS", "pilot", "2.69", "ISIS", "1042", "All is well"},
		},
		"nothing": {
			[]string{"Nothing found yet Prometheus answers and has no CPU seconds of any host: asked for node_cpu_seconds_total{job=\"nod\"}", "Power now not known yet", "48 intervals empty"},
			[]string{"All is well", "0 W ", "0 kWh", "0 g "},
		},
		"refused": {[]string{"Nothing found yet", "all 1 of them are refused", "0 exact, 0 interpolated, 1 refused", "To do: see whether prometheus.busy_modes"}, []string{"All is well"}},
		"static":  {[]string{"Grid 21.7 g/kWh one value for all time, grid FR from RTE, mean of 2025"}, []string{"National Energy System Operator", "next 48 hours", "Best time", "forecast"}},
		"down":    {[]string{"Power 5 hours ago", "nobody listens at 127.0.0.1:9090. Nothing is lost meanwhile", "The newest usage is 5 hours old.", "10 intervals missing"}, []string{"Power now", "All is well"}},
		"several": {
			[]string{
				"Grid now 44 g/kWh for FR, by table, the mean of a year", "3 things need attention", // as many as with one source
				"Carbon intensity by rte Down, last response 2h8m0s ago (2026-01-17T16:02:00Z): connection: no route to host. The other sources are asked meanwhile.",
				"Carbon intensity by table where rte has no value responded",
			},
			[]string{"actual at"},
		},
	} {
		got := text(t, pages(t)[name])
		for _, w := range want.has {
			if !strings.Contains(got, w) {
				t.Errorf("%s: does not say %q:\n%s", name, w, got)
			}
		}
		for _, w := range want.lacks {
			if strings.Contains(got, w) {
				t.Errorf("%s: says %q:\n%s", name, w, got)
			}
		}
	}
}

func TestASourceOfSeveralIsSaidAsLongAsAnotherStandsIn(t *testing.T) {
	k := pages(t)["several"]
	k.StateOnly = true
	if got := text(t, k); !strings.Contains(got, "All that is needed answers") || !strings.Contains(got, "Carbon intensity by rte Down") {
		t.Errorf("one is down:\n%s", got)
	}
	k.Parts[2].Bad, k.Parts[2].State, k.Parts[4].Bad = true, "down: nobody answers", true
	items := k.attention(nil, calendar{now, london(t)})
	if len(items) != 1 || !items[0].Bad || items[0].What != "Carbon intensity" {
		t.Errorf("all are down: %+v", items)
	}
	if got := text(t, k); !strings.Contains(got, "1 thing needs attention") {
		t.Errorf("all are down:\n%s", got)
	}
}

func TestNothingFoundIsNeverWell(t *testing.T) {
	none := cloud(t)
	none.Numbers = nil
	asked := func(bad bool, state string, states map[usage.State]int) Known {
		k := cloud(t)
		k.Numbers = &Numbers{States: states}
		k.Parts[1].Bad, k.Parts[1].State = bad, state
		return k
	}
	fresh := asked(false, "no request yet", nil)
	fresh.Parts[1].Asked = false
	for name, c := range map[string]struct {
		k    Known
		want string
	}{
		"nothing was published": {none, "Prometheus is being asked"},
		"it has just started":   {fresh, "Prometheus was not asked yet: the exporter has just started."},
		"Prometheus is down":    {asked(true, "down: nobody listens", nil), "Nothing found yet: Prometheus does not answer Prometheus is down: nobody listens."},
		"all is empty":          {asked(false, "responded", map[usage.State]int{usage.Empty: 2}), "has no CPU seconds of any host in 2 intervals."},
		"it is being asked":     {asked(false, "responded", map[usage.State]int{usage.Missing: 48}), "48 intervals are not fetched yet."},
	} {
		for _, stateOnly := range []bool{false, true} {
			c.k.StateOnly = stateOnly
			got := text(t, c.k)
			if !strings.Contains(got, c.want) || !strings.Contains(got, "Nothing found yet") || strings.Contains(got, "All is well") || strings.Contains(got, "Everything answers") {
				t.Errorf("%s: want %q:\n%s", name, c.want, got)
			}
		}
	}
	away := asked(true, "down: connection refused", nil)
	away.Notices = []Notice{{About: usage.TopicPrometheus, Text: "Prometheus cannot be read: nothing listens there", Since: now}}
	if got := text(t, away); strings.Count(got, "nothing listens there") != 1 || !strings.Contains(got, "Prometheus does not answer Prometheus cannot be read: nothing listens there") {
		t.Errorf("an outage is to be said once:\n%s", got)
	}
	gone := cloud(t)
	gone.Notices = []Notice{{About: usage.TopicUsage, Text: "there was usage and is none", Since: now}}
	if got := text(t, gone); !strings.Contains(got, "Nothing found any more there was usage and is none") {
		t.Errorf("usage that has ended:\n%s", got)
	}
}

func TestAllIsWellWhereItIs(t *testing.T) {
	k := cloud(t)
	k.Budgets = k.Budgets[:1]
	k.Numbers.Attended.Attendance.Doubtful, k.Numbers.Lacking = nil, nil
	if got := text(t, k); !strings.Contains(got, "All is well") {
		t.Errorf("got %s", got)
	}
	k.Notices = []Notice{{About: usage.TopicCarbon, Text: "no answer for an hour", Since: now.Add(-time.Hour)}}
	k.Parts[2].Bad = true
	got := text(t, k)
	if !strings.Contains(got, "1 thing needs attention") || !strings.Contains(got, "Carbon intensity no answer for an hour Since 17:10.") {
		t.Errorf("a notice is to be said once: %s", got)
	}
}

// With a directory, a label that no series have may be nothing to look at: what it would say is there.
func TestALabelThatADirectoryStandsInFor(t *testing.T) {
	k := cloud(t)
	k.Budgets = k.Budgets[:1]
	k.Numbers.Attended.Attendance.Doubtful = nil
	k.Numbers.Lacking = map[string]usage.LabelPresence{usage.Unknown: {Host: true}}
	if got := text(t, k); !strings.Contains(got, "1 thing needs attention") || !strings.Contains(got, "Their project is unknown.") {
		t.Errorf("without a directory: %s", got)
	}
	k.Directory = true
	got := text(t, k)
	for _, want := range []string{
		"All is well", "Series of all projects lack it. Their project is what the directory says, else unknown.",
		"Their machine type is what the directory says, else unknown, with the default watts.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("with a directory the page does not say %q: %s", want, got)
		}
	}
}

func TestHostileNamesAreText(t *testing.T) {
	const evil, turn = `"><script>alert(1)</script><img src=x onerror=y>`, "a\u202eb"
	k := cloud(t)
	key := usage.Key{Project: evil, Machine: evil, User: turn, Group: evil}
	rows := []usage.KeyUsage{{Key: key, Energy: usage.ByMode[usage.KWh]{Busy: 1}}}
	k.Numbers.Tops = []Top{TopOf(usage.ScopeProject, rows, nil), TopOf(usage.ScopeUser, rows, nil)}
	k.Numbers.Lacking = map[string]usage.LabelPresence{evil: {}}
	k.Numbers.Drift = []usage.Drift{{Project: evil, Lost: []string{"series"}, Since: now}}
	k.Notices = []Notice{{About: usage.TopicUsage, Text: evil + turn, Since: now}, {About: usage.TopicDirectory, Text: evil, Since: now}}
	k.Parts[1].State, k.Parts[1].Bad = evil, true
	k.Budgets[0].Name, k.Budgets[0].Target = evil, turn
	k.Grid.Slots[2].Index, k.Grid.Slots[2].Grid = evil, evil
	k.Labels = LabelNames{evil, evil, evil, evil}
	k.Links[0].Address = "javascript:alert(1)"
	got := html(t, k)
	for _, never := range []string{"<script", "<img", "\u202e", `href="javascript`} {
		if strings.Contains(got, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if n := strings.Count(got, "&lt;script&gt;"); n < 10 {
		t.Errorf("the names are there %d times", n)
	}
}

func TestThePolicyAllowsTheStyleAndNothingElse(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, cloud(t))
	body := w.Body.String()
	_, style, _ := strings.Cut(body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	csp := w.Header().Get("Content-Security-Policy")
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; "; !strings.HasPrefix(csp, want) {
		t.Errorf("the policy is %s, want %s...", csp, want)
	}
	if strings.Contains(csp, "script") || strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %s", csp)
	}
	for name, k := range pages(t) {
		for _, never := range []string{"<script", " style=", " onload", " onclick", "<link", "<img", "<iframe", "src=", "url("} {
			if strings.Contains(html(t, k), never) {
				t.Errorf("%s has %q", name, never)
			}
		}
	}
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8"} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
}

func TestAProjectThatHasLostSomethingIsNamed(t *testing.T) {
	k := cloud(t)
	k.Numbers.Drift = []usage.Drift{
		{Project: "fine"},
		{Project: "gone", Lost: []string{usage.LostSeries}, Since: now.Add(-2 * time.Hour)},
		{Project: "renamed", Lost: []string{usage.LostMachine, usage.LostUser}, Since: now.Add(-20 * time.Hour)},
	}
	got := text(t, k)
	for _, want := range []string{
		"5 things need attention", "Project gone It had series for days and has none now. Last there 16:10.",
		"Project renamed Its series had for days what they lack now: machine, user. Last there yesterday 22:10.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Project fine") {
		t.Error("a project that has lost nothing is named")
	}
}
