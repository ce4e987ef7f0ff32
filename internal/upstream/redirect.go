// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxRedirects is the limit of net/http, which our own policy must repeat.
const maxRedirects = 10

// checkRedirect follows a redirect only within the configured server. prometheus/common drops
// credentials when the host name changes, but forwards them to another port and to subdomains,
// and forwards http_headers, which may contain a tenant or a token, to any server. So no other
// server gets a request at all.
func checkRedirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case len(via) >= maxRedirects:
		return refusedRedirect("more than %d redirects; check the configured url", maxRedirects)
	case !sameServer(last.URL, req.URL):
		return refusedRedirect("%s redirects to another server, %s, which is not followed: set the url to that server if it is the right one",
			origin(last.URL), origin(req.URL))
	case req.Method != last.Method:
		// net/http turns the POST into a GET and drops its body, which contains the query.
		return refusedRedirect("%s redirects a %s, which loses the query in its body: set the url to the redirect's target, under %s",
			origin(last.URL), last.Method, origin(req.URL))
	}
	return nil
}

func refusedRedirect(format string, args ...any) error {
	return &usage.Failure{Reason: usage.ReasonRedirect, Permanent: true, Detail: fmt.Sprintf(format, args...)}
}

// sameServer reports whether a and b are the same server, or b is a's upgrade from http to
// https on the usual ports. Another port is another server: on a shared machine it may belong
// to somebody else.
func sameServer(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	if a.Scheme == b.Scheme {
		return port(a) == port(b)
	}
	return a.Scheme == "http" && port(a) == "80" && b.Scheme == "https" && port(b) == "443"
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// origin returns scheme, host and port without userinfo, path and query, each of which may
// contain a credential.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// redirectAdvice returns what to do about a redirect that was not followed.
func redirectAdvice(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "redirected without a valid target; check the configured url"
	}
	return "redirected to " + origin(to) + " and not followed: set the url to the target, or follow_redirects to true"
}
