// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Demo starts a simulated research cloud with an exporter, as an operator would, waits until
// the history is collected, and shows the first numbers, a report and an explanation of one
// number. Ctrl-C ends everything.
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

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/child"
)

type settings struct {
	bin    string // where simcloud and carbon_exporter are
	config string
	data   string // emptied at the start
	once   bool
}

const (
	prometheus = "127.0.0.1:19090"
	grid       = "127.0.0.1:19980"
	mongodb    = "127.0.0.1:19017"
	exporter   = "127.0.0.1:9977"
	days       = 3 // of history
	// catchUp bounds the wait for three days of history, which take seconds.
	catchUp = 2 * time.Minute
)

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin", "directory of the programs")
	flag.StringVar(&s.config, "config", "examples/demo.yml", "configuration of the exporter")
	flag.StringVar(&s.data, "data", ".demo", "directory for the store; what an earlier demo left there is removed")
	flag.BoolVar(&s.once, "once", false, "end after the first table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, out io.Writer) (err error) {
	store := filepath.Join(s.data, "carbon.db")
	for _, old := range []string{store, store + "-wal", store + "-shm", store + ".lock"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(s.data, 0o750); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.data, "demo.log"))
	if err != nil {
		return err
	}
	defer log.Close()

	fmt.Fprintln(out, "Starting a simulated research cloud with three days of history ...")
	cloud, err := child.Start(log, filepath.Join(s.bin, "simcloud"),
		"--prometheus.listen="+prometheus, "--uk.listen="+grid, "--mongodb.listen="+mongodb, fmt.Sprintf("--days=%d", days))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cloud.End()) }()
	if err := ready(ctx, cloud); err != nil {
		return fmt.Errorf("the simulated cloud is not ready: %w", err)
	}
	fmt.Fprintf(out, "Starting carbon_exporter --config.file=%s --storage.path=%s ...\n", s.config, store)
	daemon, err := child.Start(log, filepath.Join(s.bin, "carbon_exporter"),
		"--config.file="+s.config, "--storage.path="+store, "--web.listen-address="+exporter)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, daemon.End()) }()
	seen, err := history(ctx, daemon)
	if err != nil {
		return fmt.Errorf("the exporter has not caught up: %w", err)
	}
	seen.print(out)
	if err := seen.printTool(ctx, out, s, store); err != nil {
		return err
	}
	fmt.Fprintf(out, `
Look at  http://%s/         the exporter
         http://%[1]s/metrics  what Prometheus scrapes
         %s         the store: sqlite3 %[2]s 'SELECT * FROM v_project_totals'
         http://%s/api/v1/query?query=up  the Prometheus it asks
         mongodb://%s/  who had which machine when (database ada), and where the usage of
                                     groups and users is written: mongosh %[4]s/carbon --eval 'db.group_usage.find()'
`, exporter, store, prometheus, mongodb)
	if s.once {
		return nil
	}
	fmt.Fprintln(out, "\nThe demo collects a new interval every half hour. Ctrl-C ends it.")
	select {
	case <-ctx.Done():
		return nil
	case err := <-daemon.Done():
		return fmt.Errorf("carbon_exporter ended: %w", daemon.Said(err))
	case err := <-cloud.Done():
		return fmt.Errorf("simcloud ended: %w", cloud.Said(err))
	}
}

func ready(ctx context.Context, cloud *child.Child) error {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	return cloud.Until(ctx, "http://"+prometheus+"/-/ready")
}
