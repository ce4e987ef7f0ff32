// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package enginetest serves Prometheus' engine to one test.
package enginetest

import (
	"net/http/httptest"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// Serve opens an engine and returns it with the URL of its API. Without a directory it has one
// of the test's own. Both end with the test.
func Serve(t testing.TB, o engine.Options) (*engine.Engine, string) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	e, err := engine.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(e.Handler())
	t.Cleanup(func() {
		web.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, web.URL
}
