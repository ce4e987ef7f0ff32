// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"
)

const (
	redacted = "<secret>"
	// redactedInURL needs no escape in a URL, and is what net/url writes.
	redactedInURL = "xxxxx"
)

// Redacted returns the current configuration as YAML, with defaults and without secrets and
// account names: each is "<secret>", and in a URL "xxxxx". The result can be parsed again.
func (c *Config) Redacted() (string, error) {
	public := *c
	public.Prometheus.URL = redactURL(c.Prometheus.URL)
	public.CarbonIntensity = c.CarbonIntensity.redacted()
	redactClient(&public.Prometheus.HTTPClientConfig)
	if d := c.Directory; d != nil && d.Prometheus != nil {
		directory, of := *d, *d.Prometheus
		of.URL = redactURL(of.URL)
		redactClient(&of.HTTPClientConfig)
		directory.Prometheus, public.Directory = &of, &directory
	}
	var text strings.Builder
	to := yaml.NewEncoder(&text)
	to.SetIndent(2)
	err := errors.Join(to.Encode(&public), to.Close())
	return text.String(), err
}

// redactClient replaces what is secret in a copy of a client's settings.
func redactClient(h *config.HTTPClientConfig) {
	h.ProxyURL = redactURL(h.ProxyURL)
	h.HTTPHeaders = redactHeaders(h.HTTPHeaders)
	h.OAuth2 = redactOAuth2(h.OAuth2)
	h.BasicAuth = redactBasicAuth(h.BasicAuth)
}

func redactBasicAuth(a *config.BasicAuth) *config.BasicAuth {
	if a == nil || a.Username == "" {
		return a
	}
	public := *a
	public.Username = redacted
	return &public
}

// redactHeaders hides even the values that the package of HTTPClientConfig shows: a tenant's
// token is often among them.
func redactHeaders(h *config.Headers) *config.Headers {
	if h == nil {
		return nil
	}
	public := &config.Headers{Headers: maps.Clone(h.Headers)}
	for name, header := range public.Headers {
		header.Values = slices.Repeat([]string{redacted}, len(header.Values))
		public.Headers[name] = header
	}
	return public
}

// redactOAuth2 hides what that package shows although it may be a credential or a name:
// parameters, claims, the URL's user and query.
func redactOAuth2(o *config.OAuth2) *config.OAuth2 {
	if o == nil {
		return nil
	}
	public := *o
	public.EndpointParams = maps.Clone(o.EndpointParams)
	for name := range public.EndpointParams {
		public.EndpointParams[name] = redacted
	}
	public.Claims = maps.Clone(o.Claims)
	for name := range public.Claims {
		public.Claims[name] = redacted
	}
	public.TokenURL = redactedInURL
	if u, err := url.Parse(o.TokenURL); err == nil {
		public.TokenURL = PublicURL(config.URL{URL: u})
	}
	public.ProxyURL = redactURL(o.ProxyURL)
	return &public
}

// PublicURL returns a URL that is safe to show and log: without user, password, query and
// fragment, each of which may be a token.
func PublicURL(u config.URL) string { return redactURL(u).String() }

func redactURL(u config.URL) config.URL {
	if u.URL == nil {
		return u
	}
	if u.Opaque != "" { // user:password@host, without a scheme
		return config.URL{URL: &url.URL{Path: redactedInURL}}
	}
	public := *u.URL
	if u.User != nil {
		public.User = url.User(redactedInURL)
	}
	if u.RawQuery != "" {
		public.RawQuery = redactedInURL
	}
	if u.Fragment != "" {
		public.Fragment, public.RawFragment = redactedInURL, ""
	}
	return config.URL{URL: &public}
}

// redacted is a copy without secrets.
func (c CarbonIntensity) redacted() CarbonIntensity {
	hide := func(e *Endpoint) {
		e.URL = redactURL(e.URL)
		redactClient(&e.HTTPClientConfig)
	}
	hide(&c.UK.Endpoint)
	c.Sources = slices.Clone(c.Sources)
	c.Also, c.Elsewhere = slices.Clone(c.Also), slices.Clone(c.Elsewhere)
	for i := range c.Also {
		c.Also[i].Sources = slices.Clone(c.Also[i].Sources)
	}
	for i := range c.Elsewhere {
		c.Elsewhere[i].Sources = slices.Clone(c.Elsewhere[i].Sources)
	}
	if c.Marginal != nil {
		marginal := *c.Marginal
		marginal.Sources = slices.Clone(marginal.Sources)
		c.Marginal = &marginal
	}
	c.each(func(_ string, s *Source) {
		s.Kinds = s.copied()
		for _, one := range s.all() {
			if at, ok := one.(asked); ok {
				hide(at.endpoint())
			}
		}
	})
	return c
}
