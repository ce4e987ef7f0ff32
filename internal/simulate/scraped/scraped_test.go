// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// two is a server with a host of two cores, a quarter busy, and one that took its place at
// 12:10.
func two() *Server {
	counter := func(boot time.Time) func(int, string, time.Time) float64 {
		return func(_ int, mode string, at time.Time) float64 {
			return at.Sub(boot).Seconds() * map[string]float64{"user": 0.25, "idle": 0.75}[mode]
		}
	}
	series := usage.Series{Project: "ISIS", Machine: "Muon", Host: "a:9100"}
	after := series
	after.User = "ada"
	turn := noon.Add(10 * time.Minute)
	modes := []string{"user", "idle"}
	return &Server{Hosts: []*Host{
		{Series: series, Cores: 2, Modes: modes, Begin: noon.Add(-24 * time.Hour), End: turn, Counter: counter(noon.Add(-24 * time.Hour)), More: map[string]func(time.Time) float64{
			"node_boot_time_seconds": func(time.Time) float64 { return float64(noon.Unix() - 86400) },
		}},
		{Series: after, Cores: 2, Modes: modes, Begin: turn, Counter: counter(turn)},
	}}
}

func TestAnswers(t *testing.T) {
	const cpu = `node_cpu_seconds_total{cpu!~"(?i:.*total|all)"`
	for _, test := range []struct {
		name   string
		change func(*Server)
		query  string
		want   string
	}{
		{
			name: "counters at edges, one host after the other", query: `sum by (user, mode) (` + cpu + `,mode="idle"})`,
			want: `[{"metric":{"mode":"idle"},"values":[[1782907200,"129600"],[1782907800,"130500"]]},{"metric":{"user":"ada","mode":"idle"},"values":[[1782908400,"900"]]}]`,
		},
		{
			name: "cores in the window before each edge", query: `count by (user) (count by (user, cpu) (count_over_time(` + cpu + `,mode="idle",cpu!=""}[10m])))`,
			want: `[{"metric":{},"values":[[1782907200,"2"],[1782907800,"2"]]},{"metric":{"user":"ada"},"values":[[1782908400,"2"]]}]`,
		},
		{
			name: "how far the modes are apart", query: `max by (instance) (max by (instance, cpu) (` + cpu + `}) - min by (instance, cpu) (` + cpu + `}))`,
			want: `[{"metric":{"instance":"a:9100"},"values":[[1782907200,"43200"],[1782907800,"43500"],[1782908400,"300"]]}]`,
		},
		{
			name: "two parts", query: `label_replace(sum by (user) (` + cpu + `,mode=~"user|system",instance=~"a:9100"}), "part", "busy", "", "") or label_replace(sum by (user) (` + cpu + `,mode="idle",user="ada"}), "part", "idle", "", "")`,
			want: `[{"metric":{"part":"busy"},"values":[[1782907200,"43200"],[1782907800,"43500"]]},{"metric":{"user":"ada","part":"busy"},"values":[[1782908400,"300"]]},{"metric":{"user":"ada","part":"idle"},"values":[[1782908400,"900"]]}]`,
		},
		{
			name: "when they booted", query: `max by (instance) (node_boot_time_seconds{})`,
			want: `[{"metric":{"instance":"a:9100"},"values":[[1782907200,"1782820800"],[1782907800,"1782820800"]]}]`,
		},
		{name: "a matcher that nothing matches", query: `sum by (mode) (` + cpu + `,instance=~"a:91"})`, want: `[]`},
		{
			name: "a server that has seen no future", change: func(s *Server) { s.Now = func() time.Time { return noon.Add(3 * time.Minute) } },
			query: `sum by (mode) (` + cpu + `,mode="idle"})`, want: `[{"metric":{"mode":"idle"},"values":[[1782907200,"129600"]]}]`,
		},
		{
			name: "a server that has dropped the past", change: func(s *Server) { s.Retention = noon.Add(time.Minute) },
			query: `sum by (mode) (` + cpu + `,mode="idle",user=""})`, want: `[{"metric":{"mode":"idle"},"values":[[1782907800,"130500"]]}]`,
		},
		{
			name: "a server that was away for four minutes", change: func(s *Server) {
				s.Hosts[0].Missed = func(at time.Time) bool { return at.After(noon.Add(6 * time.Minute)) }
			},
			query: `sum by (mode) (` + cpu + `,mode="idle",user=""})`, want: `[{"metric":{"mode":"idle"},"values":[[1782907200,"129600"],[1782907800,"130140"]]}]`,
		},
		{
			name: "a server that was away for five minutes", change: func(s *Server) {
				s.Hosts[0].Missed = func(at time.Time) bool { return at.After(noon.Add(5 * time.Minute)) }
			},
			query: `sum by (mode) (` + cpu + `,mode="idle",user=""})`, want: `[{"metric":{"mode":"idle"},"values":[[1782907200,"129600"]]}]`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := two()
			if test.change != nil {
				test.change(s)
			}
			got := ask(s, "/api/v1/query_range", url.Values{"query": {test.query}, "start": {seconds(0)}, "end": {seconds(20)}, "step": {"600"}})
			if want := `{"status":"success","data":{"resultType":"matrix","result":` + test.want + `}}`; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	for _, test := range []struct{ name, query, want string }{
		{
			"samples as they were scraped", cpu + `,mode="idle",cpu="0"}[3m]`,
			`{"resultType":"matrix","result":[{"metric":{"__name__":"node_cpu_seconds_total","job":"node","cloud_project_name":"ISIS","machine_name":"Muon","instance":"a:9100","cpu":"0","mode":"idle"},"values":[[1782907740,"65205"],[1782907800,"65250"]]},` +
				`{"metric":{"__name__":"node_cpu_seconds_total","job":"node","cloud_project_name":"ISIS","machine_name":"Muon","instance":"a:9100","user":"ada","cpu":"0","mode":"idle"},"values":[[1782907860,"45"]]}]}`,
		},
		{
			"sums at even steps", `(sum by (user) (` + cpu + `}))[4m:2m]`,
			`{"resultType":"matrix","result":[{"metric":{},"values":[[1782907680,"173760"],[1782907800,"174000"]]}]}`,
		},
		{"a value", `count by (mode) (` + cpu + `})`, `{"resultType":"vector","result":[{"metric":{"mode":"user"},"value":[1782907860,"2"]},{"metric":{"mode":"idle"},"value":[1782907860,"2"]}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ask(two(), "/api/v1/query", url.Values{"query": {test.query}, "time": {seconds(11)}})
			if want := `{"status":"success","data":` + test.want + `}`; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	if got, want := ask(two(), "/api/v1/label/user/values", url.Values{"match[]": {"node_cpu_seconds_total{}"}, "start": {seconds(0)}, "end": {seconds(10)}}), `{"status":"success","data":[]}`; got != want {
		t.Errorf("users until ten past twelve: %s, want %s", got, want)
	}
	if got, want := ask(two(), "/api/v1/label/user/values", url.Values{"match[]": {"node_cpu_seconds_total{}"}, "start": {seconds(0)}, "end": {seconds(11)}}), `{"status":"success","data":["ada"]}`; got != want {
		t.Errorf("users until eleven past twelve: %s, want %s", got, want)
	}
}

func TestUnknownExpressions(t *testing.T) {
	for _, query := range []string{
		"", "sum by (a) (b", "sum(a)", "a[5m]", "a[5m", "sum by (a) (b[5m])", "count_over_time(a)", "(a + b)", `a{b=1}`, `a{b~"c"}`, `a{b=~"("}`, `a b`,
		`label_replace(a, "b", "$1", "c", "(.*)")`, "(a)[5m]", "a{", "sum by (", "a or", "rate(a[5m])", "]",
	} {
		w := httptest.NewRecorder()
		two().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/query_range?"+url.Values{"query": {query}, "start": {"0"}, "end": {"0"}, "step": {"1"}}.Encode(), nil))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

func ask(s *Server, path string, form url.Values) string {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?"+form.Encode(), nil))
	return w.Body.String()
}

// seconds is some minutes after noon.
func seconds(minutes int64) string { return strconv.FormatInt(noon.Unix()+60*minutes, 10) }
