// Simcloud is a research cloud to try carbon_exporter on: a real Prometheus with
// days of history of simulated hosts, and a simulated UK Carbon Intensity API.
// Both go on in real time.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type settings struct {
	days       int
	every      time.Duration
	hosts      int
	seed       uint64
	prometheus string
	uk         string
	data       string
}

func main() {
	var s settings
	flag.IntVar(&s.days, "days", 3, "days of history")
	flag.DurationVar(&s.every, "scrape-interval", time.Minute, "time between two scrapes of a host")
	flag.IntVar(&s.hosts, "hosts", 24, "addresses of hosts")
	flag.Uint64Var(&s.seed, "seed", 1, "the same seed is the same cloud")
	flag.StringVar(&s.prometheus, "prometheus.listen", "127.0.0.1:9090", "address of Prometheus' API")
	flag.StringVar(&s.uk, "uk.listen", "127.0.0.1:9980", "address of the UK Carbon Intensity API")
	flag.StringVar(&s.data, "data", "", "empty directory for Prometheus' data, kept at the end; a temporary one if not given")
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

// run serves until ctx ends. It listens first, so that a port that is taken is
// known before a fill, and says ready when all of the history is there.
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
	return serve(ctx, s, dir, prometheus, uk, out)
}

// dataDir is the directory that was asked for, or a temporary one. What is in
// use already is refused: its counters would jump where the two clouds meet.
func dataDir(asked string) (dir string, remove func(), err error) {
	if asked == "" {
		if dir, err = os.MkdirTemp("", "simcloud-"); err != nil {
			return "", nil, fmt.Errorf("data: %w", err)
		}
		// What cannot be removed is left to the system's own cleaning.
		return dir, func() { _ = os.RemoveAll(dir) }, nil
	}
	if entries, err := os.ReadDir(asked); err == nil && len(entries) > 0 {
		return "", nil, fmt.Errorf("data: %s is not empty", asked)
	}
	return asked, func() {}, nil
}
