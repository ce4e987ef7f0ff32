// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Fence is publisher.json: who may publish a site. It keeps two exporters from replacing each
// other's days.
type Fence struct {
	Format    int       `json:"format"`
	Site      string    `json:"site"`
	Publisher string    `json:"publisher"` // random, kept in the publisher's store
	Since     time.Time `json:"since"`
}

// Encode writes a fence.
func (f Fence) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(f, "", "  ")
	return append(text, '\n'), err
}

// DecodeFence reads the fence of a site.
func DecodeFence(text []byte, site string) (f Fence, err error) {
	switch err := json.Unmarshal(text, &f); {
	case err != nil:
		return f, err
	case f.Format > Format:
		return f, ErrNewer
	case f.Format != Format || f.Site != site || f.Publisher == "":
		return f, errors.New("it is none of this site")
	}
	return f, nil
}

// FencedError says that somebody else publishes a site.
type FencedError struct {
	Site, Ours, Theirs string
	Since              time.Time // zero: they have our id
	Absent             bool      // they have not published the day, for long
}

// Error says what to do.
func (e *FencedError) Error() string {
	if e.Since.IsZero() {
		return fmt.Sprintf("site %s: a copy of this store publishes it, too, and has other numbers: stop one of the two, "+
			"or give one another lake.site; then delete %s, so that the other goes on", e.Site, PublisherPath(e.Site))
	}
	what := "has other numbers"
	if e.Absent {
		what = "does not publish what this one could"
	}
	return fmt.Sprintf("site %s: another exporter has published it since %s (its id is %s, ours %s), and %s: give one of "+
		"the two another lake.site; or, if that exporter is gone, delete %s, so that this one goes on",
		e.Site, e.Since.UTC().Format(time.RFC3339), short(e.Theirs), short(e.Ours), what, PublisherPath(e.Site))
}

func short(id string) string { return id[:min(8, len(id))] }

// refusal is a day that was compared with that of somebody else and is another one.
type refusal struct {
	ours   usage.LakeDay
	theirs string // who wrote it, and which one
}

func refusalOf(ours usage.LakeDay, m *Manifest) refusal {
	return refusal{ours, fmt.Sprint(m.Publisher, " ", m.Generation)}
}

func (p *Publisher) refuse(day usage.LakeDay, theirs *Manifest) {
	if p.refused == nil {
		p.refused = map[string]refusal{}
	}
	p.refused[day.Date] = refusalOf(day, theirs)
}

// stands reports whether a day waits or is refused, by the error, where somebody else publishes the
// site. It does not make the day, which may take minutes: another one with the same revision, or
// one that nobody has published, is what it was.
func (p *Publisher) stands(ctx context.Context, due usage.LakeDay, fence Fence) (bool, error) {
	have, err := p.manifest(ctx, Day(due.Date))
	switch {
	case err != nil:
		return false, err
	case have == nil:
		return true, p.await(due.Date, fence)
	}
	was, known := p.refused[due.Date]
	if is := refusalOf(due, have); !known || is.theirs != was.theirs || !is.ours.Same(was.ours) {
		return false, nil
	}
	return true, p.fenced(fence)
}
