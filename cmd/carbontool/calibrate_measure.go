// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/learning"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// longestAsked is the longest range of one query, where the server allows it.
const longestAsked = 24 * time.Hour

// measure queries Prometheus for both sides of the comparison.
func (k *calibrateMachine) measure(ctx context.Context, stderr io.Writer, cfg *config.Config, p usage.Period) (*calibrate.Pairs, usage.Rejects, error) {
	all, err := parts.Source(cfg.Prometheus, nil)
	if err != nil {
		return nil, nil, err
	}
	client := all.OfMachine(k.machine)
	grain := client.Grain(time.Duration(cfg.Interval))
	wanted := learning.Within(p, grain)
	if len(wanted) == 0 {
		return nil, nil, wrongUsef("the range contains no complete interval of %s", model.Duration(grain))
	}
	pairs, rejects := &calibrate.Pairs{Machine: k.machine, Grain: grain}, usage.Rejects{}
	most := max(int(longestAsked/grain), 1)
	told := watched(stderr, "intervals", len(wanted))
	defer told.End()
	for len(wanted) > 0 {
		run := wanted[:min(most, len(wanted))]
		switch err := k.ask(ctx, client, run, pairs, rejects); {
		case err != nil && len(run) > 1 && usage.IsTooLarge(err):
			most = (len(run) + 1) / 2
		case err != nil:
			return nil, nil, err
		default:
			wanted = wanted[len(run):]
			told.Add(len(run), run[len(run)-1].End())
		}
	}
	return pairs, rejects, nil
}

// ask queries some adjacent intervals.
func (k *calibrateMachine) ask(ctx context.Context, client *source.Client, run []usage.Interval, pairs *calibrate.Pairs, rejects usage.Rejects) error {
	readings, _, err := client.Read(ctx, run)
	if err != nil {
		return err
	}
	measured, refused, err := client.Measured(ctx, run, k.expr)
	if f := usage.FailureOf(err); f != nil && f.Reason == usage.ReasonBadRequest {
		return wrongUsef("--power-metric: Prometheus rejects the query: %s", f.Detail)
	}
	if err != nil {
		return err
	}
	rejects.Add(refused)
	if err := pairs.AddCPU(readings.All()); err != nil {
		return fmt.Errorf("learn the watts of %s: %w", k.machine, err)
	}
	if err := pairs.AddPower(measured); err != nil {
		return fmt.Errorf("learn the watts of %s: %w", k.machine, err)
	}
	return nil
}
