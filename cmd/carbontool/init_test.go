// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/proposal"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

func TestInitUsedWrongly(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	password, broken, strange := write("password.yml", "basic_auth: {username: a, password: hunter2}"), write("broken.yml", "basic_auth: hunter2"), write("strange.yml", "hunter2: 1")
	const see = "; see carbontool init --help\n"
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"nobody to ask", []string{"--prometheus=http://localhost:1"}, "standard input is not a terminal, so there is nobody to answer: add --yes to take what is proposed" + see},
		{"no URL", []string{"--yes", "--prometheus=localhost:9090"}, "--prometheus must be a URL such as http://localhost:9090" + see},
		{
			"a password in the URL",
			[]string{"--yes", "--prometheus=http://a:hunter2@localhost:9090"},
			"--prometheus must be without user and password: put basic_auth, with username and password_file, into a file for --http.config.file" + see,
		},
		{
			"a secret that would be copied",
			[]string{"--yes", "--prometheus=http://localhost:1", "--http.config.file=" + password},
			"--http.config.file " + password + ": basic_auth: has a secret written out: put it into a file of its own and name that (password_file, credentials_file, client_secret_file, files)" + see,
		},
		{
			"client settings that are none",
			[]string{"--yes", "--prometheus=http://localhost:1", "--http.config.file=" + broken},
			"--http.config.file " + broken + ": must be a mapping of Prometheus' HTTP client settings" + see,
		},
		{
			"client settings that nobody knows",
			[]string{"--yes", "--prometheus=http://localhost:1", "--http.config.file=" + strange},
			"--http.config.file " + strange + ": must be a mapping of Prometheus' HTTP client settings" + see,
		},
		{
			"a grid without a value",
			[]string{"--yes", "--prometheus=http://localhost:1", "--carbon-intensity=mine"},
			`--carbon-intensity must be uk, or the code of a country, such as table=FR, or a number of gCO2eq per kWh and the name of the grid, such as static=56,FR, is "mine"` + see,
		},
		{
			"a value that no grid has",
			[]string{"--yes", "--prometheus=http://localhost:1", "--carbon-intensity=static=NaN"},
			`--carbon-intensity must be uk, or the code of a country, such as table=FR, or a number of gCO2eq per kWh and the name of the grid, such as static=56,FR, is "static=NaN"` + see,
		},
		{
			"a country that is not in the table",
			[]string{"--yes", "--prometheus=http://localhost:1", "--carbon-intensity=table=ATLANTIS"},
			`--carbon-intensity table=ATLANTIS: the table has no country "ATLANTIS"; give the code of a country, such as FR, or EU, or WORLD` + see,
		},
		{"no zone", []string{"--yes", "--prometheus=http://localhost:1", "--timezone=Paris"}, `--timezone must be a time zone such as Europe/Paris, is "Paris"` + see},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			called{code: exitUsage, stderr: "carbontool init: " + test.want}.by(t, append([]string{"init"}, test.args...)...)
		})
	}
}

func TestInitWithoutAServer(t *testing.T) {
	answering := func(status int, text string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			io.WriteString(w, text)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	for _, c := range []struct{ name, url, want string }{
		{"nothing listens", "http://127.0.0.1:1", "nothing listens at 127.0.0.1:1: check that the server runs"},
		{"the page of a proxy", answering(http.StatusOK, "<html><title>Sign in</title>"), "the answer is a web page with the title \"Sign in\""},
		{"another server", answering(http.StatusNotFound, "no"), "has no such page: check the path of the url"},
		{"a login is missing", answering(http.StatusUnauthorized, "no"), "wants a login"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			got := call("init", "--yes", "--prometheus="+c.url)
			if got.code != exitFailed || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, "carbontool init: ask "+c.url+": ") || !strings.Contains(got.stderr, c.want) {
				t.Errorf("code %d, stderr %q, want %q", got.code, got.stderr, c.want)
			}
			if _, err := os.Stat("carbon.yml"); err == nil {
				t.Error("there is a file")
			}
		})
	}
}

func TestInitCopiesClientSettings(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "http.yml")
	const text = "basic_auth: {username: a, password_file: secret}\nhttp_headers: {X-Scope-OrgID: {values: [one]}}\nfollow_redirects: false\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := readClient(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := clientText(c)
	if err != nil {
		t.Fatal(err)
	}
	want := "basic_auth:\n  username: a\n  password_file: " + filepath.Join(dir, "secret") + "\nfollow_redirects: false\nhttp_headers:\n  X-Scope-OrgID:\n    values:\n      - one\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// cloudFacts is what a server may have: Linux and Windows, two jobs, and labels to choose from.
func cloudFacts() survey.Facts {
	label := func(name string, values, on int) survey.Label {
		return survey.Label{Name: name, Values: values, Series: on, Machines: on, Examples: []string{name + "-1"}}
	}
	node := survey.Exporter{
		Profile: survey.ProfileNode, Metric: "node_cpu_seconds_total", Series: 12, Host: "instance", Machines: 12, Cores: 48,
		Jobs:   []survey.Count{{Name: "node", N: 8}, {Name: "other", N: 4}},
		Labels: []survey.Label{label("instance", 12, 12), label("job", 2, 12), label("tenant", 3, 12), label("customer", 4, 12), label("flavor", 2, 12)},
	}
	windows := survey.Exporter{Profile: survey.ProfileWindows, Metric: "windows_cpu_time_total", Series: 3, Host: "instance", Machines: 3, Labels: []survey.Label{label("instance", 3, 3)}}
	return survey.Facts{Exporters: []survey.Exporter{node, windows}}
}

func TestInitAsks(t *testing.T) {
	for _, test := range []struct {
		name, typed string
		want        string // profile, labels, matchers, carbon intensity, time zone
	}{
		{"Enter to everything", "\n\n\n\n\n\n", `node_exporter instance tenant flavor - "" uk UTC`},
		{"other labels, by number and by name", "1\n2\nnone of them\n\n\n\n", `node_exporter instance customer - - "" uk UTC`},
		{"no project", "\n3\n\n\n\n\n", `node_exporter instance - flavor - "" uk UTC`},
		{"one job", "\n\n\nother\n\n\n", `node_exporter instance tenant flavor - "job=\"other\"" uk UTC`},
		{"a grid and a zone of its own", "\n\n\n\n56, FR\nEurope/Paris\n", `node_exporter instance tenant flavor - "" static 56 FR Europe/Paris`},
		{"a country", "\n\n\n\nfr\nEurope/Paris\n", `node_exporter instance tenant flavor - "" table FR Europe/Paris`},
		{"mistakes are asked again", "9\n1\nwhat\n1\n\n\nmany\n56\nMars\nUTC\n", `node_exporter instance tenant flavor - "" static 56 UTC`},
		{"the other exporter", "2\n\n\n", `windows_exporter instance - - - "" uk UTC`},
		{"the last answer has no line end", "\n\n\n\n\nUTC", `node_exporter instance tenant flavor - "" uk UTC`},
		{"nothing more to come", "\n\n", "no answer, nothing was written"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			set := proposal.Settings{Timezone: "UTC", Assumed: true, BusyWatts: 12, URL: "http://localhost:9090"}
			p, err := choose(t.Context(), &out, newDialogue(strings.NewReader(test.typed), &out), proposal.Offers(cloudFacts()), &set)
			if err != nil {
				if err.Error() != test.want {
					t.Errorf("got %v, want %s\n%s", err, test.want, out.String())
				}
				return
			}
			c, err := config.Parse("carbon.yml", []byte(p.File(set)))
			if err != nil {
				t.Fatal(err)
			}
			if got := meaning(p, c); got != test.want {
				t.Errorf("got  %s\nwant %s\n%s", got, test.want, out.String())
			}
			if set.Assumed {
				t.Error("the grid is said to be assumed, but it was asked for")
			}
		})
	}
}

// meaning is what a file says of what was asked for.
func meaning(p *proposal.Proposal, c *config.Config) string {
	said := []string{c.Prometheus.Profile}
	for _, part := range proposal.Parts() {
		name := p.Label(part)
		if name == "" {
			name = "-"
		}
		said = append(said, name)
	}
	said = append(said, fmt.Sprintf("%q", c.Prometheus.Matchers))
	if p := c.CarbonIntensity.Provider; p != "" {
		said = append(said, p)
	}
	for _, s := range c.CarbonIntensity.Sources {
		said = append(said, s.Kind(), s.Table.Zone)
	}
	if s := c.CarbonIntensity.Static; s != nil {
		said = append(said, fmt.Sprint(*s.GCO2eqPerKWh))
		if s.Grid != "" && s.Grid != "unknown" {
			said = append(said, s.Grid)
		}
	}
	return strings.Join(append(said, c.Timezone), " ")
}

// TestInitSaysWhatItAsks holds the whole of a dialogue.
func TestInitSaysWhatItAsks(t *testing.T) {
	var out bytes.Buffer
	set := proposal.Settings{Timezone: "UTC", Assumed: true, URL: "http://localhost:9090", Server: survey.Server{Kind: survey.Prometheus, Version: "3.5.0"}}
	if _, err := choose(t.Context(), &out, newDialogue(strings.NewReader("\n\n\n\n\n\n"), &out), proposal.Offers(cloudFacts()), &set); err != nil {
		t.Fatal(err)
	}
	const want = `Prometheus 3.5.0 at http://localhost:9090 has:
  node_exporter (node_cpu_seconds_total, 12 machines, 48 cores)
  windows_exporter (windows_cpu_time_total, 3 machines)

Which one counts?
  1  node_exporter     its series name the project
  2  windows_exporter  it has the CPU time of whole machines
Number [1]: 
Which label names the project?
  1  tenant        3 values on 12 of 12 hosts: tenant-1 ...
  2  customer      4 values on 12 of 12 hosts: customer-1 ...
  3  none of them
Number [1]: 
Which label names the machine type?
  1  flavor        2 values on 12 of 12 hosts: flavor-1 ...
  2  none of them
Number [1]: 
Which jobs count?
  1  all of them
  2  node         8 machines
  3  other        4 machines
Number [1]: Carbon intensity: uk for the grid of Great Britain, or the code of your country, such as FR, or gCO2eq per kWh and the name of your grid, such as 56,FR [uk]: Time zone for budgets and reports [UTC]: `
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
