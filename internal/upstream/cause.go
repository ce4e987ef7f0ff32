// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// causeOfConnection says in plain words why there was no answer, and what to do; "" if it is not
// one of the usual causes.
func causeOfConnection(u *url.URL, err error) string {
	if words := causeOfTLS(u, err); words != "" {
		return words
	}
	var lookup *net.DNSError
	at, server, key := u.Host, "server", "the url"
	op := (*net.OpError)(nil)
	if errors.As(err, &op) && op.Op == "proxyconnect" {
		at, server, key = "the proxy", "proxy", "proxy_url"
		errors.As(op.Err, &op)
	}
	if op != nil && op.Addr != nil {
		at = op.Addr.String()
	}
	switch {
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return fmt.Sprintf("DNS does not know the name %s: check the host in %s", lookup.Name, key)
	case errors.As(err, &lookup):
		return fmt.Sprintf("DNS does not answer for the name %s", lookup.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens at %s: check that the %s runs, and the host and port of %s", at, server, key)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("there is no way to %s: check the network, and the host of %s", at, key)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.HasSuffix(err.Error(), "http: server closed idle connection"): // before the request was written
		return fmt.Sprintf("%s closed the connection before its answer was complete", at)
	}
	return ""
}

// causeOfTLS is causeOfConnection for encryption.
func causeOfTLS(u *url.URL, err error) string {
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return fmt.Sprintf("the TLS certificate of %s is for %s, not for %s: set the url to that name, or tls_config.server_name", u.Host, namesOf(name.Certificate), name.Host)
	case errors.As(err, &authority):
		return fmt.Sprintf("the TLS certificate of %s is signed by nobody whom this machine trusts: set tls_config.ca_file", u.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("the TLS certificate of %s has expired, or the clock of this machine is wrong", u.Host)
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return fmt.Sprintf("%s does not speak TLS: the url must begin with http:// and not https://", u.Host)
	case u.Scheme == "http" && strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`): // an alert of TLS
		return speaksTLS(u)
	}
	return ""
}

func speaksTLS(u *url.URL) string {
	return fmt.Sprintf("%s speaks TLS: the url must begin with https:// and not http://", u.Host)
}

// namesOf lists some names of a certificate.
func namesOf(c *x509.Certificate) string {
	const most = 3
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0:
		return "no name"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, " and ")
}

// causeOfStatus says in plain words why an answer is not a good one, and what to do.
func causeOfStatus(u *url.URL, status int, body []byte) string {
	said := strings.ToLower(string(body))
	switch {
	case status == http.StatusBadRequest && u.Scheme == "http" && strings.Contains(said, "http request") && strings.Contains(said, "https"):
		return speaksTLS(u)
	case status == http.StatusUnauthorized:
		return fmt.Sprintf("%s wants a login and does not accept ours: set basic_auth, authorization or oauth2, or correct it", u.Host)
	case status == http.StatusForbidden:
		return fmt.Sprintf("%s does not permit this to our account: give it the right to read, or use another account", u.Host)
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("%s has no such page: check the path of the url", u.Host)
	case status == http.StatusProxyAuthRequired:
		return "the proxy wants a login: set it in proxy_url"
	case status == http.StatusTooManyRequests:
		return fmt.Sprintf("%s says that we ask too often", u.Host)
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return fmt.Sprintf("a proxy at %s answers, but not the server behind it", u.Host)
	case status >= http.StatusInternalServerError:
		return fmt.Sprintf("%s answers that it is out of order (http status %d)", u.Host, status)
	}
	return ""
}

// titleOf finds the title of a page.
var titleOf = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// hypertext is how a page begins, once it may begin like any other XML.
var hypertext = regexp.MustCompile(`(?i)<(!doctype\s+)?html`)

// notAPage refuses an answer that is a page for people, such as the login of a proxy: proxies
// send it with the status of a good answer. Where XML is accepted, other XML is no page.
func notAPage(accept, contentType string, body io.Reader) (io.Reader, error) {
	if strings.Contains(contentType, "json") {
		return body, nil
	}
	const enough = 2 << 10
	begins := bufio.NewReaderSize(body, enough)
	text, err := begins.Peek(enough)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) || strings.Contains(accept, "xml") && !hypertext.Match(text) {
		return begins, nil
	}
	what := "a web page"
	if title := titleOf.FindSubmatch(text); title != nil {
		what = fmt.Sprintf("a web page with the title %q", strings.Join(strings.Fields(html.UnescapeString(string(title[1]))), " "))
	}
	return nil, &usage.Failure{
		Reason: usage.ReasonMalformed, Detail: "the answer is " + what,
		Cause: "the answer is " + what + ", not data: a login or a proxy is in the way, or the url is that of a page for people",
	}
}
