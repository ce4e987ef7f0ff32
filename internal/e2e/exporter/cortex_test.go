// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build upstreams

package exporter_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// tenant is whose the samples are.
const tenant = "research-cloud"

// cortex is a Cortex in one process, with tenants.
type cortex struct {
	server *built.Process
	url    string
	config string
}

func newCortex(t *testing.T) *cortex {
	t.Helper()
	dir := t.TempDir()
	_, web, err := net.SplitHostPort(built.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	_, grpc, err := net.SplitHostPort(built.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &cortex{url: "http://127.0.0.1:" + web, config: filepath.Join(dir, "cortex.yml")}
	write(t, c.config, fmt.Sprintf(`
auth_enabled: true
server: {http_listen_address: 127.0.0.1, http_listen_port: %[1]s, grpc_listen_address: 127.0.0.1, grpc_listen_port: %[2]s, log_level: warn}
distributor:
  ring: {kvstore: {store: inmemory}, instance_addr: 127.0.0.1}
  shard_by_all_labels: true
ingester:
  lifecycler:
    address: 127.0.0.1
    min_ready_duration: 0s
    final_sleep: 0s
    ring: {kvstore: {store: inmemory}, replication_factor: 1}
blocks_storage:
  backend: filesystem
  filesystem: {dir: %[3]s/blocks}
  tsdb: {dir: %[3]s/tsdb, retention_period: 48h}
  bucket_store: {sync_dir: %[3]s/sync}
compactor: {data_dir: %[3]s/compactor}
ruler_storage: {backend: filesystem, filesystem: {dir: %[3]s/rules}}
alertmanager_storage: {backend: filesystem, filesystem: {dir: %[3]s/alerts}}
ruler: {rule_path: %[3]s/ruler}
alertmanager: {data_dir: %[3]s/alertmanager, external_url: http://127.0.0.1/alertmanager, cluster: {listen_address: ""}}
limits: {ingestion_rate: 10000000, ingestion_burst_size: 10000000}
`, web, grpc, dir))
	c.run(t)
	return c
}

func (c *cortex) run(t *testing.T) {
	t.Helper()
	c.server = startOther(t, "cortex", "-config.file="+c.config)
	reachable(t, c.url+"/ready")
}

// The samples are those of a tenant: with the header of carbon-cortex.yml they are the truth, and
// of another tenant, or of none, nothing is said and nothing is stored.
func TestUpstreamCortex(t *testing.T) {
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 12*time.Hour)
	c := newCortex(t)
	receiver{url: c.url + "/api/v1/push", header: http.Header{"X-Scope-Orgid": {tenant}}}.give(t, s.engine, s.from, time.Now())

	of := func(tenant string) place {
		address, section := example(t, "carbon-cortex.yml", c.url)
		return settings{prometheus: address, uk: uk.URL, section: strings.Replace(section, "research-cloud", tenant, 1)}.place(t, over)
	}
	t.Run("with the header of its tenant", func(t *testing.T) {
		where := of(tenant)
		p := start(t, where.args()...)
		p.becomesWhole(over)
		p.terminate()
		checkShifted(t, where.store, truth(s.cloud, over, uk.price), uk.price)
		checkIntervals(t, where.store, over)
	})
	t.Run("with the header of another tenant", func(t *testing.T) {
		where := of("other-cloud")
		p := start(t, where.args()...)
		p.says(float64(len(over.intervals())-1), "carbon_intervals", "state", "empty")
		p.terminate()
		if rows := scopesOf(t, where.store)["ada"]; len(rows) > 0 {
			t.Errorf("%d rows of another tenant", len(rows))
		}
	})
	t.Run("without a header", func(t *testing.T) {
		p := start(t, settings{prometheus: c.url + "/prometheus", uk: uk.URL}.place(t, over).args()...)
		p.says(0, "carbon_exporter_source_errors_total", "source", "prometheus", "reason", "auth")
		checkNothingYet(t, p, over)
	})
	t.Run("what it answers", func(t *testing.T) {
		form := url.Values{"query": {"node_cpu_seconds_total"}}
		if text := ask(t, c.url, "/prometheus/api/v1/query", form); !strings.Contains(text, "no org id") {
			t.Errorf("without a tenant it says %s", text)
		}
	})
	t.Run("away for a while", func(t *testing.T) {
		c.server.End(os.Kill)
		where := of(tenant)
		p := start(t, where.args()...)
		p.says(0, "carbon_exporter_source_errors_total", "source", "prometheus", "reason", "connection")
		checkNothingYet(t, p, over)
		c.run(t)
		p.becomesWhole(over)
		p.terminate()
		checkShifted(t, where.store, truth(s.cloud, over, uk.price), uk.price)
	})
}
