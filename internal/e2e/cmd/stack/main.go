// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Stack runs everything that an operator has around the exporter, on loopback: a Prometheus and
// an Alertmanager, node_exporter on this machine, a simulated cloud with days of history, and
// the exporter, with alerts on the terminal. Ctrl-C ends everything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

type settings struct {
	bin      string // where the programs are
	examples string // where their configurations are
	data     string // emptied at the start
	days     int
	once     bool
}

// The addresses in examples/stack.
const (
	prometheus   = "127.0.0.1:9090"
	alertmanager = "127.0.0.1:9093"
	nodeExporter = "127.0.0.1:9100"
	exporter     = "127.0.0.1:9977"
	cloud        = "127.0.0.1:19090"
	grid         = "127.0.0.1:19980"
	mongodb      = "127.0.0.1:19017"
	webhook      = "127.0.0.1:19093"
	// catchUp bounds the wait for a program to be ready, the longest for days of
	// history.
	catchUp = 5 * time.Minute
)

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin", "directory of the programs")
	flag.StringVar(&s.examples, "examples", "examples/stack", "directory of the configurations")
	flag.StringVar(&s.data, "data", ".stack", "directory for all data; what an earlier stack left there is removed")
	flag.IntVar(&s.days, "days", 8, "days of history")
	flag.BoolVar(&s.once, "once", false, "end when everything is running")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, out io.Writer) (err error) {
	if err := clean(s.data); err != nil {
		return err
	}
	alerts, err := listen(webhook, out)
	if err != nil {
		return err
	}
	defer alerts.Close()
	all := &programs{settings: s, out: out}
	defer func() { err = errors.Join(err, all.end()) }()
	for _, step := range []func(context.Context) error{
		all.history, all.startCloud, all.startNodeExporter, all.startAlertmanager, all.startPrometheus, all.startExporter,
	} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // asked to end
			}
			return err
		}
	}
	fmt.Fprint(out, places(s.examples, all.store(), time.Now()))
	if s.once {
		return nil
	}
	fmt.Fprintln(out, "\nAlerts appear here. Ctrl-C ends everything.")
	return all.watch(ctx)
}

// places lists where to look.
func places(examples, store string, now time.Time) string {
	return fmt.Sprintf(`
Look at  http://%s/alerts   Prometheus: rules, and what fires
         http://%[1]s/graph    sum by (project) (carbon_power_watts)
         http://%s/          Alertmanager
         http://%s/          carbon_exporter, and /metrics
         http://%s/metrics   node_exporter of this machine, the project this-machine
         dashboards/*.json            for a Grafana: its Prometheus is http://%[1]s
         bin/carbontool report --config.file=%[5]s/carbon.yml --storage.path=%s --scope group --month %s
`, prometheus, alertmanager, exporter, nodeExporter, examples, store, now.Format("2006-01"))
}

// clean removes from a directory what an earlier stack has left.
func clean(data string) error {
	for _, old := range []string{"prometheus", "alertmanager", "plan.json", "carbon.db", "carbon.db-wal", "carbon.db-shm", "carbon.db.lock"} {
		if err := os.RemoveAll(filepath.Join(data, old)); err != nil {
			return err
		}
	}
	return os.MkdirAll(data, 0o750)
}
