// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
)

// served answers for a test.
func served(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// like is a server that has the API where Prometheus has it, and pages for people elsewhere.
func like(t *testing.T, under string) string {
	mux := http.NewServeMux()
	mux.Handle(under+"/api/v1/", http.StripPrefix(under, &scraped.Server{}))
	return served(t, mux)
}

func answering(t *testing.T, status int, header, value, text string) string {
	return served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(header, value)
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
}

// Whoever gets nothing is told why, in the log and on the page, within a minute: eventually waits no
// longer. That must not depend on whether an interval is due.
func TestEveryWayToGetNothingIsSaid(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	write(t, authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	plainly := answering(t, 200, "Content-Type", "application/json", "{}")
	prometheus := like(t, "")

	for _, c := range []struct {
		name, url string
		more      string // of the section prometheus
		want      string // HOST is the host and port of the url
	}{
		{name: "nobody listens", url: down(), want: "nothing listens at HOST: check that the server runs, and the host and port of the url"},
		{name: "a name that is none", url: "http://prometheus.invalid:9090", want: "DNS does not know the name prometheus.invalid: check the host in the url"},
		{name: "the page of graphs, pasted", url: prometheus + "/graph", want: "prometheus.url ends with /graph, which is a page and not where the API is: remove it, so that the url is http://HOST"},
		{name: "the new page of queries, pasted", url: prometheus + "/query", want: "prometheus.url ends with /query, which is a page and not where the API is: remove it, so that the url is http://HOST"},
		{name: "the API itself, pasted", url: prometheus + "/api/v1", want: "prometheus.url ends with /api/v1, which is a page and not where the API is: remove it, so that the url is http://HOST"},
		{name: "a page behind a prefix", url: like(t, "/prometheus") + "/prometheus/targets", want: "prometheus.url ends with /targets, which is a page and not where the API is: remove it, so that the url is http://HOST/prometheus"},
		{name: "a prefix that is missing", url: like(t, "/prometheus"), want: "HOST answers and has no API of Prometheus under /api/v1: check the host, the port and the path of prometheus.url, such as /prometheus"},
		{name: "a page for people", url: answering(t, 200, "Content-Type", "text/html", "<html><title>Sign in</title>"), want: `the answer is a web page with the title "Sign in", not data: a login or a proxy is in the way`},
		{name: "the page of a login elsewhere", url: answering(t, 302, "Location", "https://login.example.org/", ""), want: "redirects to another server, https://login.example.org, which is not followed"},
		{name: "a login that is missing", url: answering(t, 401, "WWW-Authenticate", "Basic", ""), want: "HOST wants a login and does not accept ours: set basic_auth, authorization or oauth2, or correct it"},
		{name: "rights that are missing", url: answering(t, 403, "X", "", ""), want: "HOST does not permit this to our account: give it the right to read, or use another account"},
		{name: "a proxy with nobody behind", url: answering(t, 502, "X", "", ""), want: "a proxy at HOST answers, but not the server behind it"},
		{name: "an authority that nobody knows", url: secure.URL, want: "the TLS certificate of HOST is signed by nobody whom this machine trusts: set tls_config.ca_file"},
		{
			name: "a certificate for another name", url: secure.URL, more: "tls_config: {ca_file: " + authority + ", server_name: prometheus.test}",
			want: "not for prometheus.test: set the url to that name, or tls_config.server_name",
		},
		{name: "no TLS where there is some", url: strings.Replace(secure.URL, "https", "http", 1), want: "HOST speaks TLS: the url must begin with https:// and not http://"},
		{name: "TLS where there is none", url: strings.Replace(plainly, "http", "https", 1), want: "HOST does not speak TLS: the url must begin with http:// and not https://"},
		{name: "an empty server", url: prometheus, want: "Prometheus answers and has no CPU seconds of any host"},
	} {
		for when, lag := range map[string]string{"a day is due": "2m", "nothing is due": "25h"} {
			t.Run(c.name+", "+when, func(t *testing.T) {
				if c.url != secure.URL { // the race detector does not follow crypto/tls' cache of certificates
					t.Parallel()
				}
				file := filepath.Join(t.TempDir(), "carbon.yml")
				write(t, file, fmt.Sprintf("prometheus:\n  url: %s\n  lag: %s\n  %s\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100}}\n", c.url, lag, c.more))
				p := start(t, "--config.file="+file, storage(t))
				_, host, _ := strings.Cut(c.url, "://")
				host, _, _ = strings.Cut(host, "/")
				want := strings.ReplaceAll(c.want, "HOST", host)
				eventually(t, "the log says so", func() bool { return strings.Contains(strings.ReplaceAll(p.stderr.String(), `\"`, `"`), want) })
				eventually(t, "the page says so", func() bool {
					_, page := ask(t, http.MethodGet, p.url+"/")
					return strings.Contains(html.UnescapeString(page), want)
				})
				if n := strings.Count(p.stderr.String(), "level=ERROR"); n > 1 {
					t.Errorf("%d errors of one cause:\n%s", n, p.stderr)
				}
			})
		}
	}
}

// A table of owners without a row, and an info metric of which there are no series, are said like an
// outage: the last owners stay.
func TestADirectoryThatNamesNobodyIsSaid(t *testing.T) {
	owners := filepath.Join(t.TempDir(), "owners.csv")
	write(t, owners, "host,owner\n")
	prometheus := like(t, "")
	for _, c := range []struct{ name, section, want string }{
		{"a table", "{file: " + owners + "}", "owners.csv: has no rows"},
		{"an info metric", "{prometheus: {metric: vm_owner_info, labels: {host: instance, owner: owner}}}", "vm_owner_info has had no series since "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "carbon.yml")
			write(t, file, fmt.Sprintf("prometheus: {url: %s}\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100}}\ndirectory: %s\n", prometheus, c.section))
			p := start(t, "--config.file="+file, storage(t))
			eventually(t, "the log says so", func() bool { return strings.Contains(p.stderr.String(), c.want) })
			eventually(t, "the page says so", func() bool {
				_, page := ask(t, http.MethodGet, p.url+"/")
				return strings.Contains(html.UnescapeString(page), c.want)
			})
		})
	}
}
