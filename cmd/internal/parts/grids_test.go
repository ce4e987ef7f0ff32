// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gridsOf makes the chains of a section carbon_intensity.
func gridsOf(t *testing.T, section string) (Grids, error) {
	t.Helper()
	cfg, err := config.Parse("carbon.yml", []byte("carbon_intensity: "+section))
	if err != nil {
		t.Fatal(err)
	}
	return NewGrids(cfg, time.Now)
}

func TestValuesThatCountDifferentThingsAreRefused(t *testing.T) {
	for _, test := range []struct{ name, section, want string }{
		{name: "the short form", section: "{provider: uk}"},
		{name: "one that does not say beside one that does", section: "{sources: [uk, {static: 200}]}"},
		{name: "the same declared", section: "{sources: [uk, {static: 200, basis: {signal: average, emissions: direct}}]}"},
		{
			name: "lifecycle beside direct", section: "{sources: [uk, {static: 200, basis: {emissions: lifecycle}}]}",
			want: "carbon_intensity.sources[1]: static is lifecycle and uk is average direct consumption: one total would hold two different things; take sources of one basis, or set mix_bases: true and look at the share of each",
		},
		{
			name: "production beside consumption, two places ahead", section: "{sources: [{static: 1}, uk, {name: more, static: 200, basis: {electricity: production}}]}",
			want: "carbon_intensity.sources[2]: more is production and uk is average direct consumption",
		},
		{name: "mixed on purpose", section: "{mix_bases: true, sources: [uk, {static: 200, basis: {emissions: lifecycle}}]}"},
		{
			name: "another basis than the chain's", section: "{basis: {emissions: lifecycle}, sources: [uk]}",
			want: "carbon_intensity.basis: is lifecycle, but uk is average direct consumption",
		},
		{
			name: "another basis than its own", section: "{sources: [{uk: {}, basis: {signal: marginal}}]}",
			want: "carbon_intensity.basis: is marginal, but uk is average direct consumption",
		},
		{
			name: "marginal", section: "{sources: [uk, {static: 400, basis: {signal: marginal}}]}",
			want: "carbon_intensity.sources[1]: static is marginal, and no sum of marginal values means anything; put it into carbon_intensity.marginal, for when to run",
		},
		{
			name: "marginal, mixed on purpose", section: "{mix_bases: true, sources: [uk, {static: 400, basis: {signal: marginal}}]}",
			want: "is marginal, and no sum",
		},
		{
			name: "a marginal set of factors", section: "{also: [{name: m, static: 400, basis: {signal: marginal}}]}",
			want: "carbon_intensity.also[0]",
		},
		{name: "another basis in a set of factors", section: "{also: [{name: lifecycle, static: 400, basis: {emissions: lifecycle}}]}"},
		{name: "marginal where it belongs", section: "{marginal: {sources: [{static: 400, basis: {signal: marginal}}]}}"},
		{
			name: "average where marginal belongs", section: "{marginal: {sources: [uk]}}",
			want: "carbon_intensity.marginal.sources[0]: marginal_uk is average direct consumption, not marginal",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := gridsOf(t, test.section)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestOtherGridsAreCheckedToo(t *testing.T) {
	cfg, err := config.Parse("carbon.yml", []byte("carbon_intensity: {elsewhere: [{grid: FR, sources: [uk, {static: 1, basis: {emissions: lifecycle}}]}]}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(cfg); err == nil || !strings.HasPrefix(err.Error(), "carbon_intensity.elsewhere[0].sources[1]: ") {
		t.Errorf("got %v", err)
	}
}

func TestSourcesHaveTheNamesAndTheBasisThatAreDeclared(t *testing.T) {
	grids, err := gridsOf(t, "{grid: UK, basis: {emissions: direct}, sources: [uk, {name: contract, static: 30}], also: [{name: market, static: 0}, {name: plain, sources: [uk]}]}")
	if err != nil {
		t.Fatal(err)
	}
	priced := grids.Priced
	if len(priced) != 2 || priced[0].Provider() != "uk" || priced[0].Grid() != "UK" || priced[1].Provider() != "contract" || priced[1].Grid() != "UK" {
		t.Errorf("got %v", priced)
	}
	if got := priced[1].Terms().Basis; got != (usage.Basis{Emissions: usage.Direct}) {
		t.Errorf("the basis is %s", got)
	}
	if len(grids.Factors) != 2 || grids.Factors[0].Chain[0].Provider() != "market" || grids.Factors[1].Chain[0].Provider() != "plain_uk" || grids.Factors[1].Chain[0].Grid() != "UK" {
		t.Errorf("got %+v", grids.Factors)
	}
}

// A source is asked with everything that the configuration says of its client.
func TestASourceIsAskedAsConfigured(t *testing.T) {
	var got http.Header
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(s.Close)
	grids, err := gridsOf(t, "{sources: [{uk: {url: '"+s.URL+"', basic_auth: {username: carbon, password: p}, http_headers: {X-Key: {values: [v]}}}}]}")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = grids.Priced[0].Slots(t.Context(), time.Now().Add(-time.Hour), time.Now())
	if user, password, _ := (&http.Request{Header: got}).BasicAuth(); user != "carbon" || password != "p" || got.Get("X-Key") != "v" || err == nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// The environment's proxy is honoured, unless the configuration says otherwise.
func TestASourceIsAskedThroughTheProxyOfTheEnvironment(t *testing.T) {
	proxied := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied = r.URL.String()
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(proxy.Close)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(other.Close)
	t.Setenv("HTTP_PROXY", proxy.URL)
	for _, test := range []struct {
		name, keys string
		want       bool
	}{
		{"nothing is said", "", true},
		{"a proxy of its own", ", proxy_url: '" + other.URL + "'", false},
	} {
		cfg, err := config.Parse("carbon.yml", []byte("carbon_intensity: {sources: [{uk: {url: 'http://grid.invalid'"+test.keys+"}}]}"))
		if err != nil {
			t.Fatal(err)
		}
		client, err := newSlots(cfg, cfg.CarbonIntensity.Priced().Sources[0])
		if err != nil {
			t.Fatal(err)
		}
		proxied = ""
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, (&url.URL{Scheme: "http", Host: "grid.invalid", Path: "/x"}).String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Do(req); err == nil || (proxied == "http://grid.invalid/x") != test.want {
			t.Errorf("%s: the proxy was asked for %q, %v", test.name, proxied, err)
		}
	}
}

// seriesServer answers as Prometheus does, and notes who asks.
func seriesServer(t *testing.T, asked *[]*http.Request) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r)
		user, password, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"status":"error","errorType":"bad_data","error":"not for %s with %s at %s"}`, user, password, r.URL)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A series without a url is asked of the Prometheus of the machines, as that is; one with a url has
// its own client and no credentials of the other.
func TestASeriesOfCarbonIntensityIsAskedWhereItIs(t *testing.T) {
	var machines, others []*http.Request
	cfg, err := config.Parse("carbon.yml", []byte(`
prometheus: {url: "`+seriesServer(t, &machines)+`/prom", basic_auth: {username: carbon, password: hunter2hunter2}, http_headers: {X-Scope-OrgID: {values: [tenant-of-machines]}}}
carbon_intensity:
  basis: {emissions: lifecycle}
  sources:
    - {prometheus: {query: avg(grid_intensity)}}
    - {name: other, prometheus: {query: co2, url: "`+seriesServer(t, &others)+`", unit: lb/MWh, hold: 30m}}
`))
	if err != nil {
		t.Fatal(err)
	}
	grids, err := NewGrids(cfg, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range grids.Priced {
		_, _, err := source.Slots(t.Context(), time.Now().Add(-24*time.Hour), time.Now())
		if err == nil || strings.Contains(said(err)+usage.Cause(err), "hunter2") {
			t.Errorf("%s: got %v", source.Provider(), err)
		}
		if got := source.Terms().Basis.String(); got != "lifecycle" || source.Grid() != "unknown" {
			t.Errorf("%s of %s: the basis is %q", source.Provider(), source.Grid(), got)
		}
	}
	if len(machines) != 1 || len(others) != 1 {
		t.Fatalf("%d and %d requests, want one each", len(machines), len(others))
	}
	user, password, _ := machines[0].BasicAuth()
	if user != "carbon" || password != "hunter2hunter2" || machines[0].Header.Get("X-Scope-OrgID") != "tenant-of-machines" ||
		machines[0].URL.Path != "/prom/api/v1/query_range" || machines[0].URL.Query().Get("query") != "avg(grid_intensity)" {
		t.Errorf("the machines' server was asked %s by %s", machines[0].URL, user)
	}
	if _, _, ok := others[0].BasicAuth(); ok || others[0].Header.Get("X-Scope-OrgID") != "" || others[0].URL.Query().Get("query") != "co2" {
		t.Errorf("the other server was asked %s with %v", others[0].URL, others[0].Header)
	}
	other := grids.Priced[1].(*intensity.Feed).API.(*intensity.Prometheus)
	if other.Unit != 0.45359237 || other.Hold != 30*time.Minute {
		t.Errorf("got %+v", other)
	}
	if a := addresses(cfg).Grid; a["prometheus"] != config.PublicURL(cfg.Prometheus.URL) || a["other"] == "" {
		t.Errorf("the addresses are %v", a)
	}
}

func TestAZoneThatTheTableDoesNotHaveIsAFault(t *testing.T) {
	_, err := gridsOf(t, "{sources: [uk, {table: {zone: Germany}}]}")
	if want := `carbon_intensity.sources[1]: table.zone: the table has no country "Germany"; near it are DE (Germany)`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	grids, err := gridsOf(t, "{mix_bases: true, sources: [uk, {table: {zone: gb}}]}")
	if err != nil {
		t.Fatal(err)
	}
	if g := grids.Priced[1]; g.Provider() != "table" || g.Grid() != "GB" || g.Terms().Credit == "" {
		t.Errorf("got %s of %s, %+v", g.Provider(), g.Grid(), g.Terms())
	}
}
