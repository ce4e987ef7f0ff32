// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/child"
)

// scrape is the content of /metrics.
type scrape map[string]*dto.MetricFamily

// history waits until every interval is stored, priced and attributed: energy does not wait for
// the directory, and usage that was unattributed before it is attributed again. In this cloud
// little stays unattributed.
func history(ctx context.Context, c *child.Child) (scrape, error) {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	var seen scrape
	err := c.Poll(ctx, func() (bool, error) {
		resp, err := http.Get("http://" + exporter + "/metrics")
		if err != nil {
			return false, nil //nolint:nilerr // not listening yet
		}
		defer resp.Body.Close()
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(resp.Body)
		if err != nil {
			return false, err
		}
		seen = families
		state := seen.sum("carbon_intervals", "state")
		whole := state["provisional"]+state["settled"] > 0 && state["missing"]+state["unpriced"] == 0
		mode, user := seen.sum("carbon_energy_kwh", "mode"), seen.sum("carbon_energy_kwh", "user")
		return whole && user["unattributed"] < (mode["busy"]+mode["idle"])/2, nil
	})
	return seen, err
}
