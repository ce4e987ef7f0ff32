// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestSightings(t *testing.T) {
	s := newStore(t)
	if got, err := alone(t.Context(), s, (*View).Sightings); err != nil || !got.Newest.IsZero() || len(got.Days)+len(got.Now) != 0 {
		t.Errorf("of an empty store: %+v, %v", got, err)
	}
	all := usage.LabelPresence{Project: true, Machine: true, Host: true, User: true}
	less := usage.LabelPresence{Project: true, Host: true}
	// n counts half hours from the midnight of a Thursday.
	put := func(n int, labels map[string]usage.LabelPresence) {
		rec := threeKeys(at(n))
		rec.Labels = labels
		commit(t, s, rec)
	}
	for n := range 3 * 48 {
		labels := map[string]usage.LabelPresence{"IDAaaS": all}
		if n < 48+36 {
			labels["CDAaaS"] = all
		}
		if n >= 48+46 {
			labels["IDAaaS"] = less
		}
		put(n, labels)
	}
	put(-48*14, map[string]usage.LabelPresence{"IDAaaS": all}) // too long ago to matter
	commit(t, s, usage.Record{Interval: at(3 * 48), State: usage.Empty, FetchedAt: at(3*48 + 1).Start})
	schedule(t, s, at(0), at(3*48+5).End())
	thursday := epoch
	day := func(project string, n, last int, share float64, l usage.LabelPresence) usage.Sighting {
		return usage.Sighting{Project: project, Day: thursday.AddDate(0, 0, n), Last: at(last).Start, Share: share, LabelPresence: l}
	}
	mixed := less
	mixed.User = true
	want := usage.Sightings{
		Newest: at(3 * 48).End(),
		Now:    map[string]usage.LabelPresence{"IDAaaS": less},
		Days: []usage.Sighting{
			day("CDAaaS", 0, 47, 1, all), day("CDAaaS", 1, 83, 0.75, all),
			day("IDAaaS", 0, 47, 1, all), day("IDAaaS", 1, 95, 1, mixed), day("IDAaaS", 2, 143, 1, less),
		},
	}
	got, err := alone(t.Context(), s, (*View).Sightings)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}

	// They are of the interval: what replaces it replaces them.
	before := dump(t, s)
	put(2*48, map[string]usage.LabelPresence{"other": all})
	put(2*48, map[string]usage.LabelPresence{"IDAaaS": less})
	execute(t, s.writer, "DELETE FROM dim_project WHERE cloud_project_name = 'other'")
	if after := dump(t, s); after != before {
		t.Error("an interval that was replaced, and replaced again, is another")
	}
	rec, err := recordOf(t, s, at(2*48))
	if err != nil || !reflect.DeepEqual(rec.Labels, map[string]usage.LabelPresence{"IDAaaS": less}) {
		t.Errorf("a record has %+v, %v", rec.Labels, err)
	}
}

func TestLabelsOfTheOtherProjectsStay(t *testing.T) {
	s := newStore(t)
	all := usage.LabelPresence{Project: true, Machine: true, Host: true, User: true}
	rec := threeKeys(at(1))
	rec.Labels = map[string]usage.LabelPresence{"IDAaaS": all, "CDAaaS": all}
	commit(t, s, rec)
	project := "CDAaaS"
	part := with(unpriced(at(1), ownOf(t, project)...), usage.Policy{Project: &project})
	part.Labels = map[string]usage.LabelPresence{project: {Project: true}}
	if outcomes, err := commitAll(t.Context(), s, part); err != nil || outcomes[0].Left != nil {
		t.Fatal(outcomes, err)
	}
	got, err := recordOf(t, s, at(1))
	if want := (map[string]usage.LabelPresence{"IDAaaS": all, "CDAaaS": {Project: true}}); err != nil || !reflect.DeepEqual(got.Labels, want) {
		t.Errorf("got %+v, %v; want %+v", got.Labels, err, want)
	}
}

func TestAnIntervalOfADayIsThereAllOfIt(t *testing.T) {
	s := openStore(t, t.TempDir()+"/carbon.db", Options{Exclusive: true, Interval: 24 * time.Hour})
	i := usage.Interval{Start: epoch, Length: 24 * time.Hour}
	rec := unpriced(i, fact(muonA, i.Start, 1, 1))
	rec.Labels = map[string]usage.LabelPresence{"IDAaaS": {Project: true}}
	commit(t, s, rec)
	got, err := alone(t.Context(), s, (*View).Sightings)
	if err != nil || len(got.Now) != 1 || len(got.Days) != 1 || got.Days[0].Share != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
