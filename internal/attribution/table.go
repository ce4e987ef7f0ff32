// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// claimedTenures returns all tenures of each document that a table changes. A table has no
// documents: what was known keeps its own, and what is new gets one of its host that is free at
// the time.
func claimedTenures(known directory.Directory, c directory.Census) []directory.Tenure {
	before, now := startSeconds(known.AsOf), startSeconds(whole(c.AsOf))
	claims := claimsOf(c.Owners, now)
	hosts := map[string][]int{} // indexes of tenures
	for i, t := range known.Tenures {
		if !isNothing(t) {
			hosts[t.Host] = append(hosts[t.Host], i)
		}
	}
	for host := range claims {
		if hosts[host] == nil {
			hosts[host] = []int{}
		}
	}
	became := make([][]term, len(known.Tenures))
	for i, t := range known.Tenures {
		became[i] = []term{termOf(t)}
	}
	free := shelf{}
	for _, t := range known.Tenures {
		free.put(t)
	}
	var added []directory.Tenure
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		if c.Refused[host] {
			continue
		}
		indexes := hosts[host]
		terms := make([]term, len(indexes))
		for i, at := range indexes {
			terms[i] = termOf(known.Tenures[at])
		}
		v := judge(terms, claims[host], before, now)
		for i, at := range indexes {
			became[at] = v.kept[i]
			// What ends later than was known may not fit into its document any more.
			if left := v.kept[i]; len(left) > 0 && left[len(left)-1].to > terms[i].to {
				became[at] = nil
				v.added = append(v.added, left...)
			}
			free.replace(known.Tenures[at].Document, terms[i], became[at])
		}
		for _, t := range v.added {
			tenure := tenureOf(free.find(host, t), host, t)
			free.put(tenure)
			added = append(added, tenure)
		}
	}
	return changedDocuments(known.Tenures, became, added)
}

// changedDocuments returns all tenures of each document that differs from what is known.
func changedDocuments(known []directory.Tenure, became [][]term, added []directory.Tenure) []directory.Tenure {
	documents := map[string][]directory.Tenure{}
	for _, t := range added {
		documents[t.Document] = append(documents[t.Document], t)
	}
	var changed []directory.Tenure
	for i := 0; i < len(known); {
		old := known[i:][:documentLength(known[i:])]
		now := documents[old[0].Document]
		delete(documents, old[0].Document)
		for j, t := range old {
			for _, b := range became[i+j] {
				if !isNothing(t) || len(now) == 0 && len(old) == 1 {
					now = append(now, tenureOf(t.Document, t.Host, b))
				}
			}
		}
		i += len(old)
		if len(now) == 0 {
			now = append(now, directory.Tenure{Document: old[0].Document, Host: old[0].Host, From: old[0].From, To: old[0].From.Add(shortest)})
		}
		slices.SortFunc(now, compareTenures)
		if !slices.EqualFunc(now, old, sameTenure) {
			changed = append(changed, now...)
		}
	}
	for _, document := range slices.Sorted(maps.Keys(documents)) {
		slices.SortFunc(documents[document], compareTenures)
		changed = append(changed, documents[document]...)
	}
	slices.SortStableFunc(changed, compareTenures)
	return changed
}

// isNothing reports whether a tenure only holds the place of one that turned out to be wrong.
func isNothing(t directory.Tenure) bool {
	return t.Owner == "" && !t.To.IsZero() && t.To.Sub(t.From) <= shortest
}

func termOf(t directory.Tenure) term {
	return term{t.Owner, startSeconds(t.From), endSeconds(t.To)}
}

func tenureOf(document, host string, t term) directory.Tenure {
	return directory.Tenure{Document: document, Host: host, Owner: t.holder, From: startMoment(t.from), To: endMoment(t.to)}
}

// startMoment is the inverse of startSeconds for starts that may be unknown.
func startMoment(s int64) time.Time {
	if s <= always {
		return time.Time{}
	}
	return moment(s)
}

// shelf is the terms that each document has.
type shelf map[string][]term

func (s shelf) put(t directory.Tenure) {
	if !isNothing(t) {
		s[t.Document] = append(s[t.Document], termOf(t))
	}
}

func (s shelf) replace(document string, was term, is []term) {
	at := slices.Index(s[document], was)
	s[document] = slices.Concat(s[document][:at], is, s[document][at+1:])
}

// find returns the first document of a host in which a term overlaps no other. Its name says
// nothing of a person, and no record of MongoDB has such an id.
func (s shelf) find(host string, t term) string {
	for n := 1; ; n++ {
		document := fmt.Sprintf("host %s %d", host, n)
		if !slices.ContainsFunc(s[document], func(o term) bool { return o.from < t.to && t.from < o.to }) {
			return document
		}
	}
}

// claimedMemberships returns the memberships that a table changes, and the spans in which it
// changes what was known of the past.
func claimedMemberships(known directory.Directory, c directory.Census) (changed []directory.Membership, spans []hostSpan) {
	before, now := startSeconds(known.AsOf), startSeconds(whole(c.AsOf))
	claims := claimsOf(c.Members, now)
	users := map[string][]directory.Membership{}
	for _, m := range known.Memberships {
		users[m.User] = append(users[m.User], m)
	}
	for user := range claims {
		if users[user] == nil {
			users[user] = nil
		}
	}
	differs := func(m directory.Membership, from, to int64) {
		changed = append(changed, m)
		if from < to && from < now {
			spans = append(spans, hostSpan{"", from, to})
		}
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		terms := make([]term, len(users[user]))
		for i, m := range users[user] {
			terms[i] = term{m.Group, startSeconds(m.From), endSeconds(m.To)}
		}
		v := judge(terms, claims[user], before, now)
		for i, m := range users[user] {
			left := v.kept[i]
			was := terms[i]
			if len(left) == 1 && left[0] == was {
				continue
			}
			// One whose start is wrong is stored without length, since none is ever deleted.
			to := max(was.from, epoch)
			if len(left) > 0 && left[0].from == was.from {
				to, left = left[0].to, left[1:]
			}
			if m.To = endMoment(to); to != was.to {
				differs(m, min(to, was.to), max(to, was.to))
			}
			v.added = append(v.added, left...)
		}
		for _, t := range v.added {
			differs(directory.Membership{User: user, Group: t.holder, From: startMoment(t.from), To: endMoment(t.to)}, t.from, t.to)
		}
	}
	return changed, spans
}

// epoch stands for the end of what began nobody knows when and was never so.
const epoch = 0
