// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/child"
)

// TestASiteArrivesInTheCentreAsItIs runs a real Prometheus with each of the two examples. Both
// give their targets a label project, which must not take the place of the exporter's.
func TestASiteArrivesInTheCentreAsItIs(t *testing.T) {
	t.Parallel()
	page := read(t, filepath.Join(root, "collector", "testdata", "metrics.prom"))
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		w.Write(page)
	}))
	t.Cleanup(exporter.Close)
	site := prometheusOf(t, "site.yml", strings.NewReplacer(
		"localhost:9977", exporter.Listener.Addr().String(),
		"labels: {instance: carbon.harwell}", "labels: {instance: carbon.harwell, project: infrastructure}"))
	centre := prometheusOf(t, "central.yml", strings.NewReplacer(
		"prometheus.harwell.example.org:9090", strings.TrimPrefix(site, "http://"),
		"          - prometheus.daresbury.example.org:9090\n", "        labels: {project: infrastructure}\n"))

	const whole = `carbon_power_watts{site="harwell",job="carbon",instance="carbon.harwell"}`
	want := strings.Count(string(page), "\ncarbon_power_watts{")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for tick := time.Tick(200 * time.Millisecond); ; <-tick {
		if got, err := series(ctx, centre, whole); err != nil {
			t.Fatal(err)
		} else if len(got) == want {
			break
		}
	}
	for promql, want := range map[string]int{
		`sum by (project) (carbon_power_watts{project="IDAaaS"})`:   1,
		`carbon_power_watts{project="infrastructure"}`:              0,
		`{__name__=~"carbon_.+",exported_project!=""}`:              0,
		`{__name__=~"carbon_.+",site!="harwell"}`:                   0,
		`count by (job) (up{job="carbon-sites"} == 1)`:              1,
		`node_cpu_seconds_total`:                                    0,
		`{__name__=~"(instance|project|group):carbon_.+",site!=""}`: 0,
	} {
		got, err := series(ctx, centre, promql)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != want {
			t.Errorf("%s has %d results, want %d: %v", promql, len(got), want, got)
		}
	}
}

// prometheusOf runs one with an example that is changed as far as its addresses, and that scrapes
// every second.
func prometheusOf(t *testing.T, name string, change *strings.Replacer) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example("prometheus"))); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(": 1m\n", ": 1s\n", "localhost:9093", "127.0.0.1:1").Replace(change.Replace(string(read(t, example("prometheus/"+name)))))
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := built.FreeAddress(t)
	server, err := child.Start(t.Output(), built.Program(t, "prometheus"),
		"--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=warn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.End(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Until(ctx, "http://"+address+"/-/ready"); err != nil {
		t.Fatal(err)
	}
	return "http://" + address
}

// series asks for an instant vector, and returns the labels of each result.
func series(ctx context.Context, server, promql string) (labels []map[string]string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/query?query="+url.QueryEscape(promql), http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var body struct {
		Error string
		Data  struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, err
	}
	if body.Error != "" {
		return nil, fmt.Errorf("%s: %s", promql, body.Error)
	}
	for _, r := range body.Data.Result {
		labels = append(labels, r.Metric)
	}
	return labels, nil
}
