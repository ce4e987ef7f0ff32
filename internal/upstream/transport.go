// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"fmt"
	"net/http"

	"github.com/prometheus/common/config"
)

// NewHTTPClient returns the HTTP client of a configuration, with the credentials, TLS and proxy
// of prometheus/common and stricter rules for redirects: see checkRedirect. name is a label of
// its connections' metrics.
func NewHTTPClient(cfg config.HTTPClientConfig, name string) (*http.Client, error) {
	oauth := cfg.OAuth2
	cfg.OAuth2 = nil
	client, err := config.NewClientFromConfig(cfg, name)
	if err != nil {
		return nil, fmt.Errorf("http client for %s: %w", name, err)
	}
	if cfg.FollowRedirects {
		client.CheckRedirect = checkRedirect
	}
	if oauth != nil {
		if client.Transport, err = withToken(oauth, client.Transport); err != nil {
			return nil, fmt.Errorf("http client for %s: oauth2: %w", name, err)
		}
	}
	return client, nil
}
