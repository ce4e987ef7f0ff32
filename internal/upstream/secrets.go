package upstream

import (
	"encoding/base64"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
)

// secrets are the header values that went out with an exchange and must not
// come back in its errors: some servers and proxies repeat the request in
// their error page. They are taken from the wire, because the transport adds
// credentials below the request that we see.
type secrets struct {
	mu     sync.Mutex // the transport writes headers on its own goroutine
	values []string
}

// plainHeaders are what we send and may read again anywhere.
var plainHeaders = []string{
	"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Host",
	"Referer", "Transfer-Encoding", "User-Agent",
}

// minSecret keeps a tenant called "1" from hiding every text that has a 1.
const minSecret = 4

func (s *secrets) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{WroteHeaderField: func(name string, values []string) {
		if strings.HasPrefix(name, ":") || slices.Contains(plainHeaders, http.CanonicalHeaderKey(name)) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, v := range values {
			s.add(v)
		}
	}}
}

// add remembers a header's value, and the parts of one that is a credential.
func (s *secrets) add(value string) {
	s.values = append(s.values, value)
	scheme, credential, ok := strings.Cut(value, " ")
	if !ok {
		return
	}
	s.values = append(s.values, credential)
	if !strings.EqualFold(scheme, "basic") {
		return
	}
	if plain, err := base64.StdEncoding.DecodeString(credential); err == nil {
		_, password, _ := strings.Cut(string(plain), ":")
		s.values = append(s.values, string(plain), password)
	}
}

// hide is the text, cut, or a notice in its place if it repeats a secret.
// It looks before it cuts, so that no half of a secret is left.
func (s *secrets) hide(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.values {
		if len(v) >= minSecret && strings.Contains(text, v) {
			return "the answer repeats a credential and is not shown"
		}
	}
	return cut(text)
}
