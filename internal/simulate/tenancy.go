// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tenancy is one workspace of a host's life: it waits in a pool until somebody takes it, and is
// theirs until it is deleted. Times are whole seconds.
type tenancy struct {
	owner    string // empty: never taken
	created  time.Time
	acquired time.Time // zero: created for its owner
	deleted  time.Time
}

// taken is when the owner got it.
func (w tenancy) taken() time.Time { return usage.Later(w.created, w.acquired) }

// The fractions of hosts, and of their workspaces, that are out of the ordinary.
const (
	labelled = 0.1  // hosts with a user label, whatever the records say
	pooled   = 0.5  // workspaces that wait in a pool first
	apart    = 0.25 // ... that come after a gap without any record
	overlap  = 0.15 // ... that come before the last one is deleted
	visited  = 0.06 // ... whose owner is a guest, in no record of users
)

// handOut draws the workspaces of a life, one after the other.
func (h *Host) handOut() {
	if draw(h.seed, aboutTenancy, 0) >= labelled {
		h.User = ""
	}
	free := h.Begin
	for n := uint64(1); free.Before(h.End); n++ {
		seed := mix(h.seed, aboutTenancy, n)
		w := tenancy{created: free, owner: owner(seed)}
		switch d := draw(seed, 1); {
		case n == 1:
		case d < apart:
			w.created = free.Add(wholeSeconds(draw(seed, 2) * 6 * 3600))
		case d < apart+overlap:
			w.created = free.Add(-wholeSeconds(60 + draw(seed, 2)*540))
		}
		if draw(seed, 3) < pooled {
			w.acquired = w.created.Add(wholeSeconds(60 + draw(seed, 4)*8*3600))
		}
		w.deleted = usage.Earlier(w.taken().Add(wholeSeconds((2+draw(seed, 5)*48)*3600)), h.End)
		if !w.taken().Before(w.deleted) {
			w.owner, w.acquired = "", time.Time{}
		}
		if w.created.Before(h.End) {
			h.tenancies = append(h.tenancies, w)
			h.turns = append(h.turns, w.created, w.taken(), w.deleted)
		}
		free = w.deleted
	}
	slices.SortFunc(h.turns, time.Time.Compare)
	h.turns = slices.CompactFunc(h.turns, time.Time.Equal)
}

// Owners returns who has the host at t, in equal parts. It is empty if nobody has it; the part
// of an owner "" is unattributed.
func (h *Host) Owners(t time.Time) []string {
	if h.User != "" {
		return []string{h.User}
	}
	var owners []string
	for _, w := range h.tenancies {
		if w.owner != "" && !t.Before(w.taken()) && t.Before(w.deleted) {
			owners = append(owners, w.owner)
		}
	}
	slices.Sort(owners)
	owners = slices.Compact(owners)
	for i, name := range owners {
		if isGuest(name) {
			owners[i] = ""
		}
	}
	return owners
}

// Turns returns the moments in [from, to) at which the owner may change.
func (h *Host) Turns(from, to time.Time) []time.Time {
	var turns []time.Time
	for _, t := range h.turns {
		if !t.Before(from) && t.Before(to) {
			turns = append(turns, t)
		}
	}
	return turns
}

// zeal is the fraction of the usual load at t: people differ, and a machine in a pool does next
// to nothing.
func (h *Host) zeal(t time.Time) float64 {
	if h.tenancies == nil {
		return 1
	}
	owners := h.Owners(t)
	if len(owners) == 0 {
		return 0.03
	}
	return 0.3 + 1.2*draw(h.seed, aboutPeople, word(owners[0]))
}

// word turns a name into an argument for draw.
func word(name string) (w uint64) {
	for _, b := range []byte(name) {
		w = mix(w, uint64(b))
	}
	return w
}
