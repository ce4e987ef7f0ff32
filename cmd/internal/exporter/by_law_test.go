// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestSettledCountersNeverFallWhicheverLabelsThereAre: a settled counter never falls below what the
// same series has shown before, while labels, users and retention change with reloads to and fro,
// intervals settle, are restated with less or with nothing for some keys, people are forgotten, old
// rows are pruned, and the exporter starts again.
func TestSettledCountersNeverFallWhicheverLabelsThereAre(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 9))
			config := configFile(t, "")
			path := storage(t)
			d, _ := preparedOn(t, path, "--config.file="+config)
			d.caughtUp.Store(true)
			l := law{random: random, first: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -60), most: map[string]float64{}}
			for step := range 80 {
				switch random.IntN(10) {
				case 0, 1, 2:
					text := configText(l.settings())
					write(t, config, text)
					if err := d.reload(t.Context()); err != nil {
						t.Fatal(err)
					}
				case 3:
					if _, _, err := d.store.Forget(t.Context(), fmt.Sprint("u", random.IntN(5))); err != nil {
						t.Fatal(err)
					}
				case 4:
					if _, err := d.store.Prune(t.Context(), time.Now(), time.Duration(1+random.IntN(30))*24*time.Hour, ""); err != nil {
						t.Fatal(err)
					}
				case 5:
					if err := d.store.Close(); err != nil {
						t.Fatal(err)
					}
					d, _ = preparedOn(t, path, "--config.file="+config)
					d.caughtUp.Store(true)
				default:
					l.commit(t, d)
				}
				if err := d.publish(t.Context()); err != nil {
					t.Fatal(err)
				}
				l.hold(t, d, step)
			}
			if l.held < 100 {
				t.Errorf("only %d comparisons", l.held)
			}
		})
	}
}

type law struct {
	random *rand.Rand
	first  time.Time
	next   int
	stored []int
	most   map[string]float64
	held   int
}

// settings are lines of a configuration.
func (l *law) settings() string {
	by := slices.DeleteFunc([]string{"project", "machine", "user", "group"}, func(string) bool { return l.random.IntN(2) == 0 })
	return fmt.Sprintf("metrics: {by: [%s], keep: %dd}\nattribution: {max_users: %d}\n",
		strings.Join(by, ", "), 20+l.random.IntN(50), l.random.IntN(4))
}

// commit stores a settled interval, or another answer for one.
func (l *law) commit(t *testing.T, d *daemon) {
	policy := usage.Policy{}
	l.next += 1 + l.random.IntN(60)
	n := l.next
	if again := len(l.stored) > 0 && l.random.IntN(2) == 0; again {
		n = l.stored[l.random.IntN(len(l.stored))]
		policy = usage.Policy{Restate: true, Why: usage.BecauseRestate}
	} else {
		l.stored = append(l.stored, n)
	}
	i := usage.IntervalAt(l.first.Add(time.Duration(n)*usage.SlotLength), usage.SlotLength)
	rec := usage.Record{
		Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End(),
		Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{
			Intensity: usage.GramsPerKWh(50 + l.random.IntN(200)), Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End(),
		}}},
		Ratings: []usage.Rating{{Machine: "m0", Source: "default"}, {Machine: "m1", Source: "default"}},
	}
	seen := map[usage.Key]bool{}
	for range 1 + l.random.IntN(5) {
		k := usage.Key{
			Project: fmt.Sprint("p", l.random.IntN(3)), Machine: fmt.Sprint("m", l.random.IntN(2)),
			User: fmt.Sprint("u", l.random.IntN(5)), Group: fmt.Sprint("g", l.random.IntN(2)),
		}
		if seen[k] {
			continue
		}
		seen[k] = true
		rec.Facts = append(rec.Facts, usage.Fact{
			Key: k, Start: i.Start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 1800},
			Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(l.random.Float64()), Idle: usage.KWh(l.random.Float64() / 8)},
		})
	}
	for j := range rec.Prices {
		rec.Prices[j].Quality = usage.QualityFinal
	}
	policy.Answered = true
	if _, err := d.store.Update(t.Context(), []usage.Interval{i}, func(usage.Stored) (usage.Record, usage.Policy, error) {
		return rec, policy, nil // one whose rows were pruned stays as it is
	}); err != nil {
		t.Fatal(err)
	}
}

// hold compares a scrape with all before.
func (l *law) hold(t *testing.T, d *daemon, step int) {
	w := httptest.NewRecorder()
	d.exposition.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		series, number, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !strings.HasPrefix(series, "carbon_settled_") {
			continue
		}
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatal(err)
		}
		if was, there := l.most[series]; there {
			l.held++
			if v < was-1e-12*math.Abs(was) {
				cfg, _ := d.current()
				t.Fatalf("step %d, by %v, max_users %d: %s falls from %v to %v", step, cfg.Metrics.By, cfg.Attribution.MaxUsers, series, was, v)
			}
		}
		l.most[series] = v
	}
}
