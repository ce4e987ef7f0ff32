// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tokenTimeout bounds one request for a token.
const tokenTimeout = 30 * time.Second

// jwtBearer is the grant whose secret is a private key: RFC 7523.
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// withToken adds OAuth2 to a transport. prometheus/common requests the token outside the
// request's context and follows any redirect with the client secret. So its connections have a
// deadline and reach only the configured server.
func withToken(oauth *config.OAuth2, next http.RoundTripper) (http.RoundTripper, error) {
	secret, err := clientSecret(oauth)
	if err != nil {
		return nil, err
	}
	only := ""
	if oauth.ProxyURL.URL == nil && !oauth.ProxyFromEnvironment { // all connections go to a proxy
		u, err := url.Parse(oauth.TokenURL)
		if err != nil {
			return nil, errors.New("token_url is not a url")
		}
		only = net.JoinHostPort(u.Hostname(), port(u))
	}
	return &leaving{places: make(chan struct{}, maxLeft), next: config.NewOAuth2RoundTripper(secret, oauth, next,
		config.WithKeepAlivesDisabled(), // so that a connection's deadline covers one request
		config.WithDialContextFunc(dialToken(only, tokenTimeout)),
	)}, nil
}

// maxLeft bounds how many requests of a leaving transport are under way.
const maxLeft = 4

// leaving is a transport whose requests end with their context although the one below
// waits for a token without it: a token server that hangs must not hold up the end of
// the program, nor a request beyond its timeout. What was left ends by itself, see
// tokenTimeout.
type leaving struct {
	places chan struct{}
	next   http.RoundTripper
}

func (l *leaving) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case l.places <- struct{}{}:
	case <-r.Context().Done():
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, r.Context().Err()
	}
	type result struct {
		resp *http.Response
		err  error
	}
	done, left := make(chan result), make(chan struct{})
	go func() {
		defer func() { <-l.places }()
		resp, err := l.next.RoundTrip(r)
		select {
		case done <- result{resp, err}:
		case <-left:
			if err == nil {
				resp.Body.Close()
			}
		}
	}()
	select {
	case is := <-done:
		return is.resp, is.err
	case <-r.Context().Done():
		close(left)
		return nil, r.Context().Err()
	}
}

// CloseIdleConnections is what http.Client looks for.
func (l *leaving) CloseIdleConnections() {
	if inner, ok := l.next.(interface{ CloseIdleConnections() }); ok {
		inner.CloseIdleConnections()
	}
}

func dialToken(only string, timeout time.Duration) config.DialContextFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if only != "" && addr != only {
			return nil, &usage.Failure{
				Reason:    usage.ReasonRedirect,
				Permanent: true,
				Detail:    fmt.Sprintf("the token server %s redirects to another server, %s, which does not get the client secret; set token_url to that server if it is the right one", only, addr),
			}
		}
		deadline := time.Now().Add(timeout)
		conn, err := (&net.Dialer{Deadline: deadline}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return conn, conn.SetDeadline(deadline)
	}
}

func clientSecret(oauth *config.OAuth2) (config.SecretReader, error) {
	text, file, ref := oauth.ClientSecret, oauth.ClientSecretFile, oauth.ClientSecretRef
	if oauth.GrantType == jwtBearer {
		text, file, ref = oauth.ClientCertificateKey, oauth.ClientCertificateKeyFile, oauth.ClientCertificateKeyRef
	}
	switch {
	case ref != "":
		return nil, errors.New("secret references are not supported: configure the secret or its file")
	case file != "":
		return config.NewFileSecret(file), nil
	}
	return config.NewInlineSecret(string(text)), nil
}

// noToken returns the failure for a refusal by the token server; nil if err is something else.
func noToken(err error) *usage.Failure {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return nil
	}
	f := &usage.Failure{Reason: usage.ReasonAuth, Permanent: true}
	said, status := string(refused.Body), 0
	if refused.ErrorCode != "" {
		said = refused.ErrorCode + " " + refused.ErrorDescription
	}
	if refused.Response != nil {
		status = refused.Response.StatusCode
	}
	switch {
	case status == http.StatusTooManyRequests:
		f.Reason, f.Permanent, f.RetryAfter = usage.ReasonRateLimited, false, retryAfter(refused.Response.Header, usage.MaxRetryAfter)
	case status >= 500:
		f.Reason, f.Permanent = usage.ReasonServer, false
	}
	f.Detail = fmt.Sprintf("the token server gave no token: http status %d: %s", status, said)
	return f
}

// protocolError says in our own words that an answer was not HTTP; "" if err is something else.
// net/http's own message quotes part of a line of the answer, which may be part of a secret.
func protocolError(err error) string {
	text := err.Error()
	for _, what := range []string{
		"malformed HTTP response", "malformed HTTP status code", "malformed HTTP version", "malformed MIME header",
		"bad Content-Length", "unsupported transfer encoding", "invalid chunk", "malformed chunked encoding",
	} {
		if strings.Contains(text, what) {
			return "the answer is not valid HTTP: " + what
		}
	}
	return ""
}
