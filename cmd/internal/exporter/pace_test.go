// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"testing"
	"time"
)

// TestPace follows a day that is caught up with, a change every half second, and counts.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		name        string
		keys        int
		takes       time.Duration
		least, most int
	}{
		{"few keys: with every change", few, 50 * time.Millisecond, 48, 48},
		{"few keys on a busy machine: the same", few, 2 * time.Second, 48, 48},
		{"many keys: every few seconds", 10 * few, 500 * time.Millisecond, 4, 7},
		{"very many: at the beginning and the end", 100 * few, 20 * time.Second, 1, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, at := newPace(), time.Unix(0, 0)
			published, shown, changes := 0, 0, 0
			publish := func() {
				p.begin()
				shown = changes
				p.end(c.keys, at, at.Add(c.takes))
				published++
			}
			publish() // what a start shows
			published = 0
			for range 48 {
				at = at.Add(500 * time.Millisecond)
				changes++
				if p.now(at) {
					publish()
				} else if in, waiting := p.due(at); waiting && in == 0 {
					publish()
				}
			}
			for range int(2 * longest / time.Second) { // nothing changes any more
				if in, waiting := p.due(at); waiting && in == 0 {
					publish()
				}
				at = at.Add(time.Second)
			}
			if shown != changes {
				t.Errorf("shows change %d of %d", shown, changes)
			}
			if published < c.least || published > c.most {
				t.Errorf("published %d times, want %d to %d", published, c.least, c.most)
			}
		})
	}
}

// TestPaceRings: who waits by the clock hears of the first change, and once.
func TestPaceRings(t *testing.T) {
	p, at := newPace(), time.Unix(0, 0)
	p.end(few+1, at, at.Add(time.Second))
	for range 2 {
		if p.now(at) || len(p.late) != 1 {
			t.Errorf("rang %d times", len(p.late))
		}
	}
	if in, waiting := p.due(at.Add(time.Second)); !waiting || in != 9*time.Second {
		t.Errorf("due in %s, %v", in, waiting)
	}
	p.begin()
	if _, waiting := p.due(at); waiting {
		t.Error("waits for what is being published")
	}
}
