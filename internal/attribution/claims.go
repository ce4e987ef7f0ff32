// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"cmp"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// always is the start, in Unix seconds, of what has no known start.
var always = startSeconds(directory.Claim{}.From)

// term is the time [from, to), in Unix seconds, in which something was a holder's.
type term struct {
	holder   string
	from, to int64
}

// claim is a directory.Claim in Unix seconds.
type claim struct {
	term
	dated bool // from is said; otherwise it is when it was so for certain
}

// verdict is what a reading of a table makes of what was known of one host, or of one user.
type verdict struct {
	kept  [][]term // of each known term what is left of it, in order
	added []term
}

// judge weighs the claims of a table against what is known. A claim with a start is right for
// all its time, and ends what is known or claimed otherwise. One without goes on if it was
// known, or else holds from when it was seen, or all the time if nothing was known before. What
// the table does not say any more has ended now, and stays as the past.
func judge(known []term, claims []claim, before, now int64) verdict {
	v := verdict{kept: make([][]term, len(known))}
	w := weigh(known, sortedClaims(claims), before)
	for i, k := range known {
		switch end := min(k.to, w.until[k.holder]); {
		case w.goes[i] != nil:
		case end > now: // a part of a claim's time
			v.kept[i] = without(term{k.holder, k.from, end}, w.said)
		default:
			v.kept[i] = without(term{k.holder, k.from, min(k.to, max(now, k.from))}, slices.Concat(w.said, w.begun))
		}
	}
	for i, t := range w.goes {
		if t != nil && t.dated {
			v.kept[i] = []term{t.term}
		}
	}
	v.added = w.added
	for i, t := range w.goes {
		if t != nil && !t.dated {
			v.kept[i] = without(t.term, slices.Concat(w.said, of(v.all(), t.holder)))
		}
	}
	for _, t := range w.begun {
		v.added = append(v.added, without(t, slices.Concat(w.said, of(v.all(), t.holder)))...)
	}
	// What ended in the past, and began nobody knows when, fills what is free, unless it is known.
	for _, t := range w.past {
		if !slices.ContainsFunc(of(v.all(), t.holder), func(o term) bool { return o.to == t.to }) {
			v.added = append(v.added, without(t, v.all())...)
		}
	}
	v.reuse(known)
	return v
}

// weighed is how claims relate to what is known.
type weighed struct {
	goes  []*claim         // of each known term the claim that it goes on by; nil: none
	said  []term           // of claims with a start
	added []term           // those of them that are new
	begun []term           // of new claims without one
	past  []term           // of claims that have ended, and began nobody knows when
	until map[string]int64 // by holder: end of the claim without a start
}

func weigh(known []term, claims []claim, before int64) weighed {
	w := weighed{goes: make([]*claim, len(known)), until: map[string]int64{}}
	for _, c := range claims {
		i := continues(known, w.goes, c, before)
		if i >= 0 {
			w.goes[i] = &claim{term{c.holder, known[i].from, c.to}, c.dated}
		}
		if c.dated {
			w.said = append(w.said, c.term)
			if i < 0 {
				w.added = append(w.added, c.term)
			}
			continue
		}
		w.until[c.holder] = c.to
		switch {
		case i >= 0:
		case len(known) == 0:
			w.begun = append(w.begun, term{c.holder, always, c.to})
		case c.to > c.from:
			w.begun = append(w.begun, c.term)
		}
		if c.to <= c.from && len(known) > 0 {
			w.past = append(w.past, term{c.holder, always, c.to})
		}
	}
	return w
}

// reuse takes a known term of which nothing was left for one that begins as it did.
func (v *verdict) reuse(known []term) {
	v.added = slices.DeleteFunc(v.added, func(t term) bool {
		for i, k := range known {
			if len(v.kept[i]) == 0 && k.holder == t.holder && k.from == t.from {
				v.kept[i] = []term{t}
				return true
			}
		}
		return false
	})
}

func (v verdict) all() []term { return slices.Concat(slices.Concat(v.kept...), v.added) }

// of returns the terms of one holder.
func of(all []term, holder string) []term {
	return slices.DeleteFunc(slices.Clone(all), func(t term) bool { return t.holder != holder })
}

// sortedClaims returns the claims in a fixed order, those with a start first. Claims of a holder
// that overlap become one; of those without a start the last end counts.
func sortedClaims(claims []claim) []claim {
	claims = slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return c.dated && c.to <= c.from })
	slices.SortFunc(claims, func(a, b claim) int {
		byHolder, byStart, byEnd := cmp.Compare(a.holder, b.holder), cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)
		switch {
		case a.dated != b.dated && a.dated:
			return -1
		case a.dated != b.dated:
			return 1
		case a.dated:
			return cmp.Or(byHolder, byStart, byEnd)
		}
		return cmp.Or(byHolder, byEnd, byStart)
	})
	joined := claims[:0]
	for _, c := range claims {
		if n := len(joined); n > 0 {
			last := &joined[n-1]
			if last.dated == c.dated && last.holder == c.holder && (!c.dated || c.from < last.to) {
				last.to = max(last.to, c.to)
				continue
			}
		}
		joined = append(joined, c)
	}
	return joined
}

// continues returns the index of the known term that a claim tells of, or -1: one that began
// when it says or, if it says no start, that has its end or had none when last read.
func continues(known []term, taken []*claim, c claim, before int64) int {
	found := -1
	for i, k := range known {
		switch {
		case taken[i] != nil || k.holder != c.holder || c.to <= k.from:
		case c.dated:
			if k.from == c.from {
				return i
			}
		case k.to == k.from || k.from > c.from: // never so, or not yet
		case k.to == c.to && c.to != forever:
			return i
		case k.to > before && (found < 0 || k.from > known[found].from):
			found = i
		}
	}
	return found
}

// without returns what is left of a term outside the others, in order.
func without(t term, others []term) []term {
	var left []term
	others = slices.Clone(others)
	slices.SortFunc(others, func(a, b term) int { return cmp.Compare(a.from, b.from) })
	for _, o := range append(others, term{from: math.MaxInt64, to: math.MaxInt64}) {
		if t.from < t.to && o.to > t.from {
			if end := min(o.from, t.to); end > t.from {
				left = append(left, term{t.holder, t.from, end})
			}
			t.from = max(t.from, o.to)
		}
	}
	return left
}

// claimsOf returns claims by what they are of.
func claimsOf(all []directory.Claim, now int64) map[string][]claim {
	by := map[string][]claim{}
	for _, c := range all {
		if c.Of == "" {
			continue
		}
		own := claim{term{c.Holder, startSeconds(whole(c.From)), endSeconds(whole(c.To))}, !c.From.IsZero()}
		switch {
		case own.dated:
		case c.Seen.IsZero():
			own.from = now
		default:
			own.from = startSeconds(whole(c.Seen))
		}
		by[c.Of] = append(by[c.Of], own)
	}
	return by
}
