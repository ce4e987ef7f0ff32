// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// nearly is the share of metrics.max_samples from which on there is a warning.
const nearly = 0.8

// exposed shows how large the exposition is. From four fifths of metrics.max_samples on it says so:
// a Prometheus with a sample_limit refuses the whole scrape, and without one it needs memory for
// each series. Nothing is left out of /metrics for it.
func (d *daemon) exposed(size collector.Size, cfg *config.Config) {
	most := cfg.Metrics.MaxSamples
	d.Exposed(size, most)
	many := most > 0 && float64(size.Samples) > nearly*float64(most)
	text := ""
	if many {
		text = manySamples(size.Samples, most, cfg)
	}
	if many != d.many {
		d.many = many
		if many {
			d.log.Warn("/metrics has nearly as many samples as metrics.max_samples, or more. None is left out",
				"samples", size.Samples, "max_samples", most, "do", lessSamples(cfg))
		} else {
			d.log.Info("/metrics has clearly fewer samples than metrics.max_samples again", "samples", size.Samples, "max_samples", most)
		}
	}
	d.Notice(usage.TopicMetrics, text)
}

func manySamples(samples, most int, cfg *config.Config) string {
	return fmt.Sprintf("/metrics has %d samples; metrics.max_samples is %d. None is left out, but Prometheus needs memory for each, and refuses all if there are more than its sample_limit. To do: %s.",
		samples, most, lessSamples(cfg))
}

// lessSamples says what may be done.
func lessSamples(cfg *config.Config) string {
	ways := []string{"raise metrics.max_samples if Prometheus can bear them", "shorten metrics.keep if many keys are no longer used"}
	if fold := cfg.Fold(); !fold.User || !fold.Machine {
		ways = slices.Insert(ways, 0, "leave labels out with metrics.by")
	}
	if !cfg.Fold().User && cfg.Attribution.MaxUsers == 0 {
		ways = slices.Insert(ways, 1, "name fewer users with attribution.max_users")
	}
	return strings.Join(ways[:len(ways)-1], ", ") + ", or " + ways[len(ways)-1]
}

// sayLabels says which labels metrics of usage lack, because what asks for them finds nothing.
func (d *daemon) sayLabels(cfg *config.Config) {
	if lacking := lackingLabels(cfg); len(lacking) > 0 {
		d.log.Info("Metrics of usage lack labels that metrics.by leaves out; panels, queries and alerts by them have nothing to show",
			"lacking", strings.Join(lacking, ", "))
	}
}

func lackingLabels(cfg *config.Config) []string {
	return slices.DeleteFunc(config.ByAll(), func(label string) bool { return slices.Contains(cfg.Metrics.By, label) })
}
