// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func withOAuth(tokenURL string) config.HTTPClientConfig {
	cfg := config.DefaultHTTPClientConfig
	cfg.OAuth2 = &config.OAuth2{ClientID: "carbon", ClientSecret: "open sesame", TokenURL: tokenURL}
	return cfg
}

func giveToken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"access_token":"the-token","token_type":"Bearer","expires_in":3600}`)
}

func showAuthorization(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, r.Header.Get("Authorization"))
}

func TestTokenIsFetchedAndSent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("open sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve(t, showAuthorization)
	issuer := serve(t, giveToken)
	fromFile := withOAuth(issuer)
	fromFile.OAuth2.ClientSecret, fromFile.OAuth2.ClientSecretFile = "", file
	for name, cfg := range map[string]config.HTTPClientConfig{"inline secret": withOAuth(issuer), "secret in a file": fromFile} {
		got, err := ask(t.Context(), newClient(t, cfg), server)
		if got != "Bearer the-token" || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestTokenIsNotSentToAnotherServer(t *testing.T) {
	issuer := serve(t, giveToken)
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the other server was asked") })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other, http.StatusTemporaryRedirect)
	})
	if f := failure(t, newClient(t, withOAuth(issuer)), server); f.Reason != usage.ReasonRedirect {
		t.Errorf("got %+v", f)
	}
}

func TestClientSecretIsNotSentToAnotherServer(t *testing.T) {
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		t.Errorf("the other server was asked, with %v %s", r.Header, text)
	})
	issuer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other, http.StatusTemporaryRedirect)
	})
	f := failure(t, newClient(t, withOAuth(issuer)), serve(t, showAuthorization))
	if f.Reason != usage.ReasonRedirect || !f.Permanent || !strings.Contains(f.Detail, "set token_url") {
		t.Errorf("got %+v", f)
	}
}

func TestIssuerThatRefuses(t *testing.T) {
	issuer := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no\nsuch client", http.StatusUnauthorized)
	})
	f := failure(t, newClient(t, withOAuth(issuer)), serve(t, showAuthorization))
	if strings.Contains(f.Error(), "sesame") || strings.Contains(f.Error(), "\n") {
		t.Errorf("got %q", f)
	}
}

func TestConnectionForATokenHasADeadline(t *testing.T) {
	issuer := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := http.Client{Transport: &http.Transport{DialContext: dialToken("", soon), DisableKeepAlives: true}}
	resp, err := c.Get(issuer)
	if err == nil {
		resp.Body.Close()
		t.Fatal("an answer of a server that gives none")
	}
	if !os.IsTimeout(err) {
		t.Errorf("got %v", err)
	}
}

// The token is asked for outside the request's context. Whoever ends the request, or
// the program, does not wait for it.
func TestATokenServerThatHangsHoldsNobodyUp(t *testing.T) {
	hung, release := make(chan struct{}, 1), make(chan struct{})
	issuer := serve(t, func(http.ResponseWriter, *http.Request) {
		select {
		case hung <- struct{}{}:
		default: // it is asked again
		}
		<-release
	})
	t.Cleanup(func() { close(release) })
	server := serve(t, showAuthorization)
	c := newClient(t, withOAuth(issuer))
	c.Timeout = time.Minute
	for _, test := range []struct {
		name  string
		first bool // is the token server asked, or is another request waiting for it already
	}{{"the first request", true}, {"a request that waits for another's token", false}} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := ask(ctx, c, server)
			ended <- err
		}()
		if test.first {
			<-hung
		}
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", test.name, err)
			}
		case <-time.After(tokenTimeout / 2):
			t.Fatalf("%s: waits for the token", test.name)
		}
	}
	c.Timeout = 20 * time.Millisecond
	for i := range maxLeft + 1 {
		if f := failure(t, c, server); f.Reason != usage.ReasonTimeout {
			t.Errorf("request %d: got %+v", i, f)
		}
	}
}

func TestConfigurationThatCannotBeUsed(t *testing.T) {
	byReference := withOAuth("http://issuer")
	byReference.OAuth2.ClientSecretRef = "vault"
	badToken := withOAuth("http://user:pass word@%zz")
	noCA := config.DefaultHTTPClientConfig
	noCA.TLSConfig.CAFile = "no-such-file"
	for name, cfg := range map[string]config.HTTPClientConfig{
		"secret by reference": byReference,
		"token url":           badToken,
		"certificate file":    noCA,
	} {
		_, err := NewHTTPClient(cfg, "prometheus")
		if err == nil || !strings.HasPrefix(err.Error(), "http client for prometheus: ") || strings.Contains(err.Error(), "pass word") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
