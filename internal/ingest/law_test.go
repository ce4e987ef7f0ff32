// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestScopesAddUpAtEveryInterval(t *testing.T) {
	r := newRig(t)
	r.both()
	for range 5 {
		r.now = r.now.Add(time.Hour)
		r.both()
	}
	byScope := map[string]map[string]sums{}
	for _, scope := range []string{"ada", "project", "machine", "user"} {
		byScope[scope] = r.scope(scope)
	}
	if len(byScope["ada"]) != 58 {
		t.Fatalf("%d intervals, want 58", len(byScope["ada"]))
	}
	for ts, site := range byScope["ada"] {
		for scope, at := range byScope {
			if !near(at[ts].kwh, site.kwh) || !near(at[ts].grams, site.grams) {
				t.Errorf("%s: %s adds up to %v, the site has %v", ts, scope, at[ts], site)
			}
		}
	}
}

func TestLoopsPaceThemselvesAndEnd(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault func(url.Values) (int, string)
		most  int // questions to Prometheus in an hour
	}{
		{"a server that is down is asked about once a minute", status(503), 130},
		{"a query that is refused is not asked hotly", status(400), 250},
		{"a healthy server is asked when something is due", nil, 10 + 2*4}, // a day, and two intervals
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.use(New(r.store, silent{}, quiet, shifted(), r.spine.current()))
				r.server.fault = test.fault
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); r.spine.Run(ctx) }()
				time.Sleep(time.Hour)
				cancel()
				<-done
				if r.server.asked > test.most {
					t.Errorf("asked %d times in an hour, want at most %d", r.server.asked, test.most)
				}
				if r.server.asked == 0 {
					t.Error("never asked")
				}
				r.store.Close()
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{longest: time.Minute}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		want *= time.Second
		if d := b.after(io.EOF, clock.Real{}); d < want/2 || d > want {
			t.Errorf("failure %d waits %v, want between %v and %v", i+1, d, want/2, want)
		}
	}
	b.reset()
	if d := b.after(&usage.Failure{RetryAfter: 90 * time.Second}, clock.Real{}); d != 90*time.Second {
		t.Errorf("waits %v, the server asked for 90 s", d)
	}
	if d := b.after(&usage.Failure{Permanent: true}, clock.Real{}); d < permanentBackoff/2 {
		t.Errorf("waits %v after a refusal, want at least %v", d, permanentBackoff/2)
	}
}

func status(code int) func(url.Values) (int, string) {
	return func(url.Values) (int, string) { return code, http.StatusText(code) }
}

func broken(body string) func(url.Values) (int, string) {
	return func(url.Values) (int, string) { return 200, body }
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }
