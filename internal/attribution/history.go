// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// reading is when the records were read, and when they were read before.
type reading struct{ before, now time.Time }

// shortest is the length of the shortest tenure. One that turns out to have had no length is
// stored with this one, because the directory never forgets a tenure.
const shortest = time.Second

// follow appends the new history of a document: w is its record now, old its known history. A
// record only has its last owner, so a history with earlier owners is continued; any other is
// made from the record.
func (r reading) follow(to, old []directory.Tenure, w directory.Workspace) []directory.Tenure {
	w.Created, w.Acquired, w.Deleted = whole(w.Created), whole(w.Acquired), whole(w.Deleted)
	if w.Unresolved {
		if len(old) == 0 {
			return to // its whole history follows from its record, once its owner is known
		}
		w.Owner, w.Acquired = old[len(old)-1].Owner, time.Time{}
	}
	switch {
	case !w.Deleted.IsZero() && w.Deleted.Before(w.Created):
		return append(to, old...) // impossible times
	case len(old) == 0:
		return appendRecord(to, w)
	}
	last := old[len(old)-1]
	same := last.Owner == w.Owner && last.Host == w.Host
	// Returned and acquired again between two readings, by the same owner.
	again := w.Owner != "" && w.Acquired.After(r.before) && w.Acquired.After(last.From) &&
		(w.Deleted.IsZero() || w.Acquired.Before(w.Deleted))
	switch {
	case isWaiting(old):
		return appendTaken(to, w, usage.Later(r.now, last.To))
	case !same || again:
		return r.transfer(to, old, w)
	case len(old) > 2 || old[0].Owner != "" && len(old) > 1:
		last.To = notBefore(w.Deleted, last.From.Add(shortest))
		return append(append(to, old[:len(old)-1]...), last)
	case len(old) == 2:
		return appendTaken(to, w, last.From)
	default:
		return appendRecord(to, w)
	}
}

// transfer appends the history of a document that passed from its last owner to that of its
// record: at the time in the record, else when it was read, but not after it was deleted.
func (r reading) transfer(to, old []directory.Tenure, w directory.Workspace) []directory.Tenure {
	last := old[len(old)-1]
	when := r.now
	if w.Owner != "" && w.Acquired.After(last.From) {
		when = w.Acquired
	}
	if !w.Deleted.IsZero() && w.Deleted.Before(when) {
		when = w.Deleted
	}
	when = usage.Later(when, last.From.Add(shortest))
	return append(append(to, old[:len(old)-1]...), ended(last, when), directory.Tenure{
		Document: w.Document, Host: w.Host, Owner: w.Owner, From: when, To: notBefore(w.Deleted, when.Add(shortest)),
	})
}

// vanish appends the history of a document that has no record any more.
func (r reading) vanish(to, old []directory.Tenure) []directory.Tenure {
	last := old[len(old)-1]
	return append(append(to, old[:len(old)-1]...), ended(last, usage.Later(r.now, last.From.Add(shortest))))
}

// appendTaken is appendRecord for a machine that was seen waiting: if the record does not say
// when its owner acquired it, the given time counts.
func appendTaken(to []directory.Tenure, w directory.Workspace, at time.Time) []directory.Tenure {
	if w.Acquired.IsZero() {
		w.Acquired = at
	}
	return appendRecord(to, w)
}

// appendRecord appends what a record says on its own: no owner until it was acquired, then its
// owner until it was deleted.
func appendRecord(to []directory.Tenure, w directory.Workspace) []directory.Tenure {
	pool := directory.Tenure{Document: w.Document, Host: w.Host, From: w.Created, To: w.Deleted}
	if w.Owner == "" {
		return appendTenure(to, pool)
	}
	owned := pool
	owned.Owner, owned.From = w.Owner, usage.Later(w.Created, w.Acquired)
	return appendTenure(appendTenure(to, ended(pool, owned.From)), owned)
}

// isWaiting reports whether the machine never had an owner.
func isWaiting(history []directory.Tenure) bool {
	for _, t := range history {
		if t.Owner != "" {
			return false
		}
	}
	return true
}

// ended returns the tenure with an end no later than the given time.
func ended(t directory.Tenure, by time.Time) directory.Tenure {
	if t.To.IsZero() || t.To.After(by) {
		t.To = by
	}
	return t
}

// notBefore returns an end moved to a time if it is earlier; no end stays no end.
func notBefore(end, t time.Time) time.Time {
	if end.IsZero() {
		return end
	}
	return usage.Later(end, t)
}

// appendTenure appends a tenure unless it has no length.
func appendTenure(to []directory.Tenure, t directory.Tenure) []directory.Tenure {
	if !t.To.IsZero() && !t.To.After(t.From) {
		return to
	}
	return append(to, t)
}
