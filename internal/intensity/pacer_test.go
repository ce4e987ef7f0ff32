// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestFeedsOfOneServerShareItsGap(t *testing.T) {
	for _, test := range []struct {
		name, first, second string
		byPath              bool
		want                time.Duration // that two requests take
	}{
		{name: "one server", first: "http://grid.test/de", second: "http://grid.test/fr?key=x", want: 8 * time.Second},
		{name: "two servers", first: "http://grid.test/de", second: "http://other.test/de"},
		{name: "two paths that count apart", first: "http://grid.test/emis", second: "http://grid.test/prog", byPath: true},
		{name: "one path that counts apart", first: "http://grid.test/emis", second: "http://grid.test/emis?a=2", byPath: true, want: 8 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pacer, terms := &Pacer{}, usage.Terms{Gap: 8 * time.Second, GapByPath: test.byPath}
				began := time.Now()
				for _, address := range []string{test.first, test.second} {
					f := &Feed{API: plain{terms: terms}, Upstream: idle{}, Now: time.Now, Pacer: pacer}
					if _, err := f.get(t.Context(), address, nil); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took != test.want {
					t.Errorf("took %s, want %s", took, test.want)
				}
			})
		})
	}
}

func TestWhoGivesUpWaitingLeavesTheTurnToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, terms := &Pacer{}, usage.Terms{Gap: 8 * time.Second}
		turn := func(ctx context.Context) error {
			done, err := p.turn(ctx, "http://grid.test", terms, time.Now)
			if err == nil {
				done()
			}
			return err
		}
		began := time.Now()
		if err := turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := turn(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("gave up with %v", err)
		}
		if err := turn(t.Context()); err != nil || time.Since(began) != 8*time.Second {
			t.Errorf("the next one: %v after %s", err, time.Since(began))
		}
	})
}

func TestEnerginetAnswersBehindItsOutlookAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(january())
		f := feedTo(energinet(), http.HandlerFunc(imitatedEnerginet(now).ServeHTTP), now)
		began := now()
		if _, _, err := f.Outlook(t.Context(), began); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{0, time.Minute} {
			if _, _, err := f.Slots(t.Context(), began.Add(-3*time.Hour), began.Add(-2*time.Hour)); err != nil || now().Sub(began) != want {
				t.Errorf("values %d: %v after %s, want %s", i, err, now().Sub(began), want)
			}
		}
	})
}
