// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Manifest says what of a day counts. It is the last thing that is written of a revision.
type Manifest struct {
	Format int    `json:"format"`
	Site   string `json:"site"`
	Day    Day    `json:"day"`
	Calendar
	// Publisher is the id of the store that wrote it; see Fence.
	Publisher string `json:"publisher"`
	// Generation counts how often the manifest was written.
	Generation int64 `json:"generation"`
	// Revision is the present one, the last of Revisions.
	Revision int `json:"revision"`
	// Lost is how many revisions there were before, of which nothing is known any more: somebody had
	// deleted the manifest. No number is used twice.
	Lost      int        `json:"lost,omitempty"`
	Revisions []Revision `json:"revisions"` // oldest first, from Lost+1 on, without a gap
}

// Calendar is when a day is.
type Calendar struct {
	Timezone string    `json:"timezone"`
	From     time.Time `json:"from"` // UTC
	Until    time.Time `json:"until"`
}

func (c Calendar) same(o Calendar) bool {
	return c.Timezone == o.Timezone && c.From.Equal(o.From) && c.Until.Equal(o.Until)
}

// Revision is one edition of a day.
type Revision struct {
	Revision int `json:"revision"`
	// PublishedAt is later than that of the revision before, even if a clock was set back.
	PublishedAt time.Time `json:"published_at"`
	Reason      string    `json:"reason"`
	Facts       Object    `json:"facts"`
	Members     Object    `json:"members"`
	// Gone is why the objects are no longer there; empty: they are.
	Gone string `json:"gone,omitempty"`
	// Erasures is how often a person was removed from the objects.
	Erasures int `json:"erasures,omitempty"`
	// Calendar is when the day was, of an earlier revision in another time zone; nil: as the manifest
	// says.
	Calendar  *Calendar `json:"calendar,omitempty"`
	Sums      Sums      `json:"sums"`
	Intervals Intervals `json:"intervals"`
}

// Sums are what the rows of a day add up to: those of the facts, and those of the members by scope
// (ada, project, machine, user). All are the same to the last digits. A scope without rows is
// absent.
type Sums struct {
	Facts   Amounts            `json:"facts"`
	Members map[string]Amounts `json:"members"`
}

// Amounts are sums. Grams are of the rows with a price; null if none has one.
type Amounts struct {
	BusyCPUSeconds float64  `json:"busy_cpu_seconds"`
	IdleCPUSeconds float64  `json:"idle_cpu_seconds"`
	BusyKWh        float64  `json:"busy_kwh"`
	IdleKWh        float64  `json:"idle_kwh"`
	MeasuredKWh    float64  `json:"measured_kwh"`
	BusyGrams      *float64 `json:"busy_gco2eq"`
	IdleGrams      *float64 `json:"idle_gco2eq"`
	MeasuredGrams  *float64 `json:"measured_gco2eq"`
	EmbodiedGrams  *float64 `json:"embodied_gco2eq,omitempty"` // of facts, where it is known
}

// Intervals tell a hole from a time in which nothing ran.
type Intervals struct {
	Seconds int64 `json:"seconds"` // of one
	Settled int   `json:"settled"` // with usage
	Empty   int   `json:"empty"`   // Prometheus answered and had nothing
	Unknown int   `json:"unknown"` // never read: what ran then is not known
	// Holes are the times of Empty and Unknown, in order.
	Holes []Hole `json:"holes,omitempty"`
}

// Hole is a time without usage: empty or unknown.
type Hole struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	State string    `json:"state"` // empty or unknown
}

// UnknownSeconds is how much of the day is not known.
func (i Intervals) UnknownSeconds() int64 { return int64(i.Unknown) * i.Seconds }

// Present is the revision that counts now.
func (m *Manifest) Present() *Revision { return &m.Revisions[len(m.Revisions)-1] }

// When is when the day of one of its revisions is.
func (m *Manifest) When(r *Revision) Calendar {
	if r.Calendar != nil {
		return *r.Calendar
	}
	return m.Calendar
}

// move has the day be at another time from the next revision on. Those before it keep theirs.
func (m *Manifest) move(to Calendar) {
	if was := m.Calendar; !was.same(to) {
		m.Revisions = slices.Clone(m.Revisions)
		for i := range m.Revisions {
			if m.Revisions[i].Calendar == nil {
				m.Revisions[i].Calendar = &was
			}
		}
		m.Calendar = to
	}
}

// AsOf is the revision that counted at a time; nil: the day was not published then, or the revision
// was lost.
func (m *Manifest) AsOf(t time.Time) *Revision {
	for i := len(m.Revisions) - 1; i >= 0; i-- {
		if !m.Revisions[i].PublishedAt.After(t) {
			return &m.Revisions[i]
		}
	}
	return nil
}

// Encode writes a manifest, always in the same way.
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}

// DecodeManifest reads and checks the manifest of a day of a site.
func DecodeManifest(text []byte, site string, day Day) (*Manifest, error) {
	var m Manifest
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fmt.Errorf("manifest of %s, %s: it is empty", site, day)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("manifest of %s, %s: %w", site, day, err)
	}
	if m.Format <= Format && (m.Site != site || m.Day != day) {
		return nil, fmt.Errorf("manifest of %s, %s: it is of %s, %s", site, day, m.Site, m.Day)
	}
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("manifest of %s, %s: %w", site, day, err)
	}
	return &m, nil
}

// ErrNewer means that a newer program has written it.
var ErrNewer = errors.New("a newer version of the program has written it: update this one")

// Check checks that a manifest is whole.
func (m *Manifest) Check() error {
	switch {
	case m.Format > Format:
		return ErrNewer
	case m.Format != Format:
		return fmt.Errorf("format %d is unknown", m.Format)
	case !m.From.Before(m.Until):
		return errors.New("its day ends before it begins")
	case m.Generation < 1 || m.Publisher == "":
		return errors.New("it does not say who wrote it")
	case len(m.Revisions) == 0 || m.Lost < 0 || m.Revision != m.Lost+len(m.Revisions):
		return fmt.Errorf("it has %d revisions after %d that were lost, and says that %d is the present one", len(m.Revisions), m.Lost, m.Revision)
	}
	if _, err := ParseDay(string(m.Day)); err != nil {
		return err
	}
	if err := CheckSite(m.Site); err != nil {
		return err
	}
	for i := range m.Revisions {
		r := &m.Revisions[i]
		number := m.Lost + i + 1
		if err := r.check(number); err != nil {
			return fmt.Errorf("revision %d: %w", number, err)
		}
		if i > 0 && !r.PublishedAt.After(m.Revisions[i-1].PublishedAt) {
			return fmt.Errorf("revision %d: it was published before the one before it", number)
		}
	}
	return nil
}

func (r *Revision) check(number int) error {
	switch {
	case r.Revision != number:
		return fmt.Errorf("it is numbered %d", r.Revision)
	case r.Calendar != nil && !r.Calendar.From.Before(r.Calendar.Until):
		return errors.New("its day ends before it begins")
	case r.PublishedAt.IsZero():
		return errors.New("it does not say when it was published")
	}
	for _, o := range []Object{r.Facts, r.Members} {
		switch {
		case len(o.SHA256) != 64 || len(o.Content) != 64 || o.Bytes < 1 || o.Rows < 0:
			return errors.New("an object has no hash, size or number of rows")
		case (o.Path == "") != (r.Gone != ""):
			return errors.New("it says both that its objects are there and that they are not")
		}
	}
	return nil
}
