// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// remindEvery is how often the log repeats that an outage lasts.
const remindEvery = time.Hour

// mostCauses bounds how many causes of one outage are told.
const mostCauses = 10

// outage tells the operator of something that cannot be used: once when that begins, once an hour
// while it lasts, at once when the cause becomes another, and once when it ends. Several loops
// may use it.
type outage struct {
	words   outageWords
	notices NoticeObserver
	clock   clock.Clock
	log     *slog.Logger
	quiet   time.Duration // for how long nothing must fail before it is over

	mu     sync.Mutex
	began  time.Time // zero: there is none
	said   time.Time // when it was last told
	failed time.Time // when something last failed
	well   time.Time // when something succeeded since; zero: not yet
	causes map[string]bool
	gained int // what was caught up since
}

// outageWords are what is said of an outage.
type outageWords struct {
	about                usage.Topic
	begins, lasts, ended string
	meanwhile            string // what goes on, and what becomes of what is not known now
	gained               string // what is counted by gain; empty: nothing
}

// fail says that it cannot be used, and why. at is its address, without secrets; empty: it has none.
func (o *outage) fail(err error, at string) { o.failMeanwhile(err, at, o.words.meanwhile) }

// failMeanwhile is fail where what goes on depends.
func (o *outage) failMeanwhile(err error, at, meanwhile string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, kind, cause := o.clock.Now(), kindOf(err), usage.Cause(err)
	o.failed, o.well = now, time.Time{}
	args := []any{"cause", cause}
	if at != "" {
		args = append([]any{"url", at}, args...)
	}
	var text string
	switch {
	case o.began.IsZero():
		o.began, o.causes, o.gained, text = now, map[string]bool{}, 0, o.words.begins
	case now.Sub(o.said) >= remindEvery, o.said.After(now): // after: a clock ran ahead
		text = o.words.lasts
		args = append([]any{"for", lasted(o.began, now)}, args...)
	case !o.causes[kind] && len(o.causes) < mostCauses:
		text = o.words.lasts
	default:
		return
	}
	o.said, o.causes[kind] = now, true
	args = append(args, "meanwhile", meanwhile)
	if detail := err.Error(); detail != cause {
		args = append(args, "err", detail)
	}
	o.log.Error(text, args...)
	o.notices.Notice(o.words.about, fmt.Sprintf("%s: %s. Meanwhile, %s.", o.words.begins, cause, meanwhile))
}

// gain counts what is caught up, for the line at the end.
func (o *outage) gain(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.began.IsZero() {
		o.gained += n
	}
}

// over says that it can be used, and what was caught up.
func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.began.IsZero() {
		return
	}
	now := o.clock.Now()
	if o.well.IsZero() {
		o.well = now
	}
	if since := now.Sub(o.failed); since >= 0 && since < o.quiet { // below 0: a clock ran ahead
		return
	}
	args := []any{"lasted", lasted(o.began, o.well)}
	if o.words.gained != "" {
		args = append(args, o.words.gained, o.gained)
	}
	o.log.Info(o.words.ended, args...)
	o.began = time.Time{}
	o.notices.Notice(o.words.about, "")
}

// lasted is how long something has lasted, for a person; the clock may have been set back.
func lasted(from, to time.Time) time.Duration { return max(to.Sub(from), 0).Round(time.Second) }

// kindOf distinguishes causes. The same cause may come in many words: each names another query.
func kindOf(err error) string {
	if f := usage.FailureOf(err); f != nil {
		return fmt.Sprintf("%s %d", f.Reason, f.Status)
	}
	return ""
}

// outages are everything that can be away.
type outages struct {
	prometheus, carbon, forecast, directory, usageWriter, lake, store *outage

	sources *sourceOutages // of several sources of carbon intensity
}

func newOutages(notices NoticeObserver, c clock.Clock, log *slog.Logger) *outages {
	of := func(words outageWords) *outage {
		return &outage{words: words, notices: notices, clock: c, log: log}
	}
	all := &outages{
		prometheus: of(outageWords{
			about: usage.TopicPrometheus, begins: "Prometheus cannot be read",
			lasts: "Prometheus still cannot be read", ended: "Prometheus can be read again",
			meanwhile: "nothing is lost as long as Prometheus keeps it: usage is fetched later", gained: "intervals_fetched",
		}),
		carbon: of(outageWords{
			about: usage.TopicCarbon, begins: "The carbon intensity cannot be read",
			lasts: "The carbon intensity still cannot be read", ended: "The carbon intensity can be read again",
			meanwhile: "energy is recorded and priced later", gained: "intervals_priced",
		}),
		forecast: of(outageWords{
			about: usage.TopicForecast, begins: "There is no forecast of the carbon intensity",
			lasts: "There is still no forecast of the carbon intensity", ended: "There is a forecast of the carbon intensity again",
			meanwhile: "usage is priced with what is known of the past",
		}),
		directory: of(outageWords{
			about: usage.TopicDirectory, begins: "The directory cannot be read",
			lasts: "The directory still cannot be read", ended: "The directory can be read again",
			meanwhile: "the last directory is used; usage is attributed again once it can be read", gained: "intervals_attributed_again",
		}),
		usageWriter: of(outageWords{
			about: usage.TopicUsageWriter, begins: "Usage cannot be written to MongoDB",
			lasts: "Usage still cannot be written to MongoDB", ended: "Usage can be written to MongoDB again",
			meanwhile: "it is kept in the store and written later", gained: "intervals_written",
		}),
		lake: of(outageWords{
			about: usage.TopicLake, begins: "Days cannot be published to the lake",
			lasts: "Days still cannot be published to the lake", ended: "Days can be published to the lake again",
			meanwhile: "they are kept in the store and published later", gained: "days_published",
		}),
		store: of(outageWords{
			about: usage.TopicStore, begins: "The store cannot be used",
			lasts: "The store still cannot be used", ended: "The store can be used again",
			meanwhile: "/metrics shows what was last stored, and everything is fetched again later",
		}),
	}
	all.store.quiet = smallWrites
	all.sources = &sourceOutages{notices: notices, clock: c, log: log}
	return all
}

// smallWrites is for how long no write may fail before the store is well: on a full disk some
// still succeed. It is longer than any loop waits before it tries again.
const smallWrites = 10 * time.Minute

// told passes an error of a loop to the outages that it is about: of an upstream, the store, or
// both.
func (o *outages) told(err error, upstream *outage, at string) {
	o.toldMeanwhile(err, upstream, at, upstream.words.meanwhile)
}

func (o *outages) toldMeanwhile(err error, upstream *outage, at, meanwhile string) {
	theirs, ours := apart(err)
	if theirs != nil {
		upstream.failMeanwhile(theirs, at, meanwhile)
	}
	if ours != nil {
		o.store.fail(ours, "")
	}
}

// apart separates what an upstream is to blame for from what is our own.
func apart(err error) (theirs, ours error) {
	var all errs
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &all):
		for _, one := range all {
			t, o := apart(one)
			theirs, ours = cmp.Or(theirs, t), cmp.Or(ours, o)
		}
		return theirs, ours
	case usage.FailureOf(err) != nil:
		return err, nil
	}
	return nil, err
}

// attentive is an Observer that hears of the store's outages.
type attentive struct {
	Observer
	store *outage
}

// Wrote implements Observer.
func (a attentive) Wrote(err error) {
	a.Observer.Wrote(err)
	if err != nil {
		a.store.fail(err, "")
	} else {
		a.store.over()
	}
}
