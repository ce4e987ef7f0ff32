// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// printTool shows what carbontool makes of the store: a report of the history, and an
// explanation of one of its numbers.
func (s scrape) printTool(ctx context.Context, out io.Writer, set settings, store string) error {
	site := []string{"--config.file=" + set.config, "--storage.path=" + store}
	from := time.Now().Add(-days * 24 * time.Hour).UTC().Truncate(30 * time.Minute).Format(time.RFC3339)
	if err := show(ctx, out, set.bin, append([]string{"report", "--scope=project", "--from=" + from, "--equivalents"}, site...)...); err != nil {
		return err
	}
	k, ts := s.newest()
	return show(ctx, out, set.bin, append([]string{
		"explain", "--ts=" + ts, "--project=" + k["project"], "--machine=" + k["machine"], "--user=" + k["user"],
	}, site...)...)
}

// newest returns the key with the most power in the newest interval, unattributed usage aside,
// and a time in that interval.
func (s scrape) newest() (key map[string]string, ts string) {
	most := -1.0
	s.each("carbon_power_watts", func(labels map[string]string, watts float64) {
		if watts > most && labels["user"] != "unattributed" {
			key, most = labels, watts
		}
	})
	s.each("carbon_last_complete_interval_timestamp_seconds", func(_ map[string]string, end float64) {
		ts = time.Unix(int64(end)-1, 0).UTC().Format(time.RFC3339)
	})
	return key, ts
}

// show prints a command of carbontool as one would type it, and its output.
func show(ctx context.Context, out io.Writer, bin string, args ...string) error {
	tool := filepath.Join(bin, "carbontool")
	fmt.Fprintf(out, "\n$ %s %s\n", tool, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("carbontool %s: %w", args[0], err)
	}
	return nil
}
