// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// waits are days that wait to be published, by how long ago they ended.
func waits(ago ...time.Duration) usage.LakeWork {
	var w usage.LakeWork
	for _, d := range ago {
		w.Due = append(w.Due, usage.LakeDay{Period: usage.Period{From: noon.Add(-d - 24*time.Hour), To: noon.Add(-d)}})
	}
	return w
}

func TestPublishedDays(t *testing.T) {
	const hour = time.Hour
	ours := Published{
		Site: "a", Now: noon, PublisherFile: "publisher.json", Publisher: "11111111aa", Since: noon, Ours: "11111111aa", Days: 3, Newest: "2026-09-30", SettleAfter: 24 * hour,
	}
	for _, c := range []struct {
		name   string
		change func(*Published)
		level  Level
		words  string
	}{
		{"ours", func(*Published) {}, OK, "this store has published site a since 2026-10-01T12:00:00Z (id 11111111)"},
		{"how far", func(*Published) {}, OK, "3 days are published, the newest is 2026-09-30"},
		{"nobody's", func(p *Published) { p.Publisher, p.Days, p.Newest = "", 0, "" }, OK, "nobody has published site a yet"},
		{"not begun", func(p *Published) { p.Days, p.Newest = 0, "" }, OK, "no day is published"},
		{"open and lost", func(p *Published) { p.Work.Open, p.Work.Lost = 1, 2 }, OK, "; 1 day is over and not final; 2 days are lost"},
		{"a day that is due", func(p *Published) { p.Work = waits(47 * hour) }, OK, "; 1 day is to be published"},
		{"one for too long", func(p *Published) { p.Work = waits(49*hour, hour) }, Warning, "2 days are to be published; 1 for longer than a day; to do: start carbon_exporter"},
		{"another lake before", func(p *Published) { p.Elsewhere = "b in S3 s3.example.org/lake" }, Warning, "until now this store has published b in S3 s3.example.org/lake"},
		{"a manifest that was deleted", func(p *Published) { p.Gone = "2026-09-29" }, Warning, "the bucket has no manifest of 2026-09-29"},
		{"a copy of the store", func(p *Published) { p.Contested = 2 }, Warning, "a copy of it has published 2 days with other numbers"},
		{"a twin", func(p *Published) { p.Publisher = "22222222bb" }, OK, "(its id is 22222222, ours 11111111), and has the same numbers"},
		{"a twin that is late", func(p *Published) { p.Publisher, p.Work = "22222222bb", waits(hour) }, OK, "has not published 1 day yet"},
		{"one that is gone", func(p *Published) { p.Publisher, p.Work = "22222222bb", waits(50*hour, 26*hour) }, Failure, "does not publish what this one could: 1 day. This store publishes nothing; to do: give one of the two another lake.site; or, if the other exporter is gone for good, delete publisher.json"},
		{"one with other numbers", func(p *Published) {
			p.Publisher, p.Work, p.Theirs, p.Compared, p.Other = "22222222bb", waits(hour), 1, 1, "2026-09-30"
		}, Failure, "of the days that wait it has 1, and 2026-09-30 is another"},
		{"one that has just published the same", func(p *Published) {
			p.Publisher, p.Work, p.Theirs, p.Compared = "22222222bb", waits(hour), 1, 1
		}, OK, "has the same numbers"},
		{"one of which some days were compared", func(p *Published) {
			p.Publisher, p.Work, p.Theirs, p.Compared = "22222222bb", waits(3*hour, 2*hour, hour), 3, 1
		}, Warning, "of the days that wait it has 3; the newest 1 have the same numbers, and of the others it is not known; to do: run carbontool lake verify"},
		{"a publisher of a newer program", func(p *Published) { p.PublisherBad, p.Newer = "a newer version has written it", true }, Failure, "publisher.json: a newer version has written it; to do: update this program and carbon_exporter"},
		{"one that was not compared", func(p *Published) { p.Publisher, p.Work, p.Theirs = "22222222bb", waits(hour), 1 }, Warning, "whether their numbers are the same is not known; to do: run carbontool lake verify"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := ours
			c.change(&p)
			says(t, []Finding{LakePublisher(p), LakePublished(p)}, c.level, c.words)
		})
	}
}

func TestLakeManifests(t *testing.T) {
	m := Manifests{Site: "a", Timezone: "UTC", Count: 2, First: "2026-09-29", Last: "2026-09-30"}
	for _, c := range []struct {
		name  string
		read  Manifest
		level Level
		words string
	}{
		{"well", Manifest{Timezone: "UTC"}, OK, "2 manifests of site a, from 2026-09-29 to 2026-09-30, in UTC"},
		{"another time zone", Manifest{Name: "n", Timezone: "Europe/London"}, Warning, "timezone is UTC, but n is in Europe/London"},
		{"another site", Manifest{Name: "n", Fault: "it is of b"}, Failure, "n cannot be understood: it is of b"},
		{"of a newer program", Manifest{Name: "n", Fault: "newer", Newer: true}, Failure, "update this program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.Read = []Manifest{c.read}
			says(t, LakeManifests(m), c.level, c.words)
		})
	}
}

// TestWhatStorageSaysIsOneLine: some answers with whole pages.
func TestWhatStorageSaysIsOneLine(t *testing.T) {
	tried := []Right{{Name: "write", Fault: strings.Repeat("no\n", 1000)}}
	all := LakeRights(Bucket{Kind: "AZURE", Place: "AZURE me/lake"}, "o", tried)
	if len(all) != 1 || len(all[0].Seen) > 500 || strings.Contains(all[0].Seen, "\n") {
		t.Errorf("%+v", all)
	}
	if !slices.Contains(Areas(), Lake) {
		t.Error("lake is no area")
	}
}
