// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/config"
)

// naming is a configuration that names a file in each key that can: pointers are
// set and maps have an entry.
func naming() *Config {
	c := Default()
	fill(reflect.ValueOf(&c))
	return &c
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem())
	case reflect.Struct:
		for _, field := range keyFields(v.Type()) {
			child := v.Field(field.index)
			switch {
			case child.Kind() == reflect.String && strings.HasSuffix(field.name, "_file"):
				child.SetString("file")
			case field.name == "files":
				child.Set(reflect.ValueOf([]string{"file", "file"}))
			default:
				fill(child)
			}
		}
	case reflect.Map:
		entry := reflect.New(v.Type().Elem()).Elem()
		fill(entry)
		if v.Type().Elem().Kind() == reflect.Struct {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("X"), entry)
		}
	}
}

func TestFiles(t *testing.T) {
	c := naming()
	c.setDirectory("/etc/carbon")
	var keys []string
	for _, file := range c.Files() {
		keys = append(keys, file.Key)
		if file.Path != "/etc/carbon/file" {
			t.Errorf("%s is %s: not from the directory of the configuration", file.Key, file.Path)
		}
	}
	want := []string{
		"prometheus.basic_auth.username_file", "prometheus.basic_auth.password_file", "prometheus.authorization.credentials_file",
		"prometheus.oauth2.client_secret_file", "prometheus.oauth2.client_certificate_key_file",
		"prometheus.oauth2.tls_config.ca_file", "prometheus.oauth2.tls_config.cert_file", "prometheus.oauth2.tls_config.key_file",
		"prometheus.bearer_token_file",
		"prometheus.tls_config.ca_file", "prometheus.tls_config.cert_file", "prometheus.tls_config.key_file",
		"prometheus.http_headers.X.files[0]", "prometheus.http_headers.X.files[1]",
		"attribution.pseudonym_key_file", "mongodb.uri_file", "lake.objstore_config_file",
	}
	for _, key := range want {
		if !slices.Contains(keys, key) {
			t.Errorf("%s is missing in %v", key, keys)
		}
	}
	if d := Default(); len(d.Files()) > 0 {
		t.Errorf("the defaults name %v", d.Files())
	}
}

func TestAbsoluteFileNamesStay(t *testing.T) {
	c, err := Parse("/etc/carbon/carbon.yml", []byte("prometheus: {tls_config: {ca_file: /ca}}"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []File{{"prometheus.tls_config.ca_file", "/ca"}}; !reflect.DeepEqual(c.Files(), want) {
		t.Errorf("got %v, want %v", c.Files(), want)
	}
}

func TestChanges(t *testing.T) {
	for _, test := range []struct {
		name, was, is string
		want          []string
	}{
		{"nothing", "", "interval: 30m", nil},
		{"values of three sections", "", "lookback: 2d\npower: {pue: 1.5}\nprometheus: {lag: 5m, labels: {user: owner}}", []string{"lookback", "prometheus.lag", "prometheus.labels.user", "power.pue"}},
		{"a machine type", "power: {machines: {A: {busy_watts: 1}, B: {busy_watts: 1}}}", "power: {machines: {A: {busy_watts: 1}, B: {busy_watts: 2}}}", []string{"power.machines"}},
		{"a section that is new", "", "mongodb: {uri: mongodb://a}", []string{"mongodb"}},
		{"a secret", "mongodb: {uri: mongodb://a:hunter2@b}", "mongodb: {uri: mongodb://a:hunter3@b}", []string{"mongodb.uri"}},
		{"keys of the HTTP client", "prometheus: {basic_auth: {username: a, password: hunter2}}", "prometheus: {basic_auth: {username: a, password: hunter3}, http_headers: {X: {values: [hunter2]}}}", []string{"prometheus.basic_auth.password", "prometheus.http_headers"}},
		{"a URL", "prometheus: {url: http://a}", "prometheus: {url: http://b}", []string{"prometheus.url"}},
		{"another way to be known", "prometheus: {basic_auth: {username: a}}", "prometheus: {authorization: {credentials: a}}", []string{"prometheus.basic_auth", "prometheus.authorization"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			parse := func(text string) *Config {
				c, err := Parse("carbon.yml", []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			was, is := parse(test.was), parse(test.is)
			if got := Changes(was, is); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if got := Changes(is, parse(test.is)); len(got) > 0 {
				t.Errorf("the same file again: %v", got)
			}
		})
	}
}

// TestAConfigurationInUseHasNotChanged: its client keeps a function for the proxy.
func TestAConfigurationInUseHasNotChanged(t *testing.T) {
	text := []byte("prometheus: {proxy_url: http://p, oauth2: {client_id: c, token_url: http://t, proxy_url: http://p}}")
	was, err := Parse("carbon.yml", text)
	if err != nil {
		t.Fatal(err)
	}
	was.Prometheus.HTTPClientConfig.Proxy()
	was.Prometheus.HTTPClientConfig.OAuth2.Proxy()
	if _, err := config.NewClientFromConfig(was.Prometheus.HTTPClientConfig, "test"); err != nil {
		t.Fatal(err)
	}
	is, err := Parse("carbon.yml", text)
	if err != nil {
		t.Fatal(err)
	}
	if got := Changes(was, is); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}
