// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command rehearsal is the whole exporter, except for its sockets, running through weeks of a
// simulated cloud in seconds, by a simulated clock. It records what scrapes would have seen,
// which no real Prometheus can for the past. The demo stack and the tests of dashboards and
// rules run it:
//
//	rehearsal plan.json
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rehearsal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("needs one argument, the file of a plan, but has %d", len(args))
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return p.rehearse(ctx)
}
