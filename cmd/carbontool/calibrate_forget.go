// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/learning"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

// runForget ends the validity of what was learned of a machine type with the interval that is not
// over yet.
func (k *calibrateMachine) runForget(ctx context.Context, s streams, cfg *config.Config) error {
	st, err := k.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	at := learning.Next(time.Now(), time.Duration(cfg.Interval))
	learned, err := st.Learned(ctx, at)
	if err != nil {
		return err
	}
	was, known := learned[k.forget]
	switch {
	case !known && len(learned) == 0:
		return fmt.Errorf("nothing to forget: %s has no learned average that is in force", k.storagePath)
	case !known:
		return wrongUsef("--forget: there is no learned average of %q in force; there is of %s", k.forget, firstOf(slices.Sorted(maps.Keys(learned))))
	}
	zone := cfg.Location()
	said := fmt.Sprintf("what was learned of %s, %s, from %s on", escape.Name(k.forget), both(was), when.Written(at, zone))
	if k.dryRun {
		fmt.Fprintf(s.out, "Dry run, not ended: %s.\n", said)
		return nil
	}
	if _, err := st.ForgetLearned(ctx, k.forget, at); err != nil {
		return fmt.Errorf("forget what was learned of %s: %w", k.forget, err)
	}
	is, err := parts.Power(ctx, cfg.Power, st, at)
	if err != nil {
		return err
	}
	models, err := st.Models(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Ended in %s: %s.\n", k.storagePath, said)
	fmt.Fprintf(s.out, "From then on it has %s. Stored usage keeps its watts until \"carbontool recost\".\n", both(is.Rating(k.forget, models[k.forget])))
	if cfg.Power.Calibrate != config.CalibrateOff {
		warn(s.err, "power.calibrate is %s, so the exporter will learn it again as long as hosts of %s are measured; set it to off to keep this", cfg.Power.Calibrate, k.forget)
	}
	return nil
}
