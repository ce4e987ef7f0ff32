// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNothingHappensNothingIsWritten(t *testing.T) {
	for name, redraws := range map[string]bool{"terminal": true, "file": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(0, 80, redraws)
			r.now = r.now.Add(time.Hour)
			r.refresh()
			r.End()
			r.End()
			r.Add(1, worked)
			if got := r.out.String(); got != "" {
				t.Errorf("wrote %q", got)
			}
		})
	}
}

func TestOnATerminalOneLineIsRedrawn(t *testing.T) {
	r := newRig(1000, 80, true)
	shows := func(want ...string) {
		t.Helper()
		if got := screen(t, r.out.String(), 80); !slices.Equal(got, want) {
			t.Fatalf("the terminal shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	r.after(time.Second, 10) // too early for a rate
	shows("  10/1000 intervals   1 % [>                             ] 2026-01-03T10:30:00Z")
	r.after(50*time.Millisecond, 90) // too soon to draw again
	shows("  10/1000 intervals   1 % [>                             ] 2026-01-03T10:30:00Z")
	r.after(8950*time.Millisecond, 150)
	shows(" 250/1000 intervals  25 % [===>          ] 30s left 25.0/s 2026-01-03T10:30:00Z")
	r.Log("asked again, it was too much\n")
	shows("asked again, it was too much",
		" 250/1000 intervals  25 % [===>          ] 30s left 25.0/s 2026-01-03T10:30:00Z")
	r.after(10*time.Second, 750)
	r.End()
	shows("asked again, it was too much",
		"1000/1000 intervals, 100 %, 50.0/s, took 20s, 2026-01-03T10:30:00Z", "")
	r.Log("done")
	shows("asked again, it was too much",
		"1000/1000 intervals, 100 %, 50.0/s, took 20s, 2026-01-03T10:30:00Z", "done", "")
}

func TestElsewhereAPlainLineEveryFewSeconds(t *testing.T) {
	r := newRig(1000, 0, false)
	r.Log("from 2026-01-01")
	for range 48 {
		r.after(250*time.Millisecond, 5)
	}
	r.End()
	want := `from 2026-01-01
100/1000 intervals, 10 %, 45s left, 20.0/s, 2026-01-03T10:30:00Z
200/1000 intervals, 20 %, 40s left, 20.0/s, 2026-01-03T10:30:00Z
240/1000 intervals, 24 %, 20.0/s, took 12s, 2026-01-03T10:30:00Z
`
	if got := r.out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestWhatIsNotKnownIsNotSaid(t *testing.T) {
	for _, c := range []struct {
		name  string
		total int
		did   func(*rig)
		want  string
	}{
		{"how many there are", 0, func(r *rig) { r.after(5*time.Second, 10) }, "10 intervals, 2.00/s, 2026-01-03T10:30:00Z\n"},
		{"which moment it is", 20, func(r *rig) { r.now = r.now.Add(5 * time.Second); r.Add(10, time.Time{}) }, "10/20 intervals, 50 %, 5s left, 2.00/s\n"},
		{"more than there were", 10, func(r *rig) { r.after(5*time.Second, 15) }, "15/10 intervals, 100 %, 3.00/s, 2026-01-03T10:30:00Z\n"},
		{"a rate of nothing", 10, func(r *rig) { r.after(5*time.Second, 0) }, "0/10 intervals, 0 %, 2026-01-03T10:30:00Z\n"},
		{"a time without an end", 1 << 40, func(r *rig) { r.after(5*time.Second, 1) }, "1/1099511627776 intervals, 0 %, over 99d left, 0.20/s, 2026-01-03T10:30:00Z\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(c.total, 0, false)
			c.did(r)
			if got := r.out.String(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRunGoesOnWhileNothingIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := New(&out, Options{Unit: "intervals", Total: 100, Now: time.Now, Screen: func() (int, bool) { return 100, true }})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { l.Run(ctx) })
		time.Sleep(10 * time.Second)
		l.Add(50, worked)
		time.Sleep(90*time.Second + time.Millisecond)
		stop()
		running.Wait()
		last := out.String()[strings.LastIndexByte(out.String(), '\r'):]
		if !strings.Contains(last, "0.50/s") || !strings.Contains(last, "1m40s left") {
			t.Errorf("50 in a hundred seconds: %q", last)
		}
	})
}

func TestManyMayAddAtOnce(t *testing.T) {
	r := newRig(400, 80, true)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				r.Add(1, worked)
				r.refresh()
			}
			r.Log("one is through")
		})
	}
	all.Wait()
	r.End()
	if got := screen(t, r.out.String(), 80); len(got) != 6 || !strings.HasPrefix(got[4], "400/400 intervals, 100 %") {
		t.Errorf("the terminal shows\n%s", strings.Join(got, "\n"))
	}
}
