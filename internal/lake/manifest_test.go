// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func aManifest() *Manifest {
	hash := strings.Repeat("0a", 32)
	object := func(path string) Object { return Object{Path: path, SHA256: hash, Bytes: 10, Rows: 1, Content: hash} }
	return &Manifest{
		Format: Format, Site: "harwell", Day: "2026-10-05", Publisher: "p", Generation: 4, Revision: 2,
		Calendar: Calendar{Timezone: "Europe/London", From: noon.Add(-13 * time.Hour), Until: noon.Add(11 * time.Hour)},
		Revisions: []Revision{
			{
				Revision: 1, PublishedAt: noon.Add(24 * time.Hour), Reason: "first", Facts: object(SupersededPath("harwell", "2026-10-05", 1, 0, "facts.parquet")),
				Members: object("m"), Calendar: &Calendar{"UTC", noon.Add(-12 * time.Hour), noon.Add(12 * time.Hour)},
				Sums:      Sums{Facts: Amounts{BusyKWh: 0.1 + 0.2, BusyGrams: new(0.0)}, Members: map[string]Amounts{"ada": {}}},
				Intervals: Intervals{Seconds: 1800, Settled: 47, Unknown: 1, Holes: []Hole{{noon, noon.Add(30 * time.Minute), "unknown"}}},
			},
			{Revision: 2, PublishedAt: noon.Add(48 * time.Hour), Reason: "restated", Facts: object(FactsPath("harwell", "2026-10-05")), Members: object("m"), Sums: Sums{Members: map[string]Amounts{}}},
		},
	}
}

func TestAManifestIsReadAsItWasWritten(t *testing.T) {
	m := aManifest()
	text, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := DecodeManifest(text, m.Site, m.Day)
	if err != nil || !reflect.DeepEqual(read, m) {
		t.Errorf("%+v, %v\nwant %+v", read, err, m)
	}
	if _, err := DecodeManifest(text, "other", m.Day); err == nil {
		t.Error("it is taken for one of another site")
	}
	for n := range len(text) - 1 {
		if _, err := DecodeManifest(text[:n], m.Site, m.Day); err == nil {
			t.Fatalf("its first %d bytes of %d are taken for all", n, len(text))
		}
	}
}

func TestWhichRevisionCountedWhen(t *testing.T) {
	m := aManifest()
	for _, c := range []struct {
		name string
		at   time.Time
		want int
	}{
		{"before it was published", noon, 0},
		{"at the moment of the first", noon.Add(24 * time.Hour), 1},
		{"just before the second", noon.Add(48*time.Hour - 1), 1},
		{"long after", noon.Add(1000 * time.Hour), 2},
	} {
		r := m.AsOf(c.at)
		if got := 0; r != nil {
			got = r.Revision
			if got != c.want {
				t.Errorf("%s: %d, want %d", c.name, got, c.want)
			}
		} else if c.want != 0 {
			t.Errorf("%s: none, want %d", c.name, c.want)
		}
	}
}

func TestAManifestThatIsNotWhole(t *testing.T) {
	for name, spoil := range map[string]func(*Manifest){
		"no revision":                 func(m *Manifest) { m.Revisions, m.Revision = nil, 0 },
		"another revision is present": func(m *Manifest) { m.Revision = 1 },
		"a gap in its revisions":      func(m *Manifest) { m.Revisions[1].Revision = 3 },
		"time that goes back":         func(m *Manifest) { m.Revisions[1].PublishedAt = noon },
		"an object without a hash":    func(m *Manifest) { m.Revisions[0].Facts.SHA256 = "" },
		"an object without a path":    func(m *Manifest) { m.Revisions[0].Facts.Path = "" },
		"no publisher":                func(m *Manifest) { m.Publisher = "" },
		"no format":                   func(m *Manifest) { m.Format = 0 },
		"a day that is none":          func(m *Manifest) { m.Day = "2026-02-30" },
		"a site that is two":          func(m *Manifest) { m.Site = "a/b" },
	} {
		m := aManifest()
		spoil(m)
		if _, err := m.Encode(); err == nil {
			t.Errorf("%s: it is written", name)
		}
	}
	m := aManifest()
	m.Format = Format + 1
	if err := m.Check(); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer one: %v", err)
	}
}

func TestPaths(t *testing.T) {
	for want, got := range map[string]string{
		"facts/site=harwell/day=2026-10-05/facts.parquet":        FactsPath("harwell", "2026-10-05"),
		"members/site=harwell/day=2026-10-05/members.parquet":    MembersPath("harwell", "2026-10-05"),
		"manifest/site=harwell/day=2026-10-05.json":              ManifestPath("harwell", "2026-10-05"),
		"manifest/site=harwell/publisher.json":                   PublisherPath("harwell"),
		"superseded/harwell/2026-10-05/000012/facts.parquet":     SupersededPath("harwell", "2026-10-05", 12, 0, "facts.parquet"),
		"superseded/harwell/2026-10-05/000012-1/members.parquet": SupersededPath("harwell", "2026-10-05", 12, 1, "members.parquet"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if day, ok := DayOfManifest(ManifestPath("harwell", "2026-10-05")); !ok || day != "2026-10-05" {
		t.Errorf("the manifest is of %q", day)
	}
	for _, name := range []string{PublisherPath("harwell"), "day=2026-1-5.json", "day=2026-10-05.json.tmp"} {
		if day, ok := DayOfManifest(name); ok {
			t.Errorf("%s is the manifest of %s", name, day)
		}
	}
	for _, site := range []string{"", "a/b", "a=b", ".hidden", "é", strings.Repeat("a", 64)} {
		if CheckSite(site) == nil {
			t.Errorf("%q is the name of a site", site)
		}
	}
}
