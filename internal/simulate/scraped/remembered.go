// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"bytes"
	"compress/gzip"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Remembered answers each question once, compressed as Prometheus does, and gives the same
// answer ever after, so that whoever measures a client does not measure the server.
type Remembered struct {
	Server http.Handler

	mu      sync.Mutex
	answers map[string]*httptest.ResponseRecorder
}

// ServeHTTP implements http.Handler.
func (m *Remembered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := m.answer(r)
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may have gone
}

func (m *Remembered) answer(r *http.Request) *httptest.ResponseRecorder {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := r.URL.Path + "?" + r.Form.Encode()
	if m.answers[key] != nil {
		return m.answers[key]
	}
	answer := httptest.NewRecorder()
	m.Server.ServeHTTP(answer, r)
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = z.Write(answer.Body.Bytes()) // to memory
	_ = z.Close()
	answer.Body = &body
	answer.Header().Set("Content-Encoding", "gzip")
	if m.answers == nil {
		m.answers = map[string]*httptest.ResponseRecorder{}
	}
	m.answers[key] = answer
	return answer
}
