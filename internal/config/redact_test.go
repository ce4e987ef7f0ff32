// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"strings"
	"testing"
)

// Each secret of these files contains "hunter2".
var secretFiles = []struct{ name, text string }{
	{"basic auth and the user's part of each URL", `
prometheus:
  url: http://hunter2:hunter2@localhost:9090
  basic_auth: {username: carbon-hunter2, password: hunter2}
  proxy_url: http://proxy:hunter2@localhost:3128
  proxy_connect_header: {Proxy-Token: [hunter2]}
carbon_intensity:
  uk: {url: "https://hunter2@localhost"}
`},
	{"a proxy's URL without a scheme", `
prometheus:
  proxy_url: hunter2:hunter2@localhost:3128
  oauth2: {client_id: carbon, token_url: "hunter2:hunter2@localhost/token", proxy_url: "http://localhost/?hunter2#hunter2"}
`},
	{"authorization", `
prometheus:
  authorization: {type: Token, credentials: hunter2}
`},
	{"bearer token, as it was written once", `
prometheus:
  bearer_token: hunter2
`},
	{"oauth2", `
prometheus:
  oauth2:
    client_id: carbon
    client_secret: hunter2
    client_certificate_key: hunter2
    token_url: https://carbon:hunter2@localhost/token
    endpoint_params: {password: hunter2}
    claims: {sub: hunter2, deep: {er: hunter2}}
    proxy_url: http://hunter2@localhost:3128
    tls_config: {cert_file: cert, key: hunter2}
`},
	{"oauth2 with a token URL that has a query", `
prometheus:
  oauth2: {client_id: carbon, token_url: "http://localhost/token?code=hunter2"}
`},
	{"oauth2 with a token URL that is none", `
prometheus:
  oauth2: {client_id: carbon, token_url: "http://carbon:hunter2/x@:y"}
`},
	{"TLS key", `
prometheus:
  tls_config: {cert_file: cert, key: hunter2}
`},
	{"HTTP headers", `
prometheus:
  http_headers:
    X-Scope-OrgID: {values: [hunter2, hunter2], secrets: [hunter2]}
`},
	{"a directory's Prometheus", `
directory:
  prometheus:
    url: http://hunter2:hunter2@localhost:9090
    basic_auth: {username: carbon-hunter2, password: hunter2}
    http_headers: {X-Scope-OrgID: {values: [hunter2]}}
    metric: kube_pod_labels
    labels: {host: pod, owner: label_owner}
`},
	{"a directory in the Prometheus of the machines", `
prometheus: {bearer_token: hunter2}
directory:
  prometheus: {names: {project: {metric: openstack_identity_project_info}}}
`},
	{"sources of carbon intensity, in every chain", `
carbon_intensity:
  sources: [{uk: {url: "https://hunter2:hunter2@localhost", authorization: {credentials: hunter2}}}]
  also: [{name: a, sources: [{uk: {bearer_token: hunter2}}]}, {name: b, uk: {basic_auth: {username: hunter2, password: hunter2}}}]
  marginal: {sources: [{uk: {http_headers: {X-Key: {values: [hunter2]}}}}]}
  elsewhere: [{grid: FR, sources: [{uk: {proxy_url: "http://hunter2@localhost:3128"}}]}]
`},
	{"a series of carbon intensity", `
carbon_intensity:
  sources: [{prometheus: {query: x, url: "http://hunter2:hunter2@localhost", bearer_token: hunter2, http_headers: {X-Key: {values: [hunter2]}}}}]
`},
	{"the key of OpenElectricity", `
carbon_intensity: {sources: [{openelectricity: {token: hunter2}}]}
`},
	{"the key of Electricity Maps", `
carbon_intensity: {sources: [{electricity_maps: {zone: FR, token: hunter2, url: "https://hunter2@localhost/v4"}}]}
`},
	{"the account at WattTime", `
carbon_intensity: {sources: [{watttime: {region: CAISO_NORTH, basic_auth: {username: carbon-hunter2, password: hunter2}}}]}
`},
	{"keys of ENTSO-E and EIA", `
carbon_intensity:
  sources:
    - entsoe: {zone: FR, token: hunter2, url: "https://carbon:hunter2@localhost/api"}
    - eia: {respondent: CISO, token: hunter2, basic_auth: {username: carbon-hunter2, password: hunter2}}
`},
	{"MongoDB", `
mongodb: {uri: "mongodb://carbon:hunter2@localhost"}
`},
}

func TestRedactedHoldsNoSecretAndParsesAgain(t *testing.T) {
	for _, test := range secretFiles {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("carbon.yml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			first, err := c.Redacted()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(first, "hunter2") {
				t.Errorf("shows a secret:\n%s", first)
			}
			again, err := Parse("again.yml", []byte(first))
			if err != nil {
				t.Fatalf("%v, in\n%s", err, first)
			}
			if second, err := again.Redacted(); err != nil || second != first {
				t.Errorf("%v; redacted twice\n%s\nredacted once\n%s", err, second, first)
			}
			if kept, err := Parse("carbon.yml", []byte(test.text)); err != nil || !reflect.DeepEqual(kept, c) {
				t.Error("redacting changed the configuration in force")
			}
		})
	}
}

func TestPublicURL(t *testing.T) {
	for _, test := range []struct{ name, url, want string }{
		{"nobody", "http://localhost:9090/p", "http://localhost:9090/p"},
		{"a user with a password", "http://carbon:hunter2@localhost", "http://xxxxx@localhost"},
		{"a token in the place of a user", "http://hunter2@localhost", "http://xxxxx@localhost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("carbon.yml", []byte("prometheus: {url: '"+test.url+"'}"))
			if err != nil {
				t.Fatal(err)
			}
			if got := PublicURL(c.Prometheus.URL); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if got := c.Prometheus.URL.String(); got != test.url {
				t.Errorf("the URL in force is now %s", got)
			}
		})
	}
}
