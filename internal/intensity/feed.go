// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// API is how one provider is asked, and how its answers are read. It knows addresses and formats,
// and nothing of half hours.
type API interface {
	Terms() usage.Terms
	// Values returns what the provider knows of [from, to), a time of whole half hours, no longer
	// than Terms().Longest. Values that reach out of it do no harm.
	Values(ctx context.Context, get Get, from, to time.Time) (Answer, error)
	// Outlook returns the forecasts of [from, to). It is not called without Terms().Forecasts.
	Outlook(ctx context.Context, get Get, from, to time.Time) (Answer, error)
}

// Get sends a request with these headers beside those of the configuration, and returns the body
// of a successful answer. Its error is a *usage.Failure, or that of the context.
type Get func(ctx context.Context, address string, header http.Header) ([]byte, error)

// Answer is what came of a request.
type Answer struct {
	Values  []Value
	Rejects usage.Rejects // values that could not be read, by reason
	// Nothing is whether the provider says that it knows nothing of this time yet. Without it, an
	// answer that has no values is a failure.
	Nothing bool
	// Remarks say what the operator should know of the answer, each in a sentence: that it is
	// coarser than what was asked for, for example.
	Remarks []string
}

// Value is the intensity of a stretch of time, [From, To), as a provider gives it.
type Value struct {
	From, To  time.Time
	Intensity usage.GramsPerKWh
	Kind      usage.Kind
	Quality   usage.Quality // of an actual; empty: the provider does not say
	Index     string        // the provider's own rating; empty: it has none
}

// Feed is a grid as an API has it: it asks for any range in as few requests as the API allows,
// and makes half hours of the values.
type Feed struct {
	API      API
	Upstream Doer
	Name     string      // of the provider, for metrics
	GridName string      // of the grid, likewise
	Basis    usage.Basis // fills in what the API's own terms leave open
	Now      func() time.Time
	Pacer    *Pacer // of all feeds that may ask the same server; nil: this one asks alone

	own     Pacer
	mu      sync.Mutex
	remarks []string
	grain   time.Duration
}

// Provider returns the provider's name for metrics.
func (f *Feed) Provider() string { return f.Name }

// Grid returns the grid's name for metrics.
func (f *Feed) Grid() string { return f.GridName }

// Terms returns the API's terms, with the basis completed.
func (f *Feed) Terms() usage.Terms {
	t := f.API.Terms()
	t.Basis = t.Basis.Or(f.Basis)
	return t
}

// Remarks returns what the last answer said that the operator should know.
func (f *Feed) Remarks() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.remarks)
}

// Grain is how long the values of the last answer are that had any, most of them; 0: there was none.
func (f *Feed) Grain() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.grain
}

// Slots returns what the API knows of the slots that begin in [from, to), in order of time. Slots
// may come together with an error, if only some of the requests failed.
func (f *Feed) Slots(ctx context.Context, from, to time.Time) ([]usage.Slot, usage.Rejects, error) {
	var slots []usage.Slot
	rejects := usage.Rejects{}
	var errs []error
	for _, p := range f.pieces(from, to) {
		some, refused, err := f.ask(ctx, p, f.API.Values)
		slots = append(slots, some...)
		rejects.Add(refused)
		if err != nil {
			errs = append(errs, err)
			if ctx.Err() != nil || usage.IsOutage(err) || usage.IsPermanent(err) {
				break
			}
		}
	}
	return slots, rejects, errors.Join(errs...)
}

// Requests returns the number of requests that Slots sends for [from, to).
func (f *Feed) Requests(from, to time.Time) int { return len(f.pieces(from, to)) }

// Outlook returns the forecasts of the slot that contains from and of the 48 hours after its
// start, as far as the API has them; nothing, if it never has any.
func (f *Feed) Outlook(ctx context.Context, from time.Time) ([]usage.Slot, usage.Rejects, error) {
	if !f.API.Terms().Forecasts {
		return nil, nil, nil
	}
	start := usage.SlotAt(from)
	return f.ask(ctx, usage.Period{From: start, To: start.Add(usage.OutlookLength)}, f.API.Outlook)
}

// pieces splits a range into what one request can ask for.
func (f *Feed) pieces(from, to time.Time) (all []usage.Period) {
	longest := f.API.Terms().Longest.Truncate(usage.SlotLength)
	at, end := firstSlot(from), firstSlot(to)
	for at.Before(end) {
		next := end
		if longest > 0 {
			next = usage.Earlier(end, at.Add(longest))
		}
		all = append(all, usage.Period{From: at, To: next})
		at = next
	}
	return all
}

func (f *Feed) ask(ctx context.Context, p usage.Period, question func(context.Context, Get, time.Time, time.Time) (Answer, error)) ([]usage.Slot, usage.Rejects, error) {
	answer, err := question(ctx, f.get, p.From, p.To)
	if err != nil {
		return nil, answer.Rejects, f.failed(p, err)
	}
	slots, rejects := halfHours(answer.Values, p, f.Now())
	rejects.Add(answer.Rejects)
	usable := answer.Nothing && len(rejects) == 0 || len(answer.Values) > 0 && (len(slots) > 0 || len(rejects) == 0)
	if !usable {
		return nil, rejects, f.failed(p, nothingUsable(len(answer.Values)+count(answer.Rejects), rejects))
	}
	f.mu.Lock()
	f.remarks, f.grain = answer.Remarks, grainOf(answer.Values)
	f.mu.Unlock()
	fetchedAt, basis := f.Now(), f.Terms().Basis
	for i := range slots {
		s := &slots[i]
		s.Provider, s.Grid, s.Basis, s.FetchedAt = f.Name, f.GridName, basis, fetchedAt
		s.Index = f.Upstream.Text(s.Index)
	}
	return slots, rejects, nil
}

func (f *Feed) failed(p usage.Period, err error) error {
	const minute = "2006-01-02T15:04Z"
	return f.Upstream.Failed(fmt.Sprintf("carbon intensity of %s from %s, %s/%s",
		f.GridName, f.Name, p.From.UTC().Format(minute), p.To.UTC().Format(minute)), err)
}

// get sends one request, not sooner after the last than the API likes.
func (f *Feed) get(ctx context.Context, address string, header http.Header) ([]byte, error) {
	if terms := f.API.Terms(); terms.Gap > 0 {
		pacer := f.Pacer
		if pacer == nil {
			pacer = &f.own
		}
		done, err := pacer.turn(ctx, address, terms, f.Now)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	return get(ctx, f.Upstream, address, header)
}

// grainOf is the length that most values have, the shortest if there are several.
func grainOf(values []Value) (most time.Duration) {
	lengths := map[time.Duration]int{}
	for _, v := range values {
		if v.From.Before(v.To) {
			lengths[v.To.Sub(v.From)]++
		}
	}
	for length, n := range lengths {
		if n > lengths[most] || n == lengths[most] && length < most {
			most = length
		}
	}
	return most
}

func count(rejects usage.Rejects) (n int) {
	for _, more := range rejects {
		n += more
	}
	return n
}
