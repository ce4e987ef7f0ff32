// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// reader is a witness who looks at the record whenever it has changed, as the
// program does for /metrics.
type reader struct {
	silent
	store *store.Store

	mu    sync.Mutex
	looks int
	users []string
}

func (r *reader) Changed(ctx context.Context) {
	sum, err := r.store.Summary(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks++
	if err != nil {
		r.users = []string{err.Error()}
		return
	}
	r.users = nil
	for _, t := range sum.Totals {
		r.users = append(r.users, t.User)
	}
}

func (r *reader) seen() (looks int, users []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.looks, slices.Clone(r.users)
}

func TestAPersonWhoIsForgottenByAnotherProgramIsGoneWithinSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		witness := &reader{store: r.store}
		r.use(New(r.store, witness, quiet, shifted(), r.spine.current()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.spine.Run(ctx) }()

		time.Sleep(5 * time.Minute) // the next interval is whole in twenty-four more
		looks, users := witness.seen()
		someone := slices.IndexFunc(users, func(u string) bool { return u != "unattributed" })
		if someone < 0 {
			t.Fatalf("users are %v", users)
		}
		time.Sleep(10 * time.Minute)
		if again, _ := witness.seen(); again != looks {
			t.Errorf("nobody has written, and the record was read %d times more", again-looks)
		}

		tool, err := store.Open(t.Context(), r.path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, found, err := tool.Forget(t.Context(), users[someone]); !found || err != nil {
			t.Fatal(found, err)
		}
		if err := tool.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		after, now := witness.seen()
		if after <= looks || slices.Contains(now, users[someone]) || len(now) != len(users) {
			t.Errorf("%s is forgotten; the record was read %d times since, users are %v", users[someone], after-looks, now)
		}
		time.Sleep(3 * time.Minute)
		if again, _ := witness.seen(); again != after {
			t.Errorf("what was noticed once is read %d times more", again-after)
		}
		cancel()
		<-done
		r.store.Close()
	})
}
