// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"math"
	"testing"
	"time"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Max(math.Abs(a), math.Abs(b)) }

func TestEnergyOfCPUSeconds(t *testing.T) {
	for _, c := range []struct {
		name       string
		watts      BusyIdle[Watts]
		busy, idle CPUSeconds
		want       KWh
	}{
		{"ten cores half an hour, a quarter of it busy", BusyIdle[Watts]{12, 1}, 18000, 54000, 0.075},
		{"a busy core of 12 W for an hour", BusyIdle[Watts]{12, 1}, 3600, 0, 0.012},
		{"an idle core of 1 W for an hour", BusyIdle[Watts]{12, 1}, 0, 3600, 0.001},
		{"half an hour of each", BusyIdle[Watts]{12, 1}, 1800, 1800, 0.0065},
		{"eight busy core hours", BusyIdle[Watts]{12, 1}, 28800, 0, 0.096},
		{"an idle day", BusyIdle[Watts]{12, 1}, 0, 86400, 0.024},
		{"20 W and 5 W, an hour of each", BusyIdle[Watts]{20, 5}, 3600, 3600, 0.025},
		{"steal is in neither mode: 900 s busy, 1800 s idle", BusyIdle[Watts]{12, 1}, 900, 1800, 0.0035},
		{"the host of the old system's own example", BusyIdle[Watts]{12, 1}, 537.45, 287239.26, (12*537.45 + 287239.26) / 3_600_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ByMode[KWh]{Busy: c.watts.Busy.For(c.busy), Idle: c.watts.Idle.For(c.idle)}.Total()
			if !near(float64(got), float64(c.want)) {
				t.Errorf("got %v kWh, want %v", got, c.want)
			}
		})
	}
}

func TestGramsOfEnergy(t *testing.T) {
	of := func(busy, idle CPUSeconds) ByMode[KWh] {
		return ByMode[KWh]{Busy: Watts(12).For(busy), Idle: Watts(1).For(idle)}
	}
	for _, c := range []struct {
		name      string
		got, want float64
		within    float64
	}{
		{"0.13 kWh at 45", float64(KWh(0.13).At(45)), 5.85, 1e-12},
		{"0.075 kWh at 45", float64(KWh(0.075).At(45)), 3.375, 1e-12},
		{"1000 busy seconds at 185", float64(of(1000, 0).Busy.At(185)), 0.616667, 5e-7},
		{"5000 idle seconds at 185", float64(of(0, 5000).Idle.At(185)), 0.256944, 5e-7},
		{"energy of 537.45 busy and 287239.26 idle seconds", float64(of(537.45, 287239.26).Total()), 0.0815801833, 5e-11},
		{"the same at 231.5", float64(of(537.45, 287239.26).Total().At(231.5)), 18.8858124, 5e-8},
		{"half hour by half hour, not by the mean of an hour", float64(KWh(0.10).At(250) + KWh(0.02).At(100)), 27, 1e-12},
		{"a host that changed hands at minute 10: the first user", float64(KWh(0.0065) * 10 / 30), 0.00216667, 5e-9},
		{"and the second", float64(KWh(0.0065) * 20 / 30), 0.00433333, 5e-9},
	} {
		t.Run(c.name, func(t *testing.T) {
			if math.Abs(c.got-c.want) > c.within {
				t.Errorf("got %v, want %v", c.got, c.want)
			}
		})
	}
}

func TestRates(t *testing.T) {
	if got := KWh(0.006).Over(30 * time.Minute); !near(float64(got), 12) {
		t.Errorf("0.006 kWh in half an hour are %v W, want 12", got)
	}
	if got := Grams(3).PerHour(30 * time.Minute); !near(got, 6) {
		t.Errorf("3 g in half an hour are %v g/h, want 6", got)
	}
}

func TestQuantitiesAddModeByMode(t *testing.T) {
	if got := (BusyIdle[CPUSeconds]{1, 2}).Plus(BusyIdle[CPUSeconds]{10, 20}); got != (BusyIdle[CPUSeconds]{11, 22}) || got.Total() != 33 {
		t.Errorf("got %v, total %v", got, got.Total())
	}
	got := ByMode[KWh]{1, 2, 3}.Plus(ByMode[KWh]{10, 20, 30})
	if got != (ByMode[KWh]{11, 22, 33}) || got.Total() != 66 {
		t.Errorf("got %v, total %v", got, got.Total())
	}
}

func TestPriceOfASlot(t *testing.T) {
	forecast, actual, zero := GramsPerKWh(180), GramsPerKWh(175), GramsPerKWh(0)
	at := time.Date(2025, 9, 11, 10, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		name             string
		forecast, actual *GramsPerKWh
		want             GramsPerKWh
		kind             Kind
		priced           bool
	}{
		{"nothing known is no price, not 0", nil, nil, 0, "", false},
		{"only a forecast", &forecast, nil, 180, Forecast, true},
		{"only an actual", nil, &actual, 175, Actual, true},
		{"the actual wins", &forecast, &actual, 175, Actual, true},
		{"an actual of 0 is known", &forecast, &zero, 0, Actual, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			slot := Slot{From: at, Forecast: c.forecast, Actual: c.actual, Provider: "uk", Grid: "GB", FetchedAt: at.Add(time.Hour)}
			p, ok := slot.Price()
			if ok != c.priced || p.Intensity != c.want || p.Kind != c.kind {
				t.Fatalf("got %+v, %v", p, ok)
			}
			if ok && (p.Provider != "uk" || p.Grid != "GB" || !p.SlotFrom.Equal(at) || !p.FetchedAt.Equal(at.Add(time.Hour))) {
				t.Errorf("does not say where it is from: %+v", p)
			}
		})
	}
}

func TestKeysAreOrderedFieldByField(t *testing.T) {
	keys := []Key{{}, {Group: "z"}, {User: "a"}, {Machine: "a"}, {Machine: "a", User: "b"}, {Project: "a"}, {Project: "a", Group: "b"}, {Project: "b"}}
	for i, a := range keys {
		for j, b := range keys {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%+v to %+v: %d, want %d", a, b, got, want)
			}
		}
	}
}
