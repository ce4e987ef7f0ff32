// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxSurveyBytes bounds one answer about what a server is and has.
const maxSurveyBytes = 4 << 20

// Asker asks Prometheus about itself, for commands that need to know what it has.
func Asker(c config.Prometheus, now func() time.Time) (*survey.Asker, error) {
	client, err := upstream.NewHTTPClient(c.HTTPClientConfig, usage.SourcePrometheus)
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	client.Transport = guard(client.Transport, (&config.Config{Prometheus: c}).Files())
	up := &upstream.Client{HTTP: client, UserAgent: userAgent(), Timeout: time.Duration(c.Timeout), MaxBytes: maxSurveyBytes, Scrubber: upstream.NewScrubber(c)}
	return &survey.Asker{Upstream: up, URL: c.URL.URL, Now: now}, nil
}
