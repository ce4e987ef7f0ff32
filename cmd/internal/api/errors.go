// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The types of errors, as Prometheus has them.
const (
	badData     = "bad_data"
	notFound    = "not_found"
	timeout     = "timeout"
	unavailable = "unavailable"
	internal    = "internal"
)

// refusal is the answer to a request that has none.
type refusal struct {
	Status string `json:"status"`
	Type   string `json:"errorType"`
	Error  string `json:"error"`
}

func refuse(w http.ResponseWriter, status int, kind, why string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.Encode(refusal{"error", kind, why}) //nolint:errcheck // the client has gone
}

// dashed is a flag in the words of an error.
var dashed = regexp.MustCompile(`(^|[ (;])--([a-z][a-z-]*)`)

// asParameters writes the flags of the tool as the parameters that they are here.
func asParameters(why string) string { return escape.Line(dashed.ReplaceAllString(why, "$1$2")) }

// fail says why there is no answer.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	say := func(status int, kind string) { refuse(w, status, kind, asParameters(err.Error())) }
	_, never := errors.AsType[answers.NeverSeen](err)
	_, wrong := errors.AsType[commandline.Wrong](err)
	_, much := errors.AsType[answers.TooMuch](err)
	switch {
	case never || errors.Is(err, answers.ErrNoForecasts):
		say(http.StatusNotFound, notFound)
	case wrong:
		say(http.StatusBadRequest, badData)
	case much || errors.Is(err, usage.ErrPruned):
		say(http.StatusUnprocessableEntity, badData)
	case errors.Is(err, answers.ErrNotStored):
		w.Header().Set("Retry-After", "60")
		say(http.StatusServiceUnavailable, unavailable)
	case r.Context().Err() != nil: // the client has gone
	case errors.Is(err, context.DeadlineExceeded) || sqlite.Interrupted(err):
		w.Header().Set("Retry-After", "60")
		refuse(w, http.StatusServiceUnavailable, timeout, "the answer took too long; ask for less: a shorter range, or longer parts")
	case errors.Is(err, sqlite.ErrBusy) || errors.Is(err, sqlite.ErrGone):
		w.Header().Set("Retry-After", "60")
		refuse(w, http.StatusServiceUnavailable, unavailable, "the store cannot be read; the log of carbon_exporter says why")
		s.Log.Warn("Reading the store for the API failed", "path", r.URL.Path, "err", err)
	default:
		refuse(w, http.StatusInternalServerError, internal, "the answer could not be made; the log of carbon_exporter says why")
		s.Log.Error("Answering a request of the API failed", "path", r.URL.Path, "err", err)
	}
}
