// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Simcloud is a research cloud for trying out carbon_exporter: a real Prometheus with days of
// history of simulated hosts, a simulated UK Carbon Intensity API and, on request, a database
// that speaks MongoDB's protocol, with the records of who had which host. Everything runs in
// real time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret"
)

type settings struct {
	days       int
	every      time.Duration
	hosts      int
	seed       uint64
	prometheus string
	uk         string
	mongodb    string
	data       string
}

func main() {
	var s settings
	flag.IntVar(&s.days, "days", 3, "days of history")
	flag.DurationVar(&s.every, "scrape-interval", time.Minute, "time between two scrapes of a host")
	flag.IntVar(&s.hosts, "hosts", 24, "number of host addresses")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the cloud; the same seed gives the same cloud")
	flag.StringVar(&s.prometheus, "prometheus.listen", "127.0.0.1:9090", "address of Prometheus' API")
	flag.StringVar(&s.uk, "uk.listen", "127.0.0.1:9980", "address of the UK Carbon Intensity API")
	flag.StringVar(&s.mongodb, "mongodb.listen", "", "address of a MongoDB with the owners of the hosts; without it the series have a label user")
	flag.StringVar(&s.data, "data", "", "empty directory for the data of Prometheus and MongoDB, kept at the end; a temporary one if not given")
	flag.Parse()
	if flag.NArg() > 0 || s.days < 0 || s.every < time.Second {
		flag.Usage()
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simcloud:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. It listens first, so that a port in use is detected before the
// history is filled, and reports ready when all of the history is there.
func run(ctx context.Context, s settings, out io.Writer) error {
	prometheus, err := net.Listen("tcp", s.prometheus)
	if err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	defer prometheus.Close()
	uk, err := net.Listen("tcp", s.uk)
	if err != nil {
		return fmt.Errorf("uk carbon intensity: %w", err)
	}
	defer uk.Close()
	dir, remove, err := dataDir(s.data)
	if err != nil {
		return err
	}
	defer remove()
	if s.mongodb == "" {
		return serve(ctx, s, dir, listeners{prometheus, uk, nil}, out)
	}
	mongodb, err := startMongoDB(s.mongodb, filepath.Join(dir, "mongodb"))
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, s, dir, listeners{prometheus, uk, mongodb}, out), mongodb.Close())
}

func startMongoDB(address, dir string) (*ferret.Server, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("mongodb: %w", err)
	}
	server, err := ferret.Start(address, dir)
	if err != nil {
		return nil, fmt.Errorf("mongodb: %w", err)
	}
	return server, nil
}

// dataDir returns the directory requested, or a temporary one. A directory with data is
// refused: its counters would jump where the two clouds meet.
func dataDir(asked string) (dir string, remove func(), err error) {
	if asked == "" {
		if dir, err = os.MkdirTemp("", "simcloud-"); err != nil {
			return "", nil, fmt.Errorf("data: %w", err)
		}
		// What cannot be removed is left to the system's clean-up.
		return dir, func() { _ = os.RemoveAll(dir) }, nil
	}
	if entries, err := os.ReadDir(asked); err == nil && len(entries) > 0 {
		return "", nil, fmt.Errorf("data: %s is not empty", asked)
	}
	return asked, func() {}, nil
}
