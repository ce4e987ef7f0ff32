// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build upstreams

package exporter_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// startOther starts a program of somebody else's.
func startOther(t *testing.T, name string, args ...string) *built.Process {
	t.Helper()
	cmd := exec.Command(built.Upstream(t, name), args...)
	cmd.Dir = t.TempDir() // it keeps a list of its queries there
	return built.Start(t, cmd)
}

// replica is a real Prometheus and the sidecar that lends its samples to Thanos.
type replica struct {
	prometheus, data string // address and directory
	store, web       string // addresses of the sidecar
	sidecar          *built.Process
}

// newReplica is a Prometheus with external labels and what a site has recorded until now.
func newReplica(t *testing.T, labels string, s *site, keep func(map[string]string, engine.Sample) bool) replica {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	write(t, config, fmt.Sprintf("global: {external_labels: {%s}}\n", labels))
	r := replica{prometheus: built.FreeAddress(t), data: filepath.Join(dir, "data"), store: built.FreeAddress(t), web: built.FreeAddress(t)}
	built.Start(t, exec.Command(built.Program(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+r.data, "--web.listen-address="+r.prometheus,
		"--web.enable-remote-write-receiver", "--log.level=warn", "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"))
	reachable(t, "http://"+r.prometheus+"/-/ready")
	receiver{url: "http://" + r.prometheus + "/api/v1/write", keep: keep}.give(t, s.engine, s.from, time.Now())
	r.lend(t)
	return r
}

// lend starts the sidecar.
func (r *replica) lend(t *testing.T) {
	t.Helper()
	r.sidecar = startOther(t, "thanos", "sidecar", "--prometheus.url=http://"+r.prometheus, "--tsdb.path="+r.data, "--log.level=warn",
		"--grpc-address="+r.store, "--http-address="+r.web)
	reachable(t, "http://"+r.web+"/-/ready")
}

// newThanos is a Thanos query over replicas that has found them.
func newThanos(t *testing.T, flag string, replicas ...replica) (server string) {
	t.Helper()
	address := built.FreeAddress(t)
	server = "http://" + address
	args := []string{"query", "--http-address=" + address, "--grpc-address=" + built.FreeAddress(t), "--query.replica-label=replica"}
	for _, r := range replicas {
		args = append(args, flag+"="+r.store)
	}
	startOther(t, "thanos", args...)
	eventually(t, waitFor, "thanos query has found its stores", func() error {
		answer, err := http.Get(server + "/api/v1/stores")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		var body struct {
			Data struct{ Sidecar []struct{ LastError any } }
		}
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
			return err
		}
		found := 0
		for _, s := range body.Data.Sidecar {
			if s.LastError == nil {
				found++
			}
		}
		if found != len(replicas) {
			return fmt.Errorf("it has found %d of %d", found, len(replicas))
		}
		return nil
	})
	return server
}

// Two Prometheus servers that scrape the same hosts, and each misses what the other has: Thanos
// makes one of them. So must the exporter, if Thanos is told not to.
func TestUpstreamThanosOverAPair(t *testing.T) {
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 12*time.Hour)
	a := newReplica(t, "replica: a, site: x", s, nil)
	b := newReplica(t, "replica: b, site: x", s, nil)
	server := newThanos(t, "--endpoint", a, b)
	want := truth(s.cloud, over, uk.price)
	for _, tc := range []struct{ name, url string }{
		{"deduplicated by Thanos", server},
		{"not deduplicated", serve(t, undeduplicated{server}).URL},
	} {
		t.Run(tc.name, func(t *testing.T) {
			address, section := example(t, "carbon-thanos.yml", tc.url)
			where := settings{prometheus: address, section: section, uk: uk.URL}.place(t, over)
			p := start(t, where.args()...)
			p.becomesWhole(over)
			p.terminate()
			checkShifted(t, where.store, want, uk.price)
			checkIntervals(t, where.store, over)
		})
	}
}

// undeduplicated asks a Thanos query for each replica's series.
type undeduplicated struct{ server string }

func (u undeduplicated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Form.Set("dedup", "false")
	answer, err := http.PostForm(u.server+r.URL.Path, r.Form)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // the exporter sees an answer that breaks off
}

// Of two Prometheus servers with half of the hosts each, one is away: nothing is stored of what
// the other knows, and all of it once both are back.
func TestUpstreamThanosWithoutOneOfItsStores(t *testing.T) {
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 4*time.Hour)
	shard := func(n byte) func(map[string]string, engine.Sample) bool {
		return func(l map[string]string, _ engine.Sample) bool {
			host, _, _ := strings.Cut(l["instance"], ":")
			return host[len(host)-1]%2 == n
		}
	}
	a := newReplica(t, "shard: a", s, shard(0))
	b := newReplica(t, "shard: b", s, shard(1))
	server := newThanos(t, "--endpoint-strict", a, b)
	b.sidecar.End(os.Kill)

	where := settings{prometheus: server, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	eventually(t, waitFor, "the missing store is counted", func() error {
		return p.scrape().sum(0, "carbon_exporter_source_errors_total", "source", "prometheus")
	})
	// It stays so: a strict endpoint is not forgotten.
	eventually(t, waitFor, "it is counted again", func() error {
		return p.scrape().sum(1, "carbon_exporter_source_errors_total", "source", "prometheus")
	})
	checkNothingYet(t, p, over)

	form := url.Values{"query": {"count(node_cpu_seconds_total)"}, "time": {fmt.Sprint(over.end.Unix())}}
	if text := ask(t, server, "/api/v1/query", form); !strings.Contains(text, `"warnings":[`) || !strings.Contains(text, `"status":"success"`) {
		t.Errorf("by default a store that is away is a warning, not %s", text)
	}
	form.Set("partial_response", "false")
	if text := ask(t, server, "/api/v1/query", form); !strings.Contains(text, `"errorType":"execution"`) {
		t.Errorf("without partial responses a store that is away is an error, not %s", text)
	}

	b.lend(t)
	p.becomesWhole(over)
	p.terminate()
	checkShifted(t, where.store, truth(s.cloud, over, uk.price), uk.price)
	checkIntervals(t, where.store, over)
}

// A Thanos query that knows no store answers with success, emptiness and no warning, unless it
// is asked for no partial response.
func TestUpstreamThanosWithoutStores(t *testing.T) {
	address := built.FreeAddress(t)
	server := "http://" + address
	startOther(t, "thanos", "query", "--http-address="+address, "--grpc-address="+built.FreeAddress(t), "--endpoint="+built.FreeAddress(t))
	reachable(t, server+"/-/ready")
	form := url.Values{"query": {"node_cpu_seconds_total"}, "time": {fmt.Sprint(time.Now().Unix())}}
	if text := ask(t, server, "/api/v1/query", form); !strings.Contains(text, `"result":[]`) || strings.Contains(text, "warnings") {
		t.Errorf("got %s", text)
	}
	form.Set("partial_response", "false")
	if text := ask(t, server, "/api/v1/query", form); !strings.Contains(text, "No StoreAPIs available") {
		t.Errorf("got %s", text)
	}
}
