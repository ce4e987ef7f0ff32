// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"testing"

	"github.com/prometheus/common/config"
)

// The keys of HTTPClientConfig stand among those of the prometheus section, so
// its own UnmarshalYAML is never called: these hold its defaults and its keys.
func TestHTTPClientConfig(t *testing.T) {
	with := func(change func(*config.HTTPClientConfig)) config.HTTPClientConfig {
		h := config.DefaultHTTPClientConfig
		change(&h)
		return h
	}
	for _, test := range []struct {
		name, section string
		want          config.HTTPClientConfig
	}{
		{"nothing", "{}", config.DefaultHTTPClientConfig},
		{"basic_auth", "{basic_auth: {username: carbon, password: p}}", with(func(h *config.HTTPClientConfig) {
			h.BasicAuth = &config.BasicAuth{Username: "carbon", Password: "p"}
		})},
		{"authorization without a type", "{authorization: {credentials: c}}", with(func(h *config.HTTPClientConfig) {
			h.Authorization = &config.Authorization{Type: "Bearer", Credentials: "c"}
		})},
		{"oauth2", "{oauth2: {client_id: carbon, client_secret: s, scopes: [read], token_url: 'http://localhost/t', endpoint_params: {a: b}, claims: {n: 1}}}", with(func(h *config.HTTPClientConfig) {
			h.OAuth2 = &config.OAuth2{
				ClientID: "carbon", ClientSecret: "s", Scopes: []string{"read"}, TokenURL: "http://localhost/t",
				EndpointParams: map[string]string{"a": "b"}, Claims: map[string]any{"n": 1},
			}
		})},
		{"tls_config", "{tls_config: {ca_file: /ca, server_name: s, insecure_skip_verify: true, min_version: TLS13}}", with(func(h *config.HTTPClientConfig) {
			h.TLSConfig = config.TLSConfig{CAFile: "/ca", ServerName: "s", InsecureSkipVerify: true, MinVersion: config.TLSVersions["TLS13"]}
		})},
		{"proxy_from_environment", "{proxy_from_environment: true, proxy_connect_header: {A: [b]}}", with(func(h *config.HTTPClientConfig) {
			h.ProxyFromEnvironment = true
			h.ProxyConnectHeader = config.ProxyHeader{"A": {"b"}}
		})},
		{"http_headers", "{http_headers: {X-Scope-OrgID: {values: [v], secrets: [s], files: [/f]}}}", with(func(h *config.HTTPClientConfig) {
			h.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{
				"X-Scope-OrgID": {Values: []string{"v"}, Secrets: []config.Secret{"s"}, Files: []string{"/f"}},
			}}
		})},
		{"no redirects, no HTTP/2", "{follow_redirects: false, enable_http2: false}", config.HTTPClientConfig{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("carbon.yml", []byte("prometheus: "+test.section))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Prometheus.HTTPClientConfig; !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			if got := c.Prometheus.Metric; got != "node_cpu_seconds_total" {
				t.Errorf("the metric is %q: the section lost its defaults", got)
			}
		})
	}
}

func TestProxyURL(t *testing.T) {
	c, err := Parse("carbon.yml", []byte("prometheus: {proxy_url: 'http://localhost:3128', no_proxy: localhost}"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Prometheus.HTTPClientConfig.ProxyURL.String(), "http://localhost:3128"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHTTPClientConfigIsRefused(t *testing.T) {
	for _, test := range []struct{ name, section, want string }{
		{
			"two ways to say who asks", "{basic_auth: {username: u}, oauth2: {client_id: i, token_url: t}}",
			"carbon.yml:1: prometheus: at most one of basic_auth, oauth2 & authorization must be configured",
		},
		{
			"a password twice", "{basic_auth: {username: u, password: p, password_file: f}}",
			"carbon.yml:1: prometheus: at most one of basic_auth password, password_file & password_ref must be configured",
		},
		{
			"oauth2 without a token URL", "{oauth2: {client_id: i}}",
			"carbon.yml:1: prometheus: oauth2 token_url must be configured",
		},
		{
			"a header that the client sets", "{http_headers: {authorization: {values: [v]}}}",
			`carbon.yml:1: prometheus: setting header "Authorization" is not allowed`,
		},
		{
			"headers to a proxy that is not there", "{proxy_connect_header: {A: [b]}}",
			"carbon.yml:1: prometheus: if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
		},
		{
			"a secret of a manager that is not there", "{tls_config: {ca_ref: vault}}",
			`carbon.yml:1: unknown key "ca_ref" in prometheus.tls_config`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("carbon.yml", []byte("prometheus: "+test.section))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}
