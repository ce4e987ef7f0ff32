// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package rehearsal creates, within minutes, a Prometheus that has scraped the exporter for
// weeks, and the exporter's store of that time: it runs the exporter by a simulated clock
// (cmd/internal/rehearsal) and stores what scrapes would have seen. Older history comes as an
// operator would import it: carbontool exports it, promtool makes blocks of it. It must not
// know what a metric means. Start with Run.
package rehearsal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Rehearsal is what to rehearse.
type Rehearsal struct {
	Bin     string   // where make puts its programs
	Dir     string   // to fill: see Store and Prometheus
	Config  string   // of the exporter
	Rules   []string // files, evaluated at each scrape
	Cloud   simulate.Config
	History time.Time      // the exporter's store begins here
	Metrics []string       // of the history before the first life, with the labels of the scrape; none: all, without
	Lives   []usage.Period // when it runs and is scraped
	Every   time.Duration  // between two scrapes
	Faults  []Fault
	Surges  []Surge
	Landing string         // file for the landing page as it is at the end; empty: none
	Unseen  []usage.Period // when the exporter runs, but Prometheus gets no answer from it
	Log     io.Writer
}

// Surge is a time in which no core of a project is idle.
type Surge struct {
	usage.Period
	Project string
}

// Fault is a time in which a source does not answer.
type Fault struct {
	usage.Period
	Source string
}

// Store returns the path of the exporter's store.
func (r Rehearsal) Store() string { return filepath.Join(r.Dir, "carbon.db") }

// Prometheus returns the directory of the TSDB, for --storage.tsdb.path.
func (r Rehearsal) Prometheus() string { return filepath.Join(r.Dir, "prometheus") }

// The labels of the scrape.
const (
	Job      = "carbon"
	Instance = "127.0.0.1:9977"
)

// Run fills Dir, which must be empty.
func (r Rehearsal) Run(ctx context.Context) error {
	if err := os.MkdirAll(r.Prometheus(), 0o755); err != nil {
		return err
	}
	e, err := engine.Open(engine.Options{Dir: r.Prometheus(), WAL: true, Blocks: 24 * time.Hour})
	if err != nil {
		return err
	}
	if err := errors.Join(r.live(ctx, e), e.Close()); err != nil {
		return err
	}
	if !r.History.Before(r.Lives[0].From) {
		return nil
	}
	return r.export(ctx)
}

// live runs the exporter and stores its pages.
func (r Rehearsal) live(ctx context.Context, e *engine.Engine) error {
	rules, err := e.Rules(r.Rules...)
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	path := filepath.Join(r.Dir, "plan.json")
	plan, err := json.Marshal(map[string]any{
		"Config": r.Config, "Store": r.Store(), "Scrapes": "/dev/fd/3", "Landing": r.Landing, "Cloud": r.Cloud,
		"History": r.History, "Lives": r.Lives, "Every": r.Every, "Faults": r.Faults, "Surges": r.Surges,
	})
	if err == nil {
		err = os.WriteFile(path, plan, 0o600)
	}
	if err != nil {
		return err
	}
	pages, into, err := os.Pipe()
	if err != nil {
		return err
	}
	defer pages.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(r.Bin, "rehearsal"), path)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &said, &said, []*os.File{into}
	cmd.Env = append(os.Environ(), "GOGC=400") // it runs for a minute and makes much garbage
	if err := cmd.Start(); err != nil {
		into.Close()
		return fmt.Errorf("start a program that make must build first: %w", err)
	}
	into.Close()
	stored := r.store(ctx, e.NewTarget(Job, Instance), rules, bufio.NewReaderSize(pages, 1<<20))
	if stored != nil {
		pages.Close() // ends a program that still writes
	}
	if err := cmd.Wait(); err != nil && stored == nil {
		return fmt.Errorf("rehearse: %w: %s", err, said.Bytes())
	}
	return stored
}

// store stores pages as they arrive. Between two lives scrapes fail.
func (r Rehearsal) store(ctx context.Context, target *engine.Target, rules *engine.Rules, pages *bufio.Reader) error {
	var last time.Time
	for {
		header, err := pages.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		var ms int64
		var length int
		if err == nil {
			_, err = fmt.Sscanf(header, "%d %d", &ms, &length)
		}
		page := make([]byte, max(length, 0))
		if err == nil {
			_, err = io.ReadFull(pages, page)
		}
		if err != nil {
			return fmt.Errorf("read what was scraped: %w", err)
		}
		at := time.UnixMilli(ms).UTC()
		if !last.IsZero() && at.Sub(last) > r.Every {
			if err := target.Down(ctx, last.Add(r.Every)); err != nil {
				return err
			}
		}
		if r.unseen(at) {
			err = target.Down(ctx, at)
		} else {
			err = target.Scrape(ctx, at, page)
		}
		if err != nil {
			return err
		}
		if err := rules.Eval(ctx, at); err != nil {
			return fmt.Errorf("rules: %w", err)
		}
		if r.Log != nil && last.YearDay() != at.YearDay() {
			fmt.Fprintln(r.Log, at.Format(time.DateOnly))
		}
		last = at
	}
}

func (r Rehearsal) unseen(at time.Time) bool {
	return slices.ContainsFunc(r.Unseen, func(p usage.Period) bool { return !at.Before(p.From) && at.Before(p.To) })
}

// export makes blocks of the history before the first scrape. It contains only the metrics that
// the dashboards look back for: a year of all metrics would be gigabytes.
func (r Rehearsal) export(ctx context.Context) error {
	text := filepath.Join(r.Dir, "history.om")
	var metrics []string
	for _, name := range r.Metrics {
		metrics = append(metrics, "--metric="+name)
	}
	for _, args := range [][]string{
		append([]string{
			"carbontool", "export", "openmetrics", "--storage.path=" + r.Store(), "--output=" + text,
			"--from=" + r.History.Format(time.RFC3339), "--to=" + r.Lives[0].From.Format(time.RFC3339),
		}, metrics...),
		// promtool reads the text once for each block. The labels are those of the scrape, without which no dashboard finds the history.
		{
			"promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=8784h", "--quiet",
			"--label=job=" + Job, "--label=instance=" + Instance, text, r.Prometheus(),
		},
	} {
		if out, err := exec.CommandContext(ctx, filepath.Join(r.Bin, args[0]), args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w: %s", args[0], args[1], err, out)
		}
	}
	return os.Remove(text)
}
