// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package exporter

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// slack is by how much something may grow faster than what it depends on: fixed costs and caches
// make small sizes look cheap or dear.
const slack = 1.5

// figures are what is measured of one size, by unit.
type figures map[string]float64

// grow measures sizes, each ten times the one before, and fails where a figure grows more than
// tenfold and some.
func grow(b *testing.B, what string, sizes []int, measure func(b *testing.B, size int) figures) {
	var was figures
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%s-%d", what, size), func(b *testing.B) {
			for b.Loop() {
				is := measure(b, size)
				for unit, v := range is {
					b.ReportMetric(v, unit)
					if before := was[unit]; before > 0 && v > 10*slack*before {
						b.Errorf("ten times the %s take %.1f times the %s: %.4g and not %.4g; all figures: %v, before %v", what, v/before, unit, v, before, is, was)
					}
				}
				was = is
			}
		})
	}
}

// BenchmarkGrowth catches up with a day of ever more hosts, of which each is a key, in the real
// program; five hosts have one user, and fifty one project.
func BenchmarkGrowth(b *testing.B) {
	program := compiled(b, "carbon_exporter")
	grow(b, "hosts", []int{1_000, 10_000, 100_000}, func(b *testing.B, hosts int) figures {
		server := httptest.NewServer(&scraped.Multitude{Hosts: hosts, Users: hosts / 5, Projects: hosts / 50, Machines: 7})
		defer server.Close()
		dir := b.TempDir()
		p := launch(b, program, dir, server.URL)
		p.until(b, wholeDay)
		scrape := p.scrape(b)
		cpu, peak := p.end(b)
		return figures{"cpu-s/day": cpu, "max-rss-MB": peak, "file-MB": fileMB(b, dir), "scrape-s": scrape}
	})
}

// BenchmarkUsers has ever more users on as many hosts.
func BenchmarkUsers(b *testing.B) {
	program := compiled(b, "carbon_exporter")
	grow(b, "users", []int{10, 100, 1_000, 10_000}, func(b *testing.B, users int) figures {
		server := httptest.NewServer(&scraped.Multitude{Hosts: 10_000, Users: users, Projects: 100, Machines: 7})
		defer server.Close()
		dir := b.TempDir()
		p := launch(b, program, dir, server.URL)
		p.until(b, wholeDay)
		cpu, peak := p.end(b)
		return figures{"cpu-s/day": cpu, "max-rss-MB": peak, "file-MB": fileMB(b, dir)}
	})
}

// BenchmarkYears starts the real program on stores of ever more days of 200 keys, and asks it for
// a month.
func BenchmarkYears(b *testing.B) {
	program := compiled(b, "carbon_exporter")
	grow(b, "days", []int{4, 40, 400}, func(b *testing.B, days int) figures {
		dir := b.TempDir()
		month := fill(b, filepath.Join(dir, "carbon.db"), days, 200)
		began := time.Now()
		p := launch(b, program, dir, "http://127.0.0.1:1")
		p.until(b, someUsage)
		start := time.Since(began).Seconds()
		scrape := p.scrape(b)
		began = time.Now()
		p.get(b, "/api/v1/report?from="+month.From.Format(time.DateOnly)+"&to="+month.To.Format(time.DateOnly))
		report := time.Since(began).Seconds()
		_, peak := p.end(b)
		return figures{"start-s": start, "scrape-s": scrape, "report-s": report, "max-rss-MB": peak, "file-MB": fileMB(b, dir)}
	})
}

// fill makes a store of some days of some keys, and returns its last month.
func fill(b *testing.B, path string, days, keys int) usage.Period {
	b.Helper()
	defaults := config.Default()
	s, err := store.Open(b.Context(), path, store.Options{
		Exclusive: true, Interval: 30 * time.Minute, Timezone: defaults.Location(), // or all days are added up anew at the start
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	last := usage.FloorEpoch(time.Now(), 24*time.Hour)
	for day := last.Add(-time.Duration(days) * 24 * time.Hour); day.Before(last); day = day.Add(24 * time.Hour) {
		var run []usage.Interval
		for i := usage.IntervalAt(day, 30*time.Minute); i.Start.Before(day.Add(24 * time.Hour)); i = i.Next() {
			run = append(run, i)
		}
		if _, err := s.Update(context.Background(), run, func(was usage.Stored) (usage.Record, usage.Policy, error) {
			return settledBy(was.Interval, keys), usage.Policy{Answered: true}, nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	return usage.Period{From: last.Add(-min(time.Duration(days), 30) * 24 * time.Hour), To: last}
}

// settledBy is an interval in which some keys used as much as the one before, and a little more.
func settledBy(i usage.Interval, keys int) usage.Record {
	rec := usage.Record{
		Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End(),
		Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{
			Intensity: 200, Kind: usage.Actual, Quality: usage.QualityFinal, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End(),
		}}},
	}
	rec.Coverage = map[string]usage.Coverage{}
	for p := range min(keys, 50) {
		rec.Coverage[fmt.Sprint("p", p)] = usage.Coverage{Seen: 1700, Capacity: 1800}
	}
	for m := range min(keys, 7) {
		rec.Ratings = append(rec.Ratings, usage.Rating{Machine: fmt.Sprint("m", m), Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"})
	}
	for k := range keys {
		rec.Facts = append(rec.Facts, usage.Fact{
			Key:    usage.Key{Project: fmt.Sprint("p", k%50), Machine: fmt.Sprint("m", k%7), User: fmt.Sprint("u", k), Group: fmt.Sprint("p", k%50)},
			Start:  i.Start,
			CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(600 + k), Idle: usage.CPUSeconds(1200)},
			Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(0.01 + float64(k)/1e6), Idle: 0.002},
		})
	}
	return rec
}
