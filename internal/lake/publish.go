// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Store is what there is to publish, and what was published. See store.Store.
type Store interface {
	LakeBegin(ctx context.Context, lake string) (publisher string, err error)
	LakeWork(ctx context.Context, lake string, since int64) (usage.LakeWork, error)
	ReplayDay(ctx context.Context, day usage.Period, facts func(usage.Record) error, members func(usage.Member) error) (usage.LakeDay, error)
	LakeEdition(ctx context.Context, lake, date string) (usage.LakeEdition, bool, error)
	LakeEditions(ctx context.Context, lake string) ([]usage.LakeEdition, error)
	LakeWriting(ctx context.Context, lake, date string, generation int64) error
	LakeWasWriting(ctx context.Context, lake, date string) (generation int64, err error)
	LakeDone(ctx context.Context, lake string, e usage.LakeEdition) error
	LakeGone(ctx context.Context, lake string, dates []string) error
	LakeErasures(ctx context.Context, lake string) (forgotten, erased int, isGone func(user string) bool, err error)
	LakeErased(ctx context.Context, lake string, people int) error
}

// awaitOther is how long a twin, which publishes the same numbers, may be later than we are.
const awaitOther = 24 * time.Hour

// errAwaited means that somebody else is to publish a day.
var errAwaited = errors.New("somebody else is to publish it")

// wholeEvery is how often every day is looked at, not only those that have changed.
const wholeEvery = 6 * time.Hour

// Publisher publishes the days of a store. It is for one goroutine.
type Publisher struct {
	Store Store
	// Open opens the bucket, and names it without a secret. It is called again after each failure:
	// its secrets may have changed.
	Open     func() (b objstore.Bucket, place string, err error)
	Site     string
	Timezone string
	Spool    string // the directory for the files of a day before they are sent
	Now      func() time.Time
	Log      *slog.Logger

	objects objects // with no bucket: not open
	place   string  // of the bucket
	id      string  // empty: not begun
	since   int64   // days that changed up to this revision were published
	looked  time.Time
	awaited map[string]time.Time // since when days are due that somebody else is to publish
	refused map[string]refusal   // by date, since somebody else publishes the site
	unmade  []string             // days without a manifest that cannot be made again, when every day was last looked at
}

// Name names the lake: a site in a bucket.
func (p *Publisher) Name() string {
	return NameOf(p.Site, cmp.Or(p.place, "a bucket that could not be opened yet"))
}

// NameOf is the name by which a store knows the lake of a site in a bucket.
func NameOf(site, place string) string { return site + " in " + place }

// Close closes the bucket.
func (p *Publisher) Close() error {
	if p.objects.bucket == nil {
		return nil
	}
	b := p.objects.bucket
	p.objects = objects{}
	return b.Close()
}

// Publish publishes what there is to publish, oldest day first. told receives what is left, at the
// beginning and after each day. A day that somebody else publishes with other numbers does not hold
// up those after it; the error says so at the end.
func (p *Publisher) Publish(ctx context.Context, told func(usage.LakeState)) error {
	err := p.publish(ctx, told)
	if err != nil && usage.FailureOf(err) != nil {
		p.Close() //nolint:errcheck // it is opened anew
	}
	return err
}

func (p *Publisher) publish(ctx context.Context, told func(usage.LakeState)) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	work, err := p.Store.LakeWork(ctx, p.Name(), p.since)
	if err != nil {
		return err
	}
	state := usage.LakeState{Waiting: len(work.Due), Open: work.Open, Lost: work.Lost + len(p.unmade), Newest: work.Newest.To}
	told(state)
	fence, err := p.fence(ctx)
	if err != nil {
		return err
	}
	defer p.tellUnmade(len(p.unmade))
	var refused error
	for _, day := range work.Due {
		err := p.day(ctx, day, fence)
		if fenced, ok := errors.AsType[*FencedError](err); ok {
			refused, state.Refused = fenced, state.Refused+1
			told(state)
			continue
		}
		if errors.Is(err, errAwaited) {
			continue
		}
		if err != nil {
			return fmt.Errorf("day %s: %w", day.Date, err)
		}
		state.Lost = work.Lost + len(p.unmade)
		state.Waiting--
		state.Newest = usage.Later(state.Newest, day.To)
		told(state)
	}
	if refused != nil {
		return &usage.Failure{Reason: usage.ReasonAuth, Permanent: true, Cause: refused.Error(), Err: refused}
	}
	if err := p.erase(ctx, fence); err != nil {
		return err
	}
	if state.Waiting == 0 {
		p.since = max(work.Revised, 1)
	}
	return nil
}

// begin opens the bucket and, now and then, has every day looked at.
func (p *Publisher) begin(ctx context.Context) (err error) {
	if p.objects.bucket == nil {
		b, place, err := p.Open()
		if err != nil {
			return &usage.Failure{Reason: usage.ReasonConnection, Err: err}
		}
		if place != p.place {
			p.place, p.id, p.looked = place, "", time.Time{} // its file says another one now
		}
		p.objects = writable(b)
	}
	if p.id == "" {
		if p.id, err = p.Store.LakeBegin(ctx, p.Name()); err != nil {
			return err
		}
	}
	now := p.Now()
	if since := now.Sub(p.looked); since >= 0 && since < wholeEvery {
		return nil
	}
	if err := p.recall(ctx); err != nil {
		return err
	}
	p.since, p.looked = 0, now
	return nil
}

// fence reads who may publish the site, and makes that us if it is nobody.
func (p *Publisher) fence(ctx context.Context) (Fence, error) {
	for first := true; ; first = false {
		text, err := p.objects.Small(ctx, PublisherPath(p.Site))
		if err != nil {
			return Fence{}, err
		}
		if text != nil || !first {
			f, err := DecodeFence(text, p.Site)
			if err != nil {
				return f, p.malformed(PublisherPath(p.Site), err)
			}
			return f, nil
		}
		text, err = Fence{Format: Format, Site: p.Site, Publisher: p.id, Since: p.Now().UTC().Truncate(time.Second)}.Encode()
		if err != nil {
			return Fence{}, err
		}
		if err := p.objects.write(ctx, PublisherPath(p.Site), text); err != nil {
			return Fence{}, err
		}
		p.Log.Info("Publishing settled days to the lake from now on", "lake", p.Name(), "publisher", short(p.id))
	}
}

func (p *Publisher) malformed(name string, err error) error {
	f := &usage.Failure{
		Reason: usage.ReasonMalformed, Err: fmt.Errorf("%s: %w", name, err), Permanent: true,
		Cause: fmt.Sprintf("%s cannot be understood: %v; look at it, and delete it to have it written anew", name, err),
	}
	if errors.Is(err, ErrNewer) { // it is well: nobody should delete it
		f.Cause = fmt.Sprintf("%s: %v", name, ErrNewer)
	}
	return f
}

// manifest reads the manifest of a day; nil: there is none.
func (p *Publisher) manifest(ctx context.Context, day Day) (*Manifest, error) {
	text, err := p.objects.Small(ctx, ManifestPath(p.Site, day))
	if err != nil || text == nil {
		return nil, err
	}
	m, err := DecodeManifest(text, p.Site, day)
	if err != nil {
		return nil, p.malformed(ManifestPath(p.Site, day), err)
	}
	return m, nil
}

// commit writes a manifest, after a look whether the site is still ours.
func (p *Publisher) commit(ctx context.Context, m *Manifest) error {
	fence, err := p.fence(ctx)
	if err != nil {
		return err
	}
	if fence.Publisher != p.id {
		return p.fenced(fence)
	}
	m.Publisher, m.Generation = p.id, m.Generation+1
	text, err := m.Encode()
	if err != nil {
		return err
	}
	if err := p.Store.LakeWriting(ctx, p.Name(), string(m.Day), m.Generation); err != nil {
		return err
	}
	return p.objects.write(ctx, ManifestPath(p.Site, m.Day), text)
}

// await waits for somebody else who is to publish a day, but not for ever.
func (p *Publisher) await(date string, f Fence) error {
	if p.awaited == nil {
		p.awaited = map[string]time.Time{}
	}
	since, known := p.awaited[date]
	if now := p.Now(); !known {
		p.awaited[date] = now
	} else if now.Sub(since) > awaitOther {
		return &FencedError{Site: p.Site, Ours: p.id, Theirs: f.Publisher, Since: f.Since, Absent: true}
	}
	return errAwaited
}

func (p *Publisher) fenced(f Fence) error {
	return &FencedError{Site: p.Site, Ours: p.id, Theirs: f.Publisher, Since: f.Since}
}
