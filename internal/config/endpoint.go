// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net/url"

	"github.com/prometheus/common/config"
)

// asked is a kind that is asked over HTTP.
type asked interface{ endpoint() *Endpoint }

// Endpoint is where a source is asked, and how.
type Endpoint struct {
	URL config.URL `yaml:"url,omitempty"`

	HTTPClientConfig config.HTTPClientConfig `yaml:",inline"`
}

func (e *Endpoint) endpoint() *Endpoint { return e }

// endpointAt returns the defaults of an endpoint.
func endpointAt(scheme, host string) Endpoint {
	return Endpoint{
		URL:              config.URL{URL: &url.URL{Scheme: scheme, Host: host}},
		HTTPClientConfig: config.DefaultHTTPClientConfig,
	}
}

// Token is a key of an API. At most one is set.
type Token struct {
	Token     config.Secret `yaml:"token,omitempty"`
	TokenFile string        `yaml:"token_file,omitempty"`
}

func (t *Token) tokenFile() *string { return &t.TokenFile }

func (t Token) validate(f *faults, path string) {
	switch {
	case t.Token != "" && t.TokenFile != "":
		f.key(path+".token_file", "must not be set together with token")
	case t.Token == "" && t.TokenFile == "":
		f.key(path+".token_file", "must be given: the file that holds the key of the API; or token, the key itself")
	}
}
