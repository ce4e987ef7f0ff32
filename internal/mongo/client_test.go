// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// nameServer takes the place of the machine's for a test.
func nameServer(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	t.Helper()
	was := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = was })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: dial}
}

// DNS that is away, or hangs, when the program starts delays what MongoDB is for and
// nothing else.
func TestHostsThatAreLookedUpInDNS(t *testing.T) {
	for _, c := range []struct {
		name   string
		dial   func(hang context.Context) (net.Conn, error)
		reason string
	}{
		{"that is away", func(context.Context) (net.Conn, error) { return nil, errors.New("refused") }, usage.ReasonConnection},
		{"that hangs", func(hang context.Context) (net.Conn, error) { <-hang.Done(); return nil, hang.Err() }, usage.ReasonTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			hang, end := context.WithCancel(context.Background())
			defer end()
			nameServer(t, func(context.Context, string, string) (net.Conn, error) { return c.dial(hang) })
			began := time.Now()
			o := Options{URI: "mongodb+srv://carbon:hunter2@db.test.invalid/", Database: "ada", AppName: "test", Timeout: 200 * time.Millisecond}
			r, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			w, err := OpenWriter(o)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				_, _, err := r.Census(t.Context(), Names{})
				for _, err := range []error{err, r.Ping(t.Context()), w.Prepare(t.Context())} {
					if f := (*usage.Failure)(nil); !errors.As(err, &f) || f.Reason != c.reason || f.Permanent {
						t.Errorf("got %v, want a failure for %s", err, c.reason)
					}
				}
			}
			if err := errors.Join(r.Close(), w.Close()); err != nil {
				t.Error(err)
			}
			end()
			for _, c := range []*client{r.client, w.client} {
				c.mu.Lock()
				trying := c.trying
				c.mu.Unlock()
				if trying != nil {
					<-trying // it uses the name server of this test
				}
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}
