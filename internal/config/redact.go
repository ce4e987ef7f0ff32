package config

import (
	"maps"
	"net/url"
	"slices"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v2"
)

const (
	redacted = "<secret>"
	// redactedInURL needs no escape there, and is what net/url writes.
	redactedInURL = "xxxxx"
)

// Redacted is the configuration in force as YAML, with defaults and without
// secrets: each is "<secret>", and in a URL "xxxxx". It parses again.
func (c *Config) Redacted() (string, error) {
	public := *c
	public.Prometheus.URL = redactURL(c.Prometheus.URL)
	public.CarbonIntensity.UK.URL = redactURL(c.CarbonIntensity.UK.URL)
	h := &public.Prometheus.HTTPClientConfig
	h.ProxyURL = redactURL(h.ProxyURL)
	h.HTTPHeaders = redactHeaders(h.HTTPHeaders)
	h.OAuth2 = redactOAuth2(h.OAuth2)
	text, err := yaml.Marshal(&public)
	if err != nil {
		return "", err
	}
	return string(text), nil
}

// redactHeaders hides values too, which the package of HTTPClientConfig shows:
// a tenant's token is often among them.
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

// redactOAuth2 hides what that package shows and a token server may take for a
// credential or a name: parameters, claims, the URL.
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

// PublicURL is a URL as it may be shown and logged. A user without a password and
// a query are hidden too: that is how tokens are often written.
func PublicURL(u config.URL) string { return redactURL(u).Redacted() }

func redactURL(u config.URL) config.URL {
	if u.URL == nil {
		return u
	}
	public := *u.URL
	if _, ok := u.User.Password(); u.User != nil && !ok {
		public.User = url.User(redactedInURL)
	}
	if u.RawQuery != "" {
		public.RawQuery = redactedInURL
	}
	return config.URL{URL: &public}
}
