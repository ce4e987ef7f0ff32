package parts

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
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
	if len(grids.Factors) != 2 || grids.Factors[0].Chain[0].Provider() != "market" || grids.Factors[1].Chain[0].Provider() != "plain_uk" || grids.Factors[1].Chain[0].Grid() != "GB" {
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
		client, err := newSlots(cfg.CarbonIntensity.Priced().Sources[0])
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
