// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

// someFacts are rows of which every column has a value in some and none in others.
func someFacts(n int) []Fact {
	rows := make([]Fact, n)
	for i := range rows {
		rows[i] = Fact{
			Start: noon.Add(time.Duration(i) * time.Minute), Seconds: 1800, Project: fmt.Sprintf("project-%d", i%7), Machine: "Muon", User: "u1", Group: "ISIS",
			BusyCPUSeconds: float64(i) / 3, IdleKWh: math.Pi * float64(i), PUE: 1.2, State: "settled",
		}
		if i%2 == 1 {
			rows[i].BusyGrams, rows[i].Provider = new(float64(i)), new("uk")
			rows[i].Devices = []Device{{Name: "gpu", KWh: 0.25}, {Name: "nic", KWh: 0.5, Error: new(0.1)}}
		}
	}
	return rows
}

func write[T Row](t *testing.T, rows []T, atOnce int) ([]byte, Object) {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter[T](&out)
	for len(rows) > 0 {
		n := min(atOnce, len(rows))
		if err := w.Write(rows[:n]); err != nil {
			t.Fatal(err)
		}
		rows = rows[n:]
	}
	o, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), o
}

func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	facts := someFacts(rowsPerGroup + 10) // two row groups
	text, o := write(t, facts, 100)
	if o.Bytes != int64(len(text)) || o.Rows != int64(len(facts)) {
		t.Errorf("%d bytes and %d rows are told as %+v", len(text), len(facts), o)
	}
	i := 0
	if err := Read(bytes.NewReader(text), o.Bytes, func(f Fact) error {
		if i < len(facts) && !reflect.DeepEqual(f, facts[i]) {
			return fmt.Errorf("row %d is %+v, want %+v", i, f, facts[i])
		}
		i++
		return nil
	}); err != nil || i != len(facts) {
		t.Errorf("read %d rows of %d: %v", i, len(facts), err)
	}
}

func TestTheSameRowsMakeTheSameBytes(t *testing.T) {
	facts := someFacts(5000)
	once, o := write(t, facts, 5000)
	again, p := write(t, facts, 7)
	if !bytes.Equal(once, again) || o != p {
		t.Errorf("written at once and in parts: %+v and %+v", o, p)
	}
	facts[4999].IdleKWh = math.Nextafter(facts[4999].IdleKWh, 0)
	if _, p := write(t, facts, 5000); p.Same(o) || p.SHA256 == o.SHA256 {
		t.Error("one bit of one number makes no difference")
	}
}

func TestNoRows(t *testing.T) {
	text, o := write[Member](t, nil, 1)
	if o.Rows != 0 || o.Content == "" {
		t.Errorf("no rows are %+v", o)
	}
	if err := Read(bytes.NewReader(text), o.Bytes, func(Member) error { return fmt.Errorf("there is a row") }); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoNumberIsRefused(t *testing.T) {
	w := NewWriter[Member](&bytes.Buffer{})
	if err := w.Write([]Member{{BusyKWh: math.NaN()}}); err == nil {
		t.Error("NaN was written")
	}
}

func TestWhatIsNoParquetIsAnError(t *testing.T) {
	text, _ := write(t, someFacts(100), 100)
	for name, broken := range map[string][]byte{
		"empty": nil, "cut": text[:len(text)/2], "other": bytes.Repeat([]byte("x"), 1000),
	} {
		if err := Read(bytes.NewReader(broken), int64(len(broken)), func(Fact) error { return nil }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// An interval of an hour has two pieces, with prices of their own.
func record() usage.Record {
	key := func(user string) usage.Key {
		return usage.Key{Project: "IDAaaS", Machine: "Muon", User: user, Group: "ISIS"}
	}
	half := noon.Add(usage.SlotLength)
	rec := usage.Record{
		Interval: usage.Interval{Start: noon, Length: time.Hour}, State: usage.Settled, PUE: 1.1, PUEs: []float64{1.1, 1.3},
		Prices: []usage.PiecePrice{
			{Start: noon, Price: usage.Price{Intensity: 100, Kind: usage.Actual, Provider: "uk", Grid: "GB", Quality: usage.QualityFinal}},
			{Start: half, Price: usage.Price{Intensity: 200, Kind: usage.Forecast, Provider: "uk", Grid: "GB", Basis: usage.BasisOf("average direct")}},
		},
		Ratings:  []usage.Rating{{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 3}, Source: "config"}},
		Embodied: map[string]usage.GramsPerCoreHour{"Muon": 2},
	}
	for _, start := range []time.Time{half, noon} {
		for _, user := range []string{"b", "a"} {
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: key(user), Start: start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 1800, Idle: 1800},
				Energy: usage.ByMode[usage.KWh]{Busy: 2, Idle: 1, Measured: 4},
				Beside: &usage.Beside{Devices: []usage.DeviceEnergy{{Name: "gpu", Energy: 4}}, Memory: 7, MemoryEnergy: 0.5},
			})
		}
	}
	return rec
}

func TestAFactHasThePriceAndPUEOfItsPiece(t *testing.T) {
	rows := FactRows(record())
	if len(rows) != 4 || rows[0].User != "a" || rows[1].User != "b" || !rows[1].Start.Equal(noon) || !rows[2].Start.Equal(noon.Add(30*time.Minute)) {
		t.Fatalf("rows are not in order: %+v", rows)
	}
	first, last := rows[0], rows[3]
	if *first.BusyGrams != 200 || *first.MeasuredGrams != 400 || *first.Kind != "actual" || first.PUE != 1.1 || first.Basis != nil || *first.Quality != "final" {
		t.Errorf("the first half hour: %+v", first)
	}
	if *last.BusyGrams != 400 || *last.Intensity != 200 || last.PUE != 1.3 || *last.Basis != "average direct" || last.Quality != nil {
		t.Errorf("the second half hour: %+v", last)
	}
	if first.Seconds != 1800 || *first.EmbodiedGrams != 2 || *first.BusyWatts != 12 || first.Devices[0].Name != "gpu" || first.MemoryKWh != 0.5 {
		t.Errorf("what is the same for both: %+v", first)
	}
}

func TestUnknownIsNull(t *testing.T) {
	rec := record()
	rec.Prices, rec.Embodied, rec.Ratings = rec.Prices[:1], nil, nil
	row := FactRows(rec)[3]
	if row.BusyGrams != nil || row.IdleGrams != nil || row.MeasuredGrams != nil || row.Intensity != nil || row.EmbodiedGrams != nil || row.BusyWatts != nil {
		t.Errorf("what nobody knows has a value: %+v", row)
	}
	var add Adder
	add.Fact(row)
	if s := add.Sums().Facts; s.BusyGrams != nil || s.EmbodiedGrams != nil || s.BusyKWh != 2 {
		t.Errorf("it adds up to %+v", s)
	}
}
