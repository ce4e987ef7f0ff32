// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"cmp"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// hostSpan is a directory.Span in Unix seconds.
type hostSpan struct {
	host     string
	from, to int64
}

// changedSpans returns where the owners of hosts, or what is known of a host, differ between
// two directories. Each document is compared on its own: where two overlap, there can be a span
// too many but never one too few. more are spans that are known already.
func changedSpans(known directory.Directory, l directory.Learned, more []hostSpan) []directory.Span {
	before, after := people(known.People), people(l.Directory.People)
	looked := l.Tenures
	if len(known.People) != len(l.Directory.People) {
		looked = l.Directory.Tenures // users who became known get usage that was unattributed
	}
	d := differ{before: before, after: after, spans: more}
	for len(looked) > 0 {
		now := looked[:documentLength(looked)]
		d.document(documentOf(known.Tenures, now[0].Document), now)
		looked = looked[len(now):]
	}
	for _, p := range l.Hosts {
		_, found := slices.BinarySearchFunc(known.Hosts, p, comparePlacements)
		if found || p.Project != "" || p.Machine != "" {
			d.spans = append(d.spans, hostSpan{p.Host, startSeconds(time.Time{}), forever})
		}
	}
	if len(l.Names) > 0 {
		d.spans = append(d.spans, hostSpan{"", startSeconds(time.Time{}), forever}) // of projects and people on any host
	}
	if !known.AsOf.IsZero() && len(known.Memberships) == 0 && len(l.Memberships) > 0 {
		d.spans = append(d.spans, hostSpan{"", startSeconds(time.Time{}), forever}) // groups of anybody, on any host
	}
	return joined(d.spans)
}

// documentOf returns the tenures of one document.
func documentOf(tenures []directory.Tenure, document string) []directory.Tenure {
	from, _ := slices.BinarySearchFunc(tenures, document, func(t directory.Tenure, d string) int { return cmp.Compare(t.Document, d) })
	if from == len(tenures) || tenures[from].Document != document {
		return nil
	}
	return tenures[from:][:documentLength(tenures[from:])]
}

// people are the people whom a directory lists, in order.
type people []directory.Person

// knows is Index.knows.
func (p people) knows(user string) bool {
	if len(p) == 0 {
		return true
	}
	_, ok := slices.BinarySearchFunc(p, directory.Person{ID: user}, comparePeople)
	return ok
}

// differ collects the spans in which documents differ.
type differ struct {
	before, after people
	spans         []hostSpan
	cuts          []int64 // scratch
}

// holder is who has which host; empty if nobody has any.
type holder struct {
	host, owner string
	known       bool
}

// document compares two histories of one document between any two moments at which either
// changes.
func (d *differ) document(old, now []directory.Tenure) {
	d.cuts = d.cuts[:0]
	for _, history := range [...][]directory.Tenure{old, now} {
		for _, t := range history {
			d.cuts = append(d.cuts, startSeconds(t.From), endSeconds(t.To))
		}
	}
	slices.Sort(d.cuts)
	for i, from := range d.cuts[:len(d.cuts)-1] {
		to := d.cuts[i+1]
		was, is := holderAt(old, from, d.before), holderAt(now, from, d.after)
		if from == to || was == is {
			continue
		}
		if was.host != "" {
			d.spans = append(d.spans, hostSpan{was.host, from, to})
		}
		if is.host != "" && is.host != was.host {
			d.spans = append(d.spans, hostSpan{is.host, from, to})
		}
	}
}

func holderAt(history []directory.Tenure, at int64, listed people) holder {
	for _, t := range history {
		if startSeconds(t.From) <= at && at < endSeconds(t.To) && !isNobody(t.Owner) {
			return holder{t.Host, t.Owner, listed.knows(t.Owner)}
		}
	}
	return holder{}
}

// joined returns the spans in order, with touching ones merged.
func joined(spans []hostSpan) []directory.Span {
	slices.SortFunc(spans, func(a, b hostSpan) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var all []directory.Span
	for i := 0; i < len(spans); {
		s := spans[i]
		for i++; i < len(spans) && spans[i].host == s.host && spans[i].from <= s.to; i++ {
			s.to = max(s.to, spans[i].to)
		}
		all = append(all, directory.Span{Host: s.host, From: moment(s.from), To: endMoment(s.to)})
	}
	return all
}
