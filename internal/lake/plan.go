// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"reflect"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// step is what is to be done with a day.
type step int

const (
	adopt   step = iota // the lake has it as it is
	begin               // it is new
	restore             // the present revision is right, and its objects are to be put back in their place
	restate             // it has another content
	refuse              // somebody else publishes it with another content
	await               // somebody else is to publish it
)

// standing is what is known of a day before it is published.
type standing struct {
	have      *Manifest          // nil: none
	published *usage.LakeEdition // what our store says; nil: nothing
	writing   int64              // the last generation that we were about to write; 0: of another day
	id        string             // ours
	fenced    bool               // somebody else may publish this site
}

// plan says what is to be done to make a revision the present one. contested is whether somebody
// with our id has published something else.
func plan(s standing, is Revision, head Manifest) (todo step, contested bool) {
	contested = s.published != nil && s.published.Contested
	if s.have == nil {
		if s.fenced {
			return await, contested
		}
		return begin, contested
	}
	present := s.have.Present()
	same := present.says(is) && s.have.Calendar.same(head.Calendar)
	moved := present.Facts.Path != FactsPath(head.Site, head.Day) || present.Members.Path != MembersPath(head.Site, head.Day)
	switch {
	case same && !moved:
		return adopt, contested
	case s.fenced:
		return refuse, contested
	case !s.copied():
	case contested:
		return refuse, true // once is an accident, such as a store that was restored; twice is a copy
	default:
		contested = true
	}
	if same {
		return restore, contested
	}
	return restate, contested
}

// copied reports whether a copy of our store has written the manifest: it has our id, and a
// generation that we know nothing of.
func (s standing) copied() bool {
	ours := int64(0)
	if s.published != nil {
		ours = s.published.Generation
	}
	return s.have.Publisher == s.id && s.have.Generation > max(ours, s.writing)
}

// says reports whether two revisions say the same of a day.
func (r *Revision) says(o Revision) bool {
	return r.Gone == "" && r.Facts.Same(o.Facts) && r.Members.Same(o.Members) && r.Intervals.same(o.Intervals)
}

func (i Intervals) same(o Intervals) bool {
	if len(i.Holes) == 0 && len(o.Holes) == 0 {
		i.Holes, o.Holes = nil, nil
	}
	return reflect.DeepEqual(i, o)
}

// after is when a revision is published: now, or just after the one before if a clock was set back.
func after(m *Manifest, now time.Time) time.Time {
	now = now.UTC().Truncate(time.Second)
	if m != nil {
		if least := m.Present().PublishedAt.Add(time.Second); now.Before(least) {
			return least
		}
	}
	return now
}
