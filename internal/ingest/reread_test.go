// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func rereading(s *Settings) { s.Lookback, s.RereadAfter = time.Hour, 3*time.Hour }

// pass lets time pass, with a round of each loop every half hour.
func (r *rig) pass(hours float64) {
	r.t.Helper()
	for range int(2 * hours) {
		r.now = r.now.Add(30 * time.Minute)
		r.both()
	}
}

// booked is the CPU time of the site in an interval.
func (r *rig) booked(i usage.Interval) (sum usage.CPUSeconds) {
	for _, f := range r.proof(i).Facts {
		sum += f.CPU.Total()
	}
	return sum
}

func TestWhatComesLateIsInAfterTheSecondReading(t *testing.T) {
	r, f := fleetRig(newRig(t, rereading))
	f.late(1, 0, 1.6, 2.5) // delivered two hours late
	first := usage.Interval{Start: start, Length: 30 * time.Minute}
	r.pass(1.5)
	if got := r.booked(first); !near(float64(got), 2*4*1800) {
		t.Fatalf("%v s are booked before it has come", got)
	}
	r.pass(3)
	if got := r.booked(first); !near(float64(got), 3*4*1800) {
		t.Errorf("%v s are booked after the second reading, want %v", got, 3*4*1800)
	}
	if a := r.proof(first).Attendance; a.Present["CLF"].Hosts != 2 || len(a.Doubts) > 0 {
		t.Errorf("there were %+v", a)
	}
}

// What has not changed costs a cheap question and no reading.
func TestASecondReadingIsCheapWhereNothingHasChanged(t *testing.T) {
	r, f := fleetRig(newRig(t, rereading))
	r.both()
	r.pass(12)
	if want := 1 + 2*12; f.reads != want || f.asked != 2+2*(12-3) {
		t.Errorf("%d full readings and %d cheap questions, want %d and %d", f.reads, f.asked, want, 2+2*(12-3))
	}
	if run, err := r.store.ToReread(t.Context(), r.now, 5*time.Hour, 99); err != nil || len(run) != 0 {
		t.Errorf("%+v are due again, %v", run, err)
	}
	// What is first read when it is older is read once.
	r, f = fleetRig(newRig(t, func(s *Settings) { rereading(s); s.Lookback = 24 * time.Hour }))
	r.both()
	r.pass(4)
	if f.intervals != 48+8 || f.asked > 8 {
		t.Errorf("%d intervals were read and %d questions asked, want each once", f.intervals, f.asked)
	}
	// It can be turned off, also for what waits for it.
	set := r.spine.current()
	set.RereadAfter = 0
	r.spine.Reload(set)
	f.asked = 0
	r.pass(4)
	if f.asked != 0 {
		t.Errorf("%d questions although it is off", f.asked)
	}
}

// The stretch that a hole has hidden is read again as one, when it has ended, and
// only then.
func TestTheEndOfAHoleIsReadOnce(t *testing.T) {
	r, f := fleetRig(newRig(t, func(s *Settings) { rereading(s); s.RereadAfter = 0 }))
	f.late(1, 0.2, 4.3, 0) // never delivered
	r.pass(4)
	was := f.intervals
	if got := r.booked(usage.Interval{Start: start.Add(time.Hour), Length: 30 * time.Minute}); !near(float64(got), 2*4*1800) {
		t.Fatalf("%v s are booked in the hole", got)
	}
	reads := f.reads
	r.pass(3.5)
	if n := f.intervals - was; n != 7+8 {
		t.Errorf("%d intervals were read, want the new ones and those in the hole once", n)
	}
	if n := f.reads - reads; n != 7+1 {
		t.Errorf("they were read in %d readings, want those in the hole together", n)
	}
	var sum usage.CPUSeconds
	for n := range 10 {
		sum += r.booked(usage.Interval{Start: start.Add(time.Duration(n) * 30 * time.Minute), Length: 30 * time.Minute})
	}
	if want := 3 * 4 * 5 * 3600.0; !near(float64(sum), want) {
		t.Errorf("%v s are booked over the hole, want %v", sum, want)
	}
}

// An interval does not settle before its second reading, but not for ever.
func TestASourceThatIsAwayDoesNotKeepIntervalsOpenForEver(t *testing.T) {
	r, f := fleetRig(newRig(t, func(s *Settings) { rereading(s); s.SettleAfter = 4 * time.Hour }))
	r.both()
	first := usage.Interval{Start: start.Add(-time.Hour), Length: 30 * time.Minute}
	f.fault = func() error { return &usage.Failure{Reason: usage.ReasonConnection} }
	wait := func(hours float64) usage.State {
		r.now = r.now.Add(time.Duration(hours * float64(time.Hour)))
		r.energy() //nolint:errcheck // it is away
		r.carbon() //nolint:errcheck // likewise
		return r.proof(first).State
	}
	if state := wait(5); state != usage.Provisional {
		t.Errorf("an interval that is yet to be read again is %s", state)
	}
	if state := wait(2); state != usage.Settled {
		t.Errorf("an interval whose source is away for hours is %s", state)
	}
	// The others are read again, and settle, when the source is back.
	f.fault = nil
	r.now = r.now.Add(11 * time.Minute)
	r.both()
	r.both()
	if n := r.states()[usage.Settled]; n < 2 {
		t.Errorf("%d have settled", n)
	}
}

func TestASecondReadingThatFailsIsNoDam(t *testing.T) {
	r, f := fleetRig(newRig(t, rereading))
	r.both()
	r.pass(2)
	hot := 0
	f.fault = func() error {
		hot++
		return &usage.Failure{Reason: usage.ReasonServer, Status: 500}
	}
	r.now = r.now.Add(25 * time.Minute)
	for range 100 {
		r.energy() //nolint:errcheck // failing is the point
	}
	if hot > 3 {
		t.Errorf("%d questions at once to a source that fails", hot)
	}
	// One interval fails each time: the others are read again, and the new ones are read.
	bad := start.Add(-30 * time.Minute)
	broken := &picky{fleet: f, bad: bad}
	set := r.spine.current()
	set.Source = broken
	r.spine.Reload(set)
	r.live.again.waitNoMore()
	f.fault = nil
	for range 80 {
		r.now = r.now.Add(5 * time.Minute)
		if err := r.energy(); err != nil {
			t.Fatal(err)
		}
	}
	left, err := r.store.RereadDue(t.Context(), usage.Period{From: start.Add(-2 * time.Hour), To: r.now}, r.now.Add(2*time.Hour))
	if err != nil || !left[bad] {
		t.Errorf("%v, %v: the one that fails is not asked for any more", left, err)
	}
	if late, err := r.store.RereadDue(t.Context(), usage.Period{From: start, To: start.Add(2 * time.Hour)}, r.now); err != nil || len(late) != 0 {
		t.Errorf("%v wait behind it, %v", late, err)
	}
	if n := r.states()[usage.Missing]; n != 0 {
		t.Errorf("%d are missing", n)
	}
	if broken.refused > 40 {
		t.Errorf("it was asked %d times in seven hours for what it refuses", broken.refused)
	}
}

// picky is a fleet that cannot say who was there in one interval.
type picky struct {
	*fleet
	bad     time.Time
	refused int
}

func (p *picky) Present(ctx context.Context, run []usage.Interval) ([]map[string]usage.Presence, error) {
	for _, i := range run {
		if i.Start.Equal(p.bad) {
			p.refused++
			return nil, &usage.Failure{Reason: usage.ReasonServer, Status: 500, Detail: "bad block"}
		}
	}
	return p.fleet.Present(ctx, run)
}

// A command that fills in a range reads again what is due, as the exporter would.
func TestABackfillReadsASecondTime(t *testing.T) {
	r, f := fleetRig(newRig(t, rereading))
	f.late(1, 0, 1, 2)
	r.now = start.Add(time.Hour + 3*time.Minute)
	r.mustBackfill(hours(0, 1))
	r.now = start.Add(5 * time.Hour)
	done := r.mustBackfill(hours(0, 1))
	if n := done.Stored[usage.Provisional]; n != 2 {
		t.Errorf("%+v", done)
	}
	if got := r.booked(usage.Interval{Start: start, Length: 30 * time.Minute}); !near(float64(got), 3*4*1800) {
		t.Errorf("%v s are booked, want %v", got, 3*4*1800)
	}
	if done := r.mustBackfill(hours(0, 1)); done.Had != 2 {
		t.Errorf("once more: %+v", done)
	}
}

// What a hole has hidden, and is due again, does not settle before it is read.
func TestAnIntervalInAHoleDoesNotSettleBeforeItIsRead(t *testing.T) {
	r, f := fleetRig(newRig(t, func(s *Settings) { rereading(s); s.RereadAfter, s.SettleAfter = time.Minute, 2*time.Hour }))
	f.late(1, 0.2, 1.8, 0)
	r.pass(1.5)
	first := usage.Interval{Start: start, Length: 30 * time.Minute}
	was := r.booked(first)
	set := r.spine.current()
	r.now = r.now.Add(30 * time.Minute)
	due := usage.Due{Interval: usage.Interval{Start: start.Add(90 * time.Minute), Length: 30 * time.Minute}, State: usage.Missing}
	if _, err := r.live.collector.collect(t.Context(), set, []usage.Due{due}, treatLive); err != nil {
		t.Fatal(err)
	}
	r.now = start.Add(150*time.Minute + 20*time.Second) // its price is final, and the source has had a minute
	if err := r.carbon(); err != nil {
		t.Fatal(err)
	}
	if p := r.proof(first); p.State != usage.Provisional {
		t.Fatalf("it is %s", p.State)
	}
	r.both()
	if p := r.proof(first); p.State != usage.Settled || r.booked(first) <= was {
		t.Errorf("it is %s with %v s, before it had %v", p.State, r.booked(first), was)
	}
}
