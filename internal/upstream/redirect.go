package upstream

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxRedirects is net/http's own number, which a policy of ours has to repeat.
const maxRedirects = 10

// checkRedirect follows a redirect only within the server that was configured.
// prometheus/common drops credentials when the host name changes, but forwards
// them to another port and to subdomains, and forwards http_headers, which may
// be a tenant or a token, to anyone; so no other server is asked at all.
func checkRedirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case len(via) >= maxRedirects:
		return refusedRedirect("more than %d redirects; check the configured url", maxRedirects)
	case !sameServer(last.URL, req.URL):
		return refusedRedirect("%s redirects to another server, %s, which is not asked: set the url to it if it is the one that is meant",
			origin(last.URL), origin(req.URL))
	case req.Method != last.Method:
		// net/http makes a GET of a POST and drops the question in its body.
		return refusedRedirect("%s redirects a %s so that its question is lost: set the url to where it leads, under %s",
			origin(last.URL), last.Method, origin(req.URL))
	}
	return nil
}

func refusedRedirect(format string, args ...any) error {
	return &usage.Failure{Reason: usage.ReasonRedirect, Permanent: true, Detail: fmt.Sprintf(format, args...)}
}

// sameServer says whether b is the server that a is, or its upgrade from http
// to https on the usual ports. Another port is another server: on a shared
// machine it may be another person's.
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

// origin is scheme, host and port: no userinfo, path or query, any of which
// may hold a credential.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// redirectAdvice says what to do about a redirect that was not followed.
func redirectAdvice(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "an answer that leads nowhere; check the configured url"
	}
	return "redirected to " + origin(to) + " and not followed: set the url to where it leads, or follow_redirects to true"
}
