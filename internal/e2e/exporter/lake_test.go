// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Arrow's reader knows nothing of us: what it adds up of the published files is what the store has,
// of every scope, and no day is read twice after one was restated.
func TestTheLakeAddsUpToTheStore(t *testing.T) {
	t.Parallel()
	where, bucket, from := lakePlace(t, 10)
	s, err := store.Open(t.Context(), where.store, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []usage.Record
	for n := range 3 * 48 {
		all = append(all, settledRecord(from, n, 100))
	}
	storetest.Commit(t, s, all...)
	p := start(t, where.args()...)
	published := func(revision int) func() error {
		return func() error {
			for day := 1; day < 3; day++ {
				if m := lakeManifest(t, bucket, from.AddDate(0, 0, day-1)); m == nil || day == 1 && m.Revision < revision {
					return fmt.Errorf("day %d is not published: %s", day, p.Stderr.String())
				}
			}
			return nil
		}
	}
	eventually(t, time.Minute, "two days are published", published(1))
	storetest.CommitAs(t, s, usage.Policy{Restate: true, Why: usage.BecauseRestate}, settledRecord(from, 20, 333))
	eventually(t, time.Minute, "the first one is published again", published(2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := openStore(t, where.store)
	days, err := filepath.Glob(filepath.Join(bucket, "facts/site=harwell/day=*/facts.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	used := 0 // days that have usage: those after them, which nobody can read any more, are published as holes
	for _, facts := range days {
		day := filepath.Base(filepath.Dir(facts))[len("day="):]
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		m := lakeManifest(t, bucket, at)
		if m == nil {
			continue // it is being published
		}
		var kwh, grams float64
		if err := db.QueryRow("SELECT total(busy_kwh + idle_kwh), total(busy_gCo2eq + idle_gCo2eq) FROM fact_usage WHERE scope = 'ada' AND ts >= ? AND ts < ?",
			m.From.Format(time.RFC3339), m.Until.Format(time.RFC3339)).Scan(&kwh, &grams); err != nil {
			t.Fatal(err)
		}
		if kwh > 0 {
			used++
		}
		if (kwh == 0) != (m.Present().Intervals.Settled == 0) {
			t.Errorf("the store has %v kWh of %s, and its manifest says %+v", kwh, day, m.Present().Intervals)
		}
		members := filepath.Join(bucket, lake.MembersPath("harwell", lake.Day(day)))
		for name, got := range map[string][2]float64{
			"facts":   {arrowSum(t, facts, "busy_kwh", "idle_kwh"), arrowSum(t, facts, "busy_gco2eq", "idle_gco2eq")},
			"members": {arrowSum(t, members, "busy_kwh", "idle_kwh") / 4, arrowSum(t, members, "busy_gCo2eq", "idle_gCo2eq") / 4},
		} {
			if !close1e9(got[0], kwh) || !close1e9(got[1], grams) {
				t.Errorf("%s of %s add up to %v kWh and %v g, the store has %v and %v", name, day, got[0], got[1], kwh, grams)
			}
		}
	}
	if used < 2 || used > 3 {
		t.Errorf("%d of the published days have usage, of the 3 that the store has", used)
	}
}

// lakePlace is the place of an exporter with a store without usage, which publishes to a directory;
// from is the first day, so many days ago.
func lakePlace(t *testing.T, ago int) (where place, bucket string, from time.Time) {
	t.Helper()
	where = emptyPlace(t)
	dir := filepath.Dir(where.config)
	bucket = filepath.Join(dir, "bucket")
	text, err := os.ReadFile(where.config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, where.config, string(text)+"\nlake: {objstore_config_file: bucket.yml, site: harwell}\n")
	write(t, filepath.Join(dir, "bucket.yml"), "type: FILESYSTEM\nconfig: {directory: "+bucket+"}\n")
	madeStore(t, where)
	return where, bucket, time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -ago)
}

func close1e9(a, b float64) bool { return a-b <= 1e-9*b && b-a <= 1e-9*b }

func settledRecord(from time.Time, n int, grams float64) usage.Record {
	i := usage.Interval{Start: from.Add(time.Duration(n) * usage.SlotLength), Length: usage.SlotLength}
	rec := usage.Record{Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End(), Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{
		Intensity: usage.GramsPerKWh(grams), Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End(),
	}}}}
	for k, user := range []string{"a", "b", "c"} {
		rec.Facts = append(rec.Facts, usage.Fact{
			Key: usage.Key{Project: fmt.Sprint("p", k%2), Machine: "Muon", User: user, Group: "g"}, Start: i.Start,
			CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 900, Idle: 900}, Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(0.1 * float64(n+k+1)), Idle: 0.07},
		})
	}
	return rec
}

// lakeManifest is the manifest of a day; nil: there is none yet.
func lakeManifest(t *testing.T, bucket string, at time.Time) *lake.Manifest {
	t.Helper()
	day := lake.Day(at.Format(time.DateOnly))
	text, err := os.ReadFile(filepath.Join(bucket, lake.ManifestPath("harwell", day)))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := lake.DecodeManifest(text, "harwell", day)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// arrowSum adds up columns of a Parquet file as Apache Arrow reads it.
func arrowSum(t *testing.T, name string, columns ...string) (sum float64) {
	t.Helper()
	r, err := file.OpenParquetFile(name, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for g := range r.NumRowGroups() {
		for _, column := range columns {
			at := r.MetaData().Schema.ColumnIndexByName(column)
			chunk, err := r.RowGroup(g).Column(at)
			if err != nil {
				t.Fatal(err)
			}
			values, defined, repeated := make([]float64, 1000), make([]int16, 1000), make([]int16, 1000)
			for more := true; more; {
				_, n, err := chunk.(*file.Float64ColumnChunkReader).ReadBatch(1000, values, defined, repeated)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range values[:n] {
					sum += v
				}
				more = n > 0
			}
		}
	}
	return sum
}
