// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// secretive is a configuration with a password and a tenant's header.
func secretive() config.HTTPClientConfig {
	cfg := config.DefaultHTTPClientConfig
	cfg.BasicAuth = &config.BasicAuth{Username: "carbon", Password: "open sesame"}
	cfg.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{
		"X-Scope-OrgID": {Values: []string{"tenant-7"}},
		"X-Api-Key":     {Secrets: []config.Secret{"key-of-the-house"}},
	}}
	return cfg
}

func TestAnotherServerIsNeverAsked(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			other := serve(t, func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("the other server was asked, with %v", r.Header)
			})
			first := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", strings.Replace(other, "//", "//user:word@", 1)+"/path?token=abc")
				w.WriteHeader(status)
			})
			f := failure(t, newClient(t, secretive()), first)
			if f.Reason != usage.ReasonRedirect || !f.Permanent {
				t.Errorf("got %+v", f)
			}
			for _, word := range []string{first, other, "set the url"} {
				if !strings.Contains(f.Error(), word) {
					t.Errorf("%q does not say %q", f, word)
				}
			}
			for _, word := range []string{"user", "word", "token", "/path"} {
				if strings.Contains(f.Error(), word) {
					t.Errorf("%q says %q", f, word)
				}
			}
		})
	}
}

func TestAnotherServerIsNotAskedOnASecondHopEither(t *testing.T) {
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the other server was asked") })
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/second", http.StatusFound)
			return
		}
		http.Redirect(w, r, other, http.StatusFound)
	})
	if f := failure(t, newClient(t, secretive()), first); f.Reason != usage.ReasonRedirect {
		t.Errorf("got %+v", f)
	}
}

func TestRedirectWithinTheServerKeepsCredentials(t *testing.T) {
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/prometheus/", http.StatusFound)
			return
		}
		user, password, _ := r.BasicAuth()
		io.WriteString(w, user+" "+password+" "+r.Header.Get("X-Scope-OrgID")+" "+r.Header.Get("X-Api-Key"))
	})
	got, err := ask(t.Context(), newClient(t, secretive()), first)
	if want := "carbon open sesame tenant-7 key-of-the-house"; got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestRedirectThatWouldDropTheQuestion(t *testing.T) {
	var asked []string
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method)
		http.Redirect(w, r, "/prometheus"+r.URL.Path, http.StatusFound)
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, first, strings.NewReader("query=up"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = plain(t).Do(req)
	if f := (*usage.Failure)(nil); !errors.As(err, &f) || f.Reason != usage.ReasonRedirect || len(asked) != 1 {
		t.Errorf("got %v after %v", err, asked)
	}
}

func TestRedirectInACircleEnds(t *testing.T) {
	hops := 0
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "/", http.StatusFound)
	})
	if f := failure(t, plain(t), first); f.Reason != usage.ReasonRedirect || hops != maxRedirects {
		t.Errorf("got %+v after %d requests", f, hops)
	}
}

func TestRedirectsThatTheOperatorDoesNotWant(t *testing.T) {
	cfg := secretive()
	cfg.FollowRedirects = false
	tests := []struct{ name, location, want string }{
		{name: "to a place", location: "http://carbon:pw@elsewhere.example/x?y=z", want: "redirected to http://elsewhere.example and not followed"},
		{name: "to nowhere", want: "without a valid target"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			first := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.location != "" {
					w.Header().Set("Location", test.location)
				}
				w.WriteHeader(http.StatusFound)
			})
			f := failure(t, newClient(t, cfg), first)
			if f.Reason != usage.ReasonRedirect || !f.Permanent || f.Status != http.StatusFound || !strings.Contains(f.Detail, test.want) {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestUpgradeToTLSOnTheSamePortIsAnotherServer(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	t.Cleanup(secure.Close)
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secure.URL, http.StatusFound)
	})
	if f := failure(t, newClient(t, secretive()), first); f.Reason != usage.ReasonRedirect {
		t.Errorf("got %+v", f)
	}
}

func TestSameServer(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       bool
	}{
		{name: "another path", a: "http://prom:9090/", b: "http://prom:9090/graph", want: true},
		{name: "the name in capitals", a: "http://prom:9090", b: "http://PROM:9090", want: true},
		{name: "the usual port written out", a: "https://prom", b: "https://prom:443/x", want: true},
		{name: "upgrade on the usual ports", a: "http://prom", b: "https://prom", want: true},
		{name: "upgrade on the usual ports, written out", a: "http://prom:80", b: "https://prom:443", want: true},
		{name: "upgrade to some other port", a: "http://prom", b: "https://prom:8443"},
		{name: "upgrade from some other port", a: "http://prom:9090", b: "https://prom"},
		{name: "downgrade", a: "https://prom", b: "http://prom"},
		{name: "another port", a: "http://prom:9090", b: "http://prom:9091"},
		{name: "a subdomain", a: "http://prom", b: "http://a.prom"},
		{name: "another host", a: "http://prom", b: "http://evil"},
		{name: "userinfo that looks like the host", a: "http://prom", b: "http://prom@evil"},
		{name: "another address of the same machine", a: "http://127.0.0.1", b: "http://localhost"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, errA := url.Parse(test.a)
			b, errB := url.Parse(test.b)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			if got := sameServer(a, b); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
