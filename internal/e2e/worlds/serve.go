// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// Server is a Prometheus over HTTP that counts what it is asked and can misbehave.
type Server struct {
	*httptest.Server
	Engine *engine.Engine

	Answers http.Handler // of the engine, with nothing in front

	mu    sync.Mutex
	front func(w http.ResponseWriter, r *http.Request, next http.Handler)
	asked []Request
}

// Request is one that came.
type Request struct {
	Method, Path, Query string
}

// Serve serves an engine. Several may serve one.
func Serve(e *engine.Engine, answers http.Handler) *Server {
	s := &Server{Engine: e, Answers: answers}
	s.Server = httptest.NewServer(s)
	return s
}

// Close ends the server, and not its engine.
func (s *Server) Close() {
	s.CloseClientConnections()
	s.Server.Close()
}

// Before puts something in front of all answers, in place of what was there; nil: nothing.
func (s *Server) Before(front func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.front = front
}

// Asked returns the requests since it was last called.
func (s *Server) Asked() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, errors.Join(errors.New("bad form"), err).Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, Request{Method: r.Method, Path: r.URL.Path, Query: r.Form.Get("query")})
	front := s.front
	s.mu.Unlock()
	if front == nil {
		s.Answers.ServeHTTP(w, r)
		return
	}
	front(w, r, s.Answers)
}

// Edited lets an answer pass with its text changed.
func Edited(edit func(text string) string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("Accept-Encoding")
		kept := httptest.NewRecorder()
		next.ServeHTTP(kept, r)
		w.Header().Set("Content-Type", kept.Header().Get("Content-Type"))
		w.WriteHeader(kept.Code)
		_, _ = w.Write([]byte(edit(kept.Body.String()))) // a client that has gone
	}
}
