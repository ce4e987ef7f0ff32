// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/landing"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// addLake adds the lake of a configuration, if it has one. The files of a day are made beside the
// store, where there is room for them and the right to write.
func (d *daemon) addLake(cfg *config.Config, made *parts.Parts) {
	if cfg.Lake != nil {
		made.Settings.Lake = parts.LakePublisher(cfg, d.store, filepath.Dir(d.flags.storagePath), d.clock.Now, d.log)
	}
}

// lake is the state of publishing days, if they are.
func (d *daemon) lake(seen families, now time.Time) []landing.Part {
	cfg, _ := d.current()
	if cfg.Lake == nil {
		return nil
	}
	p := seen.source("Lake", "receives settled days as Parquet", usage.SourceLake, now)
	p.About, p.Meanwhile = usage.TopicLake, "Days wait in the store meanwhile, and are published later."
	if until, ok := seen.value("carbon_exporter_lake_published_until_timestamp_seconds", ""); ok {
		p.State += "; published until " + time.Unix(int64(until), 0).UTC().Format(time.RFC3339)
	}
	for _, m := range seen["carbon_exporter_lake_pending"].GetMetric() {
		if n := m.GetGauge().GetValue(); n > 0 && len(m.GetLabel()) == 1 {
			p.State += "; " + pendingDays(n, m.GetLabel()[0].GetValue())
		}
	}
	return []landing.Part{d.because(p, usage.SourceLake)}
}

// pendingDays says how many days are in a state of carbon_exporter_lake_pending.
func pendingDays(n float64, state string) string {
	if n == 1 {
		return "1 day " + state
	}
	return fmt.Sprintf("%.0f days %s", n, state)
}
