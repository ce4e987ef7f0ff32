// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build upstreams

package twins_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
)

// Two Prometheus servers with the example for pairs, each beside a twin of its own. The twins ask a
// Thanos Query that does not deduplicate, one of them whole days and the other a few hours at a time,
// and have the same numbers. People and rules ask one that does: it has one series with the right
// value, also when a twin has died, and the alert on the budget goes on.
func TestUpstreamThanosOverTwins(t *testing.T) {
	over := spanOf(14 * time.Hour)
	now := time.Now()
	uk := newDoor(t, simulate.NewUKAPI(11, func() time.Time { return now }))
	told := &inbox{}
	alertmanager := startAlertmanager(t, told)
	address, plain := built.FreeAddress(t), built.FreeAddress(t)
	thanos := "http://" + address

	var twins []*twin
	var stores []string
	for n, name := range []string{"a", "b"} {
		way := newDoor(t, forward("http://"+plain))
		if n == 1 {
			way.lets(fewAtOnce)
		}
		w := newTwin(t, name, func(string) string { return configuration(over, way.URL, uk.URL) + "settle_after: 3h\n" })
		where := built.FreeAddress(t)
		data := t.TempDir()
		e, err := engine.Open(engine.Options{Dir: data, WAL: true})
		if err != nil {
			t.Fatal(err)
		}
		record(t, e, over, name, nil)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		prometheus, _ := startPrometheus(t, name, where, "127.0.0.1:1", data)
		store, web := built.FreeAddress(t), built.FreeAddress(t)
		startThanos(t, "sidecar", "--prometheus.url="+prometheus, "--tsdb.path="+data, "--grpc-address="+store, "--http-address="+web)
		ready(t, "http://"+web)
		stores = append(stores, "--endpoint-strict="+store)
		w.launch(where)
		w.URL = "http://" + w.listens()
		twins = append(twins, w)
	}
	for at, more := range map[string]string{address: "--query.replica-label=replica", plain: "--query.auto-downsampling"} {
		startThanos(t, append([]string{"query", "--http-address=" + at, "--grpc-address=" + built.FreeAddress(t), more}, stores...)...)
		ready(t, "http://"+at)
	}
	rules, err := filepath.Abs(filepath.Join(examples, "prometheus", "rules", "carbon-budgets.yml"))
	if err != nil {
		t.Fatal(err)
	}
	ruler := built.FreeAddress(t)
	startThanos(t, "rule", "--query="+address, "--rule-file="+rules, "--alertmanagers.url="+alertmanager, "--eval-interval=1s", "--resend-delay=1s",
		"--label=ruler=\"a\"", "--alert.label-drop=ruler", "--data-dir="+t.TempDir(), "--http-address="+ruler, "--grpc-address="+built.FreeAddress(t))
	ready(t, "http://"+ruler)

	whole := []string{`carbon_intervals{state="missing"} 0`, `carbon_intervals{state="unpriced"} 0`}
	a, b := twins[0], twins[1]
	a.says(whole...)
	b.says(whole...)
	if n := a.count("SELECT count(*) FROM usage_interval WHERE state = 'settled'"); n < 16 {
		t.Errorf("a has settled %d intervals", n)
	}
	same(t, "settled intervals of b and a", b.numbers(), a.numbers())
	eventually(t, waitFor, "what b shows is what a shows", func() error {
		if got, want := b.shown(), a.shown(); got != want {
			return fmt.Errorf("%s", firstOf(got, want))
		}
		return nil
	})
	right := func() error {
		want := map[string]string{}
		lines, err := b.metrics()
		if err != nil {
			return err
		}
		for _, line := range lines {
			if strings.HasPrefix(line, "carbon_energy_kwh{") {
				want[line[strings.LastIndex(line, " ")+1:]] = ""
			}
		}
		got, err := ask(thanos, "carbon_energy_kwh", "dedup=true")
		if err != nil {
			return err
		}
		if len(got) != strings.Count(strings.Join(lines, "\n"), "\ncarbon_energy_kwh{") {
			return fmt.Errorf("there are %d series", len(got))
		}
		for series, value := range got {
			if _, is := want[value]; !is || !strings.Contains(series, "instance:carbon") {
				return fmt.Errorf("%s is %s", series, value)
			}
		}
		return nil
	}
	eventually(t, waitFor, "thanos has the usage once", right)
	eventually(t, waitFor, "without deduplication it is there twice", func() error {
		twice, err := ask(thanos, "carbon_energy_kwh", "dedup=false")
		if once, _ := ask(thanos, "carbon_energy_kwh", "dedup=true"); err == nil && len(twice) != 2*len(once) {
			return fmt.Errorf("there are %d and %d series", len(once), len(twice))
		}
		return err
	})
	eventually(t, waitFor, "the alert arrives", func() error {
		if len(told.all()) == 0 {
			return fmt.Errorf("nothing was told")
		}
		return nil
	})
	if all := told.all(); len(all) != 1 || all[0] != "firing CarbonBudgetExhausted site-of-now" {
		t.Errorf("what was told is %q", all)
	}
	a.kill()
	eventually(t, waitFor, "the death of a is seen", func() error {
		up, err := ask(thanos, `up{job="carbon"} == 0`, "dedup=false")
		if err == nil && len(up) != 1 {
			err = fmt.Errorf("down are %v", up)
		}
		return err
	})
	// Thanos stays with a replica for a few scrapes after it has ended.
	eventually(t, waitFor, "without a thanos has the usage of b", right)
	<-time.After(8 * time.Second)
	if err := right(); err != nil {
		t.Errorf("without a: %v", err)
	}
	if all := told.all(); all[len(all)-1] != "firing CarbonBudgetExhausted site-of-now" {
		t.Errorf("what was told is %q", all)
	}
}

func startThanos(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(built.Upstream(t, "thanos"), append(args, "--log.level=warn")...)
	cmd.Dir = t.TempDir() // it keeps a list of its queries there
	built.Start(t, cmd)
}

// forward asks a server, whoever has read the form before.
type forward string

func (f forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := http.PostForm(string(f)+r.URL.Path, r.Form)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // the exporter sees an answer that breaks off
}
