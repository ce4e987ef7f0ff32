// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// listed is an answer with names.
func listed(names ...string) string {
	return `{"status":"success","data":["` + strings.Join(names, `","`) + `"]}`
}

// The questions are about a metric of a very large server, which has every label.
func TestEveryQuestionIsSmall(t *testing.T) {
	var labels []string
	for i := range 200 {
		labels = append(labels, fmt.Sprintf("label_%d", i))
	}
	labels = append(labels, "instance", "job", "tenant")
	// What is asked for is a number, the largest few of something, or one machine's last minutes.
	small := regexp.MustCompile(`^(count\(.*\)|topk\(\d+, .*\)|node_cpu_seconds_total\{mode="idle",cpu=~"\(cpu\)\?0\(,0\)\?",instance="a"\}\[11m\])$`)
	var asked atomic.Int32
	whole := 0 // questions about all cores
	a := asking(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case strings.HasSuffix(r.URL.Path, "/__name__/values"):
			io.WriteString(w, listed("node_cpu_seconds_total"))
		case strings.HasSuffix(r.URL.Path, "/labels"):
			if r.FormValue("match[]") != `node_cpu_seconds_total{mode="idle",cpu=~"(cpu)?0(,0)?"}` {
				t.Errorf("labels of %s", r.FormValue("match[]"))
			}
			io.WriteString(w, listed(labels...))
		default:
			q := r.FormValue("query")
			if !small.MatchString(q) {
				t.Errorf("asks %s", q)
			}
			if !strings.Contains(q, "cpu=~") {
				whole++
			}
			switch {
			case strings.HasSuffix(q, "[11m]"):
				io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[10,"1"],[25.02,"1"],[39.98,"1"]]}]}}`)
			default:
				io.WriteString(w, vector(`"instance":"a","job":"node","tenant":"t"`, "100000"))
			}
		}
	})
	f, err := a.Facts(t.Context())
	if err != nil || len(f.Unasked) > 0 || len(f.Exporters) != 1 {
		t.Fatalf("%+v, %v", f, err)
	}
	e := f.Exporters[0]
	if e.Host != "instance" || e.Machines != 100000 || len(e.Labels) != maxLabels || e.Label("tenant") == nil || e.Scrape.Seconds() != 15 {
		t.Errorf("host %q of %d machines, %d labels, scraped every %s", e.Host, e.Machines, len(e.Labels), e.Scrape)
	}
	if n := asked.Load(); n > 5*maxLabels+20 || whole > 2 {
		t.Errorf("%d questions, %d of which are about all cores", n, whole)
	}
}

func TestFactsOfAServerInTrouble(t *testing.T) {
	const idle = `node_cpu_seconds_total{mode="idle"}`
	for _, test := range []struct {
		name    string
		answers map[string]string
		labels  []string
		unasked string
		err     string
	}{
		{
			name: "it has no list of metrics",
			err:  "ask which CPU metrics there are: bad_request: http status 404: 404 page not found",
		},
		{
			name: "it has no list of labels",
			answers: map[string]string{
				"/api/v1/label/__name__/values":                           listed("node_cpu_seconds_total"),
				"count(" + idle + ")":                                     vector("", "2"),
				"topk(20, " + idle + ")":                                  vector(`"instance":"a","mode":"idle"`, "5"),
				`count(node_cpu_seconds_total{mode="idle",instance!=""})`: vector("", "2"),
				`count(count by (instance) (node_cpu_seconds_total{mode="idle",instance!=""}))`:                         vector("", "1"),
				`topk(3, count by (instance) (node_cpu_seconds_total{mode="idle",instance!=""}))`:                       vector(`"instance":"a"`, "2"),
				`count(count by (instance) (node_cpu_seconds_total{mode="idle"}))`:                                      vector("", "1"),
				`count(count by (instance, cpu) (node_cpu_seconds_total{mode="idle",cpu!="",cpu!~"(?i:.*total|all)"}))`: vector("", "2"),
				`node_cpu_seconds_total{mode="idle",instance="a"}[11m]`:                                                 `{"status":"success","data":{"resultType":"matrix","result":[]}}`,
			},
			labels: []string{"instance"},
		},
		{
			name: "it cannot count one label",
			answers: map[string]string{
				"/api/v1/label/__name__/values":                                                   listed("carbon:cpu_seconds:sum"),
				"/api/v1/labels":                                                                  listed("instance", "tenant"),
				`count(carbon:cpu_seconds:sum{mode="idle"})`:                                      vector("", "2"),
				`count(carbon:cpu_seconds:sum{mode="idle",instance!=""})`:                         vector("", "2"),
				`count(count by (instance) (carbon:cpu_seconds:sum{mode="idle",instance!=""}))`:   vector("", "2"),
				`topk(3, count by (instance) (carbon:cpu_seconds:sum{mode="idle",instance!=""}))`: vector(`"instance":"a"`, "1"),
				`count(count by (instance) (carbon:cpu_seconds:sum{mode="idle"}))`:                vector("", "2"),
				`carbon:cpu_seconds:sum{mode="idle",instance="a"}[11m]`:                           `{"status":"success","data":{"resultType":"matrix","result":[]}}`,
			},
			labels:  []string{"instance"},
			unasked: "label tenant: bad_request: http status 404: 404 page not found",
		},
		{
			name: "it refuses to count", answers: map[string]string{"/api/v1/label/__name__/values": listed("node_cpu_seconds_total")},
			unasked: "node_cpu_seconds_total: bad_request: http status 404: 404 page not found",
		},
		{
			name: "the series of a metric have ended",
			answers: map[string]string{
				"/api/v1/label/__name__/values":   listed("node_cpu_seconds_total"),
				"count(" + idle + ")":             `{"status":"success","data":{"resultType":"vector","result":[]}}`,
				"count(node_cpu_seconds_total{})": `{"status":"success","data":{"resultType":"vector","result":[]}}`,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := serve(t, test.answers).Facts(t.Context())
			if err != nil {
				if err.Error() != test.err {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			if got := strings.Join(f.Unasked, "; "); got != test.unasked {
				t.Errorf("unasked %q, want %q", got, test.unasked)
			}
			var labels []string
			for _, e := range f.Exporters {
				for _, l := range e.Labels {
					labels = append(labels, l.Name)
				}
			}
			if !slices.Equal(labels, test.labels) {
				t.Errorf("labels %q, want %q", labels, test.labels)
			}
		})
	}
}

func TestHostOf(t *testing.T) {
	for _, test := range []struct {
		name   string
		series int
		labels []Label
		want   string
	}{
		{"an address and a name", 12, []Label{{Name: "nodename", Values: 3, Series: 12}, {Name: "instance", Values: 3, Series: 12}}, "instance"},
		{"all through one collector", 12, []Label{{Name: "instance", Values: 1, Series: 12}, {Name: "hostname", Values: 3, Series: 12}}, "hostname"},
		{"a name with a dot", 12, []Label{{Name: "host.name", Values: 3, Series: 12}}, "host.name"},
		{"a name that half of them have", 12, []Label{{Name: "instance", Values: 2, Series: 12}, {Name: "hostname", Values: 4, Series: 6}}, "instance"},
		{"a label that names no machine", 12, []Label{{Name: "rack", Values: 9, Series: 12}, {Name: "instance", Values: 3, Series: 12}}, "instance"},
		{"none", 12, []Label{{Name: "rack", Values: 9, Series: 12}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := hostOf(Exporter{Series: test.series, Labels: test.labels}, known{}); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLikeness(t *testing.T) {
	for label, want := range map[string]string{
		"project": "project", "cloud_project_name": "project", "cloud.account.id": "project", "Tenant": "project", "customer_code": "project",
		"k8s.namespace.name": "project", "flavor": "machine", "instance_type": "machine", "host.type": "machine", "user": "user", "owner_id": "user",
		"instance": "", "hostname": "", "rack": "", "cpu": "",
	} {
		got := ""
		for part, name := range map[Part]string{Project: "project", Machine: "machine", User: "user"} {
			if Likeness(part, label) > 0 {
				got += name
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", label, got, want)
		}
	}
}
