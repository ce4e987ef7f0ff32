// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
)

// counting is a clock by which nobody waits, and which adds up what they would have waited.
type counting struct {
	clock.Real
	slept time.Duration
}

func (c *counting) Sleep(_ context.Context, d time.Duration, _ <-chan struct{}) { c.slept += d }

func TestAsk(t *testing.T) {
	refuse := func(status int, text string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	const busy = `{"status":"error","errorType":"unavailable","error":"too many requests at once; try again in a second"}`
	twice := func() http.HandlerFunc {
		asked := 0
		return func(w http.ResponseWriter, r *http.Request) {
			if asked++; asked == 1 {
				refuse(http.StatusServiceUnavailable, busy, "Retry-After", "7")(w, r)
				return
			}
			fmt.Fprintf(w, "%s %s", r.URL.Path, r.URL.RawQuery)
		}
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // the answer, or the error after the address
		wrong   bool
		slept   time.Duration
	}{
		{"an answer", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.URL.Path, r.URL.RawQuery) }, "/carbon/api/v1/report top=3", false, 0},
		{"busy, and then not", twice(), "/carbon/api/v1/report top=3", false, 7 * time.Second},
		{"busy twice", refuse(http.StatusServiceUnavailable, busy, "Retry-After", "1"), "too many requests at once; try again in a second", false, time.Second},
		{"busy for long", refuse(http.StatusServiceUnavailable, busy, "Retry-After", "60"), "too many requests at once; try again in a second", false, 0},
		{
			"the API is off", refuse(http.StatusNotFound, `{"status":"error","errorType":"not_found","error":"the API is off; start carbon_exporter with --web.enable-api"}`),
			"the API is off; start carbon_exporter with --web.enable-api", false, 0,
		},
		{"there is no API", refuse(http.StatusNotFound, "404 page not found"), "there is no API at this address: carbon_exporter has one with --web.enable-api; check the version of the server and the path of --server", false, 0},
		{"a wrong flag", refuse(http.StatusBadRequest, `{"status":"error","errorType":"bad_data","error":"top: must be at least 1, is 0"}`), "--top: must be at least 1, is 0", true, 0},
		{"too much", refuse(http.StatusUnprocessableEntity, `{"status":"error","errorType":"bad_data","error":"top: the report has up to 9 rows"}`), "--top: the report has up to 9 rows", true, 0},
		{"a wrong use", refuse(http.StatusBadRequest, `{"status":"error","errorType":"bad_data","error":"no range: give from"}`), "no range: give from", true, 0},
		{"no answer in time", refuse(http.StatusServiceUnavailable, `{"status":"error","errorType":"timeout","error":"the answer took too long"}`), "the answer took too long", false, 0},
		{"no rights", refuse(http.StatusUnauthorized, "Unauthorized"), "wants a login and does not accept ours: set basic_auth, authorization or oauth2, or correct it, in the file of --http.config.file", false, 0},
		{"a login page", refuse(http.StatusOK, "<html><title>Sign in</title>", "Content-Type", "text/html"), `the answer is a web page with the title "Sign in", not data`, false, 0},
		{"another server", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, "redirect", false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			by := &counting{}
			s, err := New(server.URL+"/carbon/?tab=1#here", promconfig.DefaultHTTPClientConfig, by)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err = s.Ask(t.Context(), "report", url.Values{"top": {"3"}}, &out)
			got := out.String()
			if err != nil {
				got = err.Error()
			}
			_, wrong := errors.AsType[commandline.Wrong](err)
			if !strings.Contains(got, c.want) || wrong != c.wrong || by.slept != c.slept {
				t.Errorf("%q, wrong use %t, slept %s; want %q, %t, %s", got, wrong, by.slept, c.want, c.wrong, c.slept)
			}
		})
	}
}

func TestAskOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	for _, c := range []struct{ name, address, want string }{
		{"a certificate of nobody", server.URL, "is signed by nobody whom this machine trusts: set tls_config.ca_file, in the file of --http.config.file"},
		{"without TLS", strings.Replace(server.URL, "https:", "http:", 1), "speaks TLS: the url must begin with https:// and not http://"},
		{"nobody", "http://127.0.0.1:1", "nothing listens at 127.0.0.1:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := New(c.address, promconfig.DefaultHTTPClientConfig, &counting{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Ask(t.Context(), "budgets", nil, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for address, want := range map[string]string{
		"carbon.example.org:9977":      "--server: must be a URL such as http://carbon.example.org:9977",
		"ftp://carbon.example.org":     "--server: must be a URL such as http://carbon.example.org:9977",
		"http://a:secret@localhost:1/": "--server: must be without user and password: put basic_auth, with username and password_file, into a file for --http.config.file",
	} {
		if _, err := New(address, promconfig.DefaultHTTPClientConfig, clock.Real{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}
