// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package exporter is the program carbon_exporter. It turns flags into values, values into
// parts, and runs them; it is the only package that knows all others. It must not know how
// anything is computed. Start with Run.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
)

// Run runs the whole program and returns its exit code.
func Run(args []string, stdout, stderr io.Writer) int {
	f, err := parse(args, stdout)
	switch {
	case errors.Is(err, commandline.ErrAnswered):
		return exitDone
	case err != nil:
		fmt.Fprintf(stderr, "carbon_exporter: %v; see --help\n", err)
		return exitUse
	}
	cfg, empty, err := load(f)
	if err == nil {
		err = parts.CheckWebConfig(f.webConfigFile())
	}
	if err == nil && f.configCheck {
		err = checkFiles(f, cfg)
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintln(stderr, escape.Line(line))
		}
		return exitUse
	}
	if f.configCheck {
		said := "ok"
		if absent(f) {
			said = "does not exist; the defaults apply"
		}
		fmt.Fprintf(stdout, "%s: %s\n", f.configFile, said)
		return exitDone
	}
	f.log.Writer = stderr
	log := promslog.New(&f.log)
	defer upstream.StandardLog(log)()
	boundHeap()
	log.Info("Starting carbon_exporter", "version", version.Info(), "build", version.BuildContext())
	switch {
	case absent(f):
		log.Info("No configuration file; using the defaults", "file", f.configFile)
	case empty:
		log.Warn("The configuration file sets no key; using the defaults", "file", f.configFile)
	}
	// The file exists now: if it disappears, a reload must not go back to the defaults.
	f.configGiven = f.configGiven || !absent(f)
	err = untilEnd(func(ctx context.Context, stop func()) error { return serve(ctx, stop, f, cfg, log) })
	if err != nil {
		fmt.Fprintf(stderr, "carbon_exporter: %v\n", err)
		return exitCode(err)
	}
	log.Info("Stopped")
	return exitDone
}
