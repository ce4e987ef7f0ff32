// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
)

// The API of a carbon_exporter reads its store for an answer: a year by day and user takes seconds,
// and is some megabytes of JSON.
const (
	apiTimeout  = time.Minute
	maxAPIBytes = 256 << 20
)

// API returns a client for the HTTP API of another carbon_exporter.
func API(c promconfig.HTTPClientConfig) (*upstream.Client, error) {
	client, err := upstream.NewHTTPClient(c, "carbon_exporter")
	if err != nil {
		return nil, err
	}
	client.Transport = guard(client.Transport, config.FilesIn(&c))
	return &upstream.Client{
		HTTP: client, UserAgent: userAgent(), Timeout: apiTimeout, MaxBytes: maxAPIBytes, Scrubber: upstream.NewScrubber(c),
	}, nil
}
