package intensity

import "time"

// maxSpan keeps a request well below the API's limit of 14 days.
const maxSpan = 13 * 24 * time.Hour

// span is the slots that begin in [from, to); both are on a half hour.
type span struct{ from, to time.Time }

// spans cuts [from, to) into what one request each may ask for: at most
// maxSpan, and nothing over a new year, where the API ends its answer early.
func spans(from, to time.Time) []span {
	var all []span
	at, end := firstSlot(from), firstSlot(to)
	for at.Before(end) {
		next := earliest(end, at.Add(maxSpan), newYearAfter(at))
		all = append(all, span{from: at, to: next})
		at = next
	}
	return all
}

// bounds are what to put into the request, a minute late: the API also
// returns the slot that ends at its from. Before a new year it ends a minute
// early instead, to stay in its year.
func (s span) bounds() (first, last time.Time) {
	first, last = s.from.Add(time.Minute), s.to.Add(time.Minute)
	if s.to.Equal(newYearAfter(s.from)) {
		last = s.to.Add(-time.Minute)
	}
	return first, last
}

func newYearAfter(t time.Time) time.Time {
	return time.Date(t.UTC().Year()+1, time.January, 1, 0, 0, 0, 0, time.UTC)
}

func earliest(t time.Time, others ...time.Time) time.Time {
	for _, o := range others {
		if o.Before(t) {
			t = o
		}
	}
	return t
}
