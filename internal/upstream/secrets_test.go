// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/common/config"
)

func TestNoErrorShowsACredential(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	hangs := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	breaks := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
	})
	parrot := func(header string) string {
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, "%s %s", header, map[string]string{
				"Authorization": r.Header.Get("Authorization"),
				"password":      user + " with " + password,
				"X-Api-Key":     r.Header.Get("X-Api-Key"),
				"far behind":    strings.Repeat("x", maxText-len("far behind")-5) + password,
			}[header])
		})
	}
	tests := []struct{ name, url string }{
		{name: "connection refused", url: closed.URL},
		{name: "deadline", url: hangs},
		{name: "connection breaks", url: breaks},
		{name: "no such scheme", url: "gopher://localhost"},
		{name: "the server repeats the header", url: parrot("Authorization")},
		{name: "the server repeats the password", url: parrot("password")},
		{name: "the server repeats a secret header", url: parrot("X-Api-Key")},
		{name: "the server repeats the password where the text is cut", url: parrot("far behind")},
	}
	withoutAuth := secretive()
	withoutAuth.BasicAuth = nil
	for _, test := range tests {
		for place, cfg := range map[string]config.HTTPClientConfig{"configuration": secretive(), "url": withoutAuth} {
			t.Run(test.name+", credentials in the "+place, func(t *testing.T) {
				url := test.url + "/?token=secret-query"
				if place == "url" {
					url = strings.Replace(url, "//", "//carbon:open%20sesame@", 1)
				}
				c := newClient(t, cfg)
				c.Timeout = soon
				f := failure(t, c, url)
				for err := error(f); err != nil; err = unwrap(err) {
					for _, secret := range []string{"carbon:", "sesame", "open s", "Y2FyYm9u", "key-of-the-house", "secret-query"} {
						if strings.Contains(err.Error(), secret) {
							t.Errorf("%q shows %q", err, secret)
						}
					}
				}
			})
		}
	}
}

func TestBearerTokenIsHidden(t *testing.T) {
	cfg := config.DefaultHTTPClientConfig
	cfg.Authorization = &config.Authorization{Type: "Bearer", Credentials: "abcdefgh"}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		http.Error(w, "no such token: "+token, http.StatusUnauthorized)
	})
	if f := failure(t, newClient(t, cfg), url); strings.Contains(f.Error(), "abcdefgh") || f.Detail == "" {
		t.Errorf("got %v", f)
	}
}

func TestPlainWordsAreNotHidden(t *testing.T) {
	cfg := config.DefaultHTTPClientConfig
	cfg.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{"X-Scope-OrgID": {Values: []string{"1"}}}}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "1:1: "+r.UserAgent()+" sent no query", http.StatusBadRequest)
	})
	want := "1:1: carbon_exporter/test sent no query"
	if f := failure(t, newClient(t, cfg), url); f.Detail != want {
		t.Errorf("got %q, want %q", f.Detail, want)
	}
}

func TestUserinfoOfAnyURLIsHidden(t *testing.T) {
	err := new(Scrubber).Error(fmt.Errorf("proxy http://user:p@ss@proxy:3128/?key=abc"))
	if want := "proxy http://proxy:3128/?<secret>"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}
