// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package grids imitates servers of carbon intensity, each as it really answers, odd answers
// included, with a known truth. It must not know how anybody reads the answers. Start with Server,
// which all of them have in common; each has a file of its own.
package grids

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Server is what the imitations have in common. Now and Truth must be set.
type Server struct {
	Now func() time.Time
	// Truth is the intensity in the five minutes that begin at a time. What a server says of a
	// longer time is the mean.
	Truth func(at time.Time) usage.GramsPerKWh

	mu       sync.Mutex
	broken   int
	requests []string
}

// Dead in place of a status closes the connection without an answer.
const Dead = -1

// Break makes the server answer with a status, whatever is asked, until Break(0).
func (s *Server) Break(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = status
}

// Requests lists the paths and queries that were asked for, those while it was broken included.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// fails notes a request, and answers it if the server is broken.
func (s *Server) fails(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.RequestURI())
	broken := s.broken
	s.mu.Unlock()
	switch broken {
	case 0:
		return false
	case Dead:
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(broken)
	return true
}

// answer writes a body of JSON. A client that has gone needs none.
func answer(w http.ResponseWriter, body any) {
	_ = json.NewEncoder(w).Encode(body)
}

// mean is the truth of [from, to), in steps of five minutes.
func (s *Server) mean(from, to time.Time) usage.GramsPerKWh {
	var sum, n float64
	for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
		sum, n = sum+float64(s.Truth(at)), n+1
	}
	return usage.GramsPerKWh(sum / n)
}
