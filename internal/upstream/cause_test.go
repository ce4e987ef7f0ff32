// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/common/config"
)

// gone is the address of a server that is not there any more.
func gone() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	// Nobody listens at the other end of a connection, and nobody else gets its port while it is open.
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	go io.Copy(io.Discard, c) //nolint:errcheck // for as long as the tests run
	return "http://" + c.LocalAddr().String()
}

// hangUp closes every connection without an answer.
func hangUp(t *testing.T) string { return meet(t, func(net.Conn) {}) }

// bareTLS answers what is not TLS with an alert, as a server does that is not a web server.
func bareTLS(t *testing.T) string {
	return meet(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4<<10))
		_, _ = io.WriteString(c, "\x15\x03\x01\x00\x02\x02\x46") // fatal, protocol version
	})
}

// meet is the address of a server that does one thing with every connection, and closes it.
func meet(t *testing.T, with func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			with(c)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestACauseIsSaidInPlainWords(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of each handshake
	secure.StartTLS()
	t.Cleanup(secure.Close)
	answers := func(status int, text string) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			io.WriteString(w, text)
		})
	}
	ca := func(name string) config.HTTPClientConfig {
		cfg := config.DefaultHTTPClientConfig
		cfg.TLSConfig = config.TLSConfig{CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})), ServerName: name}
		return cfg
	}
	through := func(proxy string) *config.HTTPClientConfig {
		cfg := config.DefaultHTTPClientConfig
		u, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		cfg.ProxyURL = config.URL{URL: u}
		return &cfg
	}
	for _, c := range []struct {
		name string
		url  string
		cfg  *config.HTTPClientConfig
		want string // HOST is the host and port of the url
	}{
		{name: "nobody listens", url: gone(), want: "nothing listens at HOST: check that the server runs, and the host and port of the url"},
		{name: "a name that is none", url: "http://prometheus.invalid:9090", want: "DNS does not know the name prometheus.invalid: check the host in the url"},
		{name: "nobody listens as a proxy", url: "http://prometheus.test:9090", cfg: through(gone()), want: "nothing listens at PROXY: check that the proxy runs, and the host and port of proxy_url"},
		{name: "a proxy that is none", url: "http://prometheus.test:9090", cfg: through("http://proxy.invalid:3128"), want: "DNS does not know the name proxy.invalid: check the host in proxy_url"},
		{name: "no answer", url: hangUp(t), want: "HOST closed the connection before its answer was complete"},
		{name: "TLS where there is none", url: strings.Replace(answers(200, "{}"), "http:", "https:", 1), want: "HOST does not speak TLS: the url must begin with http:// and not https://"},
		{name: "no TLS where there is some", url: strings.Replace(secure.URL, "https:", "http:", 1), want: "HOST speaks TLS: the url must begin with https:// and not http://"},
		{name: "no TLS where there is nothing else", url: bareTLS(t), want: "HOST speaks TLS: the url must begin with https:// and not http://"},
		{name: "an unknown authority", url: secure.URL, want: "the TLS certificate of HOST is signed by nobody whom this machine trusts: set tls_config.ca_file"},
		{
			name: "a certificate for another name", url: secure.URL, cfg: new(ca("prometheus.test")),
			want: "the TLS certificate of HOST is for example.com, *.example.com, 127.0.0.1 and 1 more, not for prometheus.test: set the url to that name, or tls_config.server_name",
		},
		{name: "a login", url: answers(401, "no"), want: "HOST wants a login and does not accept ours: set basic_auth, authorization or oauth2, or correct it"},
		{name: "no right", url: answers(403, "no"), want: "HOST does not permit this to our account: give it the right to read, or use another account"},
		{name: "no page", url: answers(404, "no"), want: "HOST has no such page: check the path of the url"},
		{name: "nobody behind a proxy", url: answers(502, "Bad Gateway"), want: "a proxy at HOST answers, but not the server behind it"},
		{name: "out of order", url: answers(500, "no"), want: "HOST answers that it is out of order (http status 500)"},
		{
			name: "a login page", url: answers(200, "\n <!DOCTYPE html><html><head><title>Sign in &ndash;\n Example</title>"),
			want: `the answer is a web page with the title "Sign in – Example", not data: a login or a proxy is in the way, or the url is that of a page for people`,
		},
		{
			name: "a page without a title", url: answers(200, "<p>hello"),
			want: "the answer is a web page, not data: a login or a proxy is in the way, or the url is that of a page for people",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config.DefaultHTTPClientConfig
			if c.cfg != nil {
				cfg = *c.cfg
			}
			_, host, _ := strings.Cut(c.url, "://")
			want := strings.ReplaceAll(c.want, "HOST", host)
			if cfg.ProxyURL.URL != nil {
				want = strings.ReplaceAll(want, "PROXY", cfg.ProxyURL.Host)
			}
			if got := failure(t, newClient(t, cfg), c.url+"/").Cause; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// What is not a page is read to its last byte, whatever it says that it is.
func TestOnlyAPageIsTakenForOne(t *testing.T) {
	for _, body := range []string{"", "{}", strings.Repeat("x", 5<<10), " [1, 2]", "a <b"} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		if got, err := ask(t.Context(), plain(t), url); got != body || err != nil {
			t.Errorf("got %d bytes of %d, and error %v", len(got), len(body), err)
		}
	}
	page := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "<p>")
	})
	if got, err := ask(t.Context(), plain(t), page); got != "<p>" || err != nil {
		t.Errorf("what says that it is JSON is left to the caller: got %q, %v", got, err)
	}
}

// An API that is asked for XML answers with text that begins as a page does.
func TestXMLIsNoPageWhereItIsAskedFor(t *testing.T) {
	for _, test := range []struct {
		name, accept, body string
		page               bool
	}{
		{"XML that was asked for", "application/xml", `<?xml version="1.0"?><GL_MarketDocument/>`, false},
		{"XML without a declaration", "application/xml, text/xml", "<GL_MarketDocument/>", false},
		{"XML that was not asked for", "application/json", "<GL_MarketDocument/>", true},
		{"a page in place of XML", "application/xml", "<!DOCTYPE html><p>Sign in", true},
		{"a page that is XML, too", "application/xml", `<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">`, true},
		{"a page without a type", "application/xml", "<HTML><title>Sign in</title>", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, test.body) })
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept", test.accept)
			body, err := plain(t).Do(req)
			if err == nil {
				defer body.Close()
			}
			if (err != nil) != test.page {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A title is text from outside.
func TestATitleIsScrubbed(t *testing.T) {
	cfg := config.DefaultHTTPClientConfig
	cfg.Authorization = &config.Authorization{Type: "Bearer", Credentials: "hunter2hunter2"}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<title>%s</title>", r.Header.Get("Authorization"))
	})
	c := newClient(t, cfg)
	c.Scrubber = NewScrubber(cfg)
	f := failure(t, c, url)
	if strings.Contains(f.Cause+f.Detail, "hunter2") || !strings.Contains(f.Cause, hidden) {
		t.Errorf("the cause is %s", f.Cause)
	}
}
