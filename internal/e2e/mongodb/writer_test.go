// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongodb

import (
	"errors"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func posted(name string, kwh usage.KWh, priced bool) usage.RollupMember {
	p := usage.RollupMember{
		Name: name, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 3600, Idle: 1800},
		Energy: usage.ByMode[usage.KWh]{Busy: kwh, Idle: kwh / 4},
	}
	if priced {
		p.Emissions = &usage.ByMode[usage.Grams]{Busy: usage.Grams(kwh * 100), Idle: usage.Grams(kwh * 25)}
	}
	return p
}

func posting(hours int, revision int64, priced bool, users ...string) usage.Rollup {
	p := usage.Rollup{Interval: usage.IntervalAt(hour(hours), usage.SlotLength), Revision: revision, State: usage.Unpriced}
	if priced {
		intensity := usage.GramsPerKWh(100)
		p.State, p.Intensity = usage.Provisional, &intensity
	}
	p.Groups = []usage.RollupMember{posted("ISIS", usage.KWh(len(users)), priced)}
	for _, u := range users {
		p.Users = append(p.Users, posted(u, 1, priced))
	}
	return p
}

func TestUsageIsWrittenOnceWhateverIsRepeated(t *testing.T) {
	rig := newRig(t)
	w, err := mongo.OpenWriter(rig.options())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	write := func(postings ...usage.Rollup) string {
		t.Helper()
		if err := w.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(t.Context(), postings); err != nil {
			t.Fatal(err)
		}
		return rig.contents()
	}
	first := write(posting(0, 1, false, "ada", usage.Unattributed), posting(1, 2, true, `{"$gt":""}`, "a/b"))
	if again := write(posting(0, 1, false, "ada", usage.Unattributed), posting(1, 2, true, `{"$gt":""}`, "a/b")); again != first {
		t.Errorf("again it is\n%s\nwas\n%s", again, first)
	}
	doc, err := rig.reader().FindOne(t.Context(), "user_usage", mongo.Find{Filter: d("_id", "2026-07-01T12:00:00Z/ada")})
	if err != nil || doc == nil {
		t.Fatal(doc, err)
	}
	if doc.Lookup("busy_gco2eq").Type != bson.TypeNull || doc.Lookup("intensity_gco2eq_per_kwh").Type != bson.TypeNull {
		t.Errorf("grams of what has no price: %v", doc)
	}
	if got := doc.Lookup("busy_kwh").Double(); got != 1 || doc.Lookup("provenance").StringValue() != "unpriced" || !doc.Lookup("ts").Time().Equal(hour(0)) {
		t.Errorf("got %v", doc)
	}
	// Attributed again: bob has what was ada's, and it is priced.
	write(posting(0, 3, true, "bob", usage.Unattributed))
	for user, want := range map[string]int64{"ada": 0, "bob": 1, usage.Unattributed: 1} {
		if n, err := rig.reader().Count(t.Context(), "user_usage", d("user", user, "ts", hour(0)), nil); n != want || err != nil {
			t.Errorf("%s has %d documents, %v; want %d", user, n, err, want)
		}
	}
	doc, err = rig.reader().FindOne(t.Context(), "group_usage", mongo.Find{Filter: d("_id", "2026-07-01T12:00:00Z/ISIS")})
	if err != nil || doc.Lookup("busy_gco2eq").Double() != 200 || doc.Lookup("revision").Int64() != 3 {
		t.Errorf("got %v, %v", doc, err)
	}
}

// Twins write the same intervals at the same time, each with revisions of its own store, and try
// again as the exporter does where the server sees a conflict. Neither deletes what the other has
// just written.
func TestTwinsWriteTheSameUsage(t *testing.T) {
	rig := newRig(t)
	users := []string{"ada", "bob", "grace", usage.Unattributed}
	twins := make([]*mongo.Writer, 2)
	for n := range twins {
		var err error
		if twins[n], err = mongo.OpenWriter(rig.options()); err != nil {
			t.Fatal(err)
		}
		defer twins[n].Close()
	}
	for round := range 20 {
		errs := make([]error, len(twins))
		var both sync.WaitGroup
		for n, w := range twins {
			both.Go(func() {
				for range 20 {
					if errs[n] = w.Write(t.Context(), []usage.Rollup{posting(0, int64(1000*n+round), true, users...)}); errs[n] == nil {
						return
					}
				}
			})
		}
		both.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		rig.wantDocuments("user_usage", int64(len(users)))
		rig.wantDocuments("group_usage", 1)
	}
}

func (r *rig) wantDocuments(collection string, want int64) {
	r.t.Helper()
	if n, err := r.reader().Count(r.t.Context(), collection, d("ts", hour(0)), nil); n != want || err != nil {
		r.t.Errorf("%s has %d documents, %v; want %d", collection, n, err, want)
	}
}
