// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// occupy holds all connections that the API reads through, until the test calls the function.
func (a *asked) occupy() (free func()) {
	a.t.Helper()
	var all sync.WaitGroup
	inside, leave := make(chan bool), make(chan bool)
	for range AtOnce {
		all.Go(func() {
			err := a.server.Store.View(context.Background(), func(*store.View) error {
				inside <- true
				<-leave
				return nil
			})
			if err != nil {
				a.t.Error(err)
			}
		})
	}
	for range AtOnce {
		<-inside
	}
	return sync.OnceFunc(func() { close(leave); all.Wait() })
}

func TestOnlySomeAreAnsweredAtATime(t *testing.T) {
	a := newAsked(t)
	a.server.limits = limits
	a.server.limits.Wait = 100 * time.Millisecond
	a.serve()
	free := a.occupy()
	defer free()
	const more = 3
	answers := make(chan answered, AtOnce+more)
	for range AtOnce + more {
		go func() { answers <- a.get("/api/v1/budgets") }()
	}
	for range more { // those that have a place wait for the store
		got := <-answers
		var said refusal
		if err := json.Unmarshal([]byte(got.body), &said); err != nil || got.status != 503 || said.Type != unavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("one too many: %v: %+v", err, got)
		}
	}
	free()
	for range AtOnce {
		if got := <-answers; got.status != 200 {
			t.Errorf("one that had a place: %+v", got)
		}
	}
	if got := a.get("/api/v1/budgets"); got.status != 200 {
		t.Errorf("afterwards: %d %s", got.status, got.body)
	}
}

func TestAnAnswerThatTakesTooLong(t *testing.T) {
	a := newAsked(t)
	a.server.longest = 50 * time.Millisecond
	free := a.occupy()
	got := a.get(twoDays)
	var said refusal
	if err := json.Unmarshal([]byte(got.body), &said); err != nil || got.status != 503 || said.Type != timeout || got.header.Get("Retry-After") == "" {
		t.Errorf("%v: %+v", err, got)
	}
	// A client that has gone is not waited for, and nobody is told.
	a.server.longest = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		a.web.Config.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, twoDays, nil).WithContext(ctx))
		gone <- w.Body.Len()
	}()
	cancel()
	if n := <-gone; n != 0 {
		t.Errorf("%d bytes for nobody", n)
	}
	free()
	if got := a.get(twoDays); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

// TestIngestDoesNotWaitForReaders: while all connections of the API are inside a transaction, and
// others ask, intervals are stored.
func TestIngestDoesNotWaitForReaders(t *testing.T) {
	a := newAsked(t)
	free := a.occupy()
	defer free()
	i := usage.IntervalAt(now.Add(-time.Hour), usage.SlotLength)
	longest := time.Duration(0)
	for n := range 20 {
		began := time.Now()
		storetest.CommitAs(t, a.store, usage.Policy{Restate: true}, recordOf(i, usage.GramsPerKWh(100+n), map[string]usage.KWh{"alice": 0.01}))
		longest = max(longest, time.Since(began))
	}
	if longest > 4*time.Second { // a writer that waited would wait for 5 s, and fail
		t.Errorf("a commit took %s", longest)
	}
	free()
	if got := a.get("/api/v1/explain?ts=-1h&project=ISIS"); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}
