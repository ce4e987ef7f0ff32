// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"math"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestKnownWattsAreFoundExactly(t *testing.T) {
	for _, c := range []struct {
		name string
		site site
	}{
		{"one host in half a day", site{hosts: 1, intervals: 24, cores: 4, watts: watts(12, 1), least: 0.1, most: 0.6}},
		{"many hosts", site{hosts: 20, intervals: 48, cores: 2, watts: watts(9.5, 1.25), least: 0, most: 1}},
		{"a machine that is hardly used", site{hosts: 3, intervals: 48, cores: 64, watts: watts(5.3, 1.27), least: 0.01, most: 0.05}},
		{"idle cores that draw nothing", site{hosts: 1, intervals: 48, cores: 8, watts: watts(7, 0), least: 0.1, most: 0.6}},
		{"idle cores that draw as much as busy ones", site{hosts: 2, intervals: 48, cores: 8, watts: watts(7, 7), least: 0.1, most: 0.6}},
		{"milliwatts", site{hosts: 1, intervals: 48, cores: 8, watts: watts(0.007, 0.001), least: 0.1, most: 0.6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fit, err := Learn(c.site.observe(1))
			if err != nil {
				t.Fatal(err)
			}
			want := c.site.watts
			if !near(fit.Watts.Busy, want.Busy, 1e-9) || math.Abs(float64(fit.Watts.Idle-want.Idle)) > 1e-9*float64(want.Busy) {
				t.Errorf("found %v, want %v", fit.Watts, want)
			}
			if fit.Error > 1e-9 || fit.RMSE > 1e-9*fit.MeanPower || fit.RSquared < 1-1e-9 {
				t.Errorf("of an exact fit the error is %v, RMSE %v of %v, R² %v", fit.Error, fit.RMSE, fit.MeanPower, fit.RSquared)
			}
			if fit.Observations != c.site.hosts*c.site.intervals || fit.Intervals != c.site.intervals || fit.Hosts != c.site.hosts {
				t.Errorf("of %d hosts and %d intervals it says %+v", c.site.hosts, c.site.intervals, fit)
			}
		})
	}
}

// TestTheErrorIsWhatItSays draws many measurements of the same machines and counts
// how often the truth lies within two standard errors: of a normal distribution,
// 95 in 100 times.
func TestTheErrorIsWhatItSays(t *testing.T) {
	const draws = 200
	for _, c := range []struct {
		name string
		site site
	}{
		{"each interval by itself", site{hosts: 4, intervals: 96, noise: 0.05}},
		{"one series, a week", site{hosts: 1, intervals: 336, noise: 0.05}},
		{"hosts that are not alike", site{hosts: 40, intervals: 48, noise: 0.01, hostNoise: 0.05}},
		{"days that are not alike", site{hosts: 2, intervals: 48 * 20, noise: 0.01, dayNoise: 0.05}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.site
			s.cores, s.watts, s.least, s.most = 8, watts(9.5, 1.25), 0.05, 0.7
			var busy, idle, energy int
			for seed := range int64(draws) {
				all := s.observe(seed)
				fit, err := Learn(all)
				if err != nil {
					t.Fatal(err)
				}
				var said, truly usage.KWh
				for _, o := range all {
					said += fit.Watts.Busy.For(o.CPU.Busy) + fit.Watts.Idle.For(o.CPU.Idle)
					truly += s.watts.Busy.For(o.CPU.Busy) + s.watts.Idle.For(o.CPU.Idle)
				}
				count := func(n *int, off, sigma float64) {
					if math.Abs(off) <= 2*sigma {
						*n++
					}
				}
				count(&busy, float64(fit.Watts.Busy-s.watts.Busy), float64(fit.StdError.Busy))
				count(&idle, float64(fit.Watts.Idle-s.watts.Idle), float64(fit.StdError.Idle))
				count(&energy, float64(said/truly-1), fit.Error)
			}
			for what, n := range map[string]int{"busy watts": busy, "idle watts": idle, "energy": energy} {
				if n < draws*88/100 {
					t.Errorf("%s are within two standard errors in %d of %d draws", what, n, draws)
				}
			}
			if energy == draws {
				t.Errorf("energy is always within two standard errors: they are too wide")
			}
		})
	}
}

func TestNoNumberIsNegative(t *testing.T) {
	s := site{hosts: 1, intervals: 96, cores: 8, least: 0.1, most: 0.6}
	for _, c := range []struct {
		name   string
		watts  usage.BusyIdle[usage.Watts] // that the free fit would find
		atZero usage.Mode
	}{
		{"neither", watts(9, 0.5), ""},
		{"idle on the border", watts(9, 0), ""},
		{"idle below it", watts(9, -0.5), usage.Idle},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.watts = c.watts
			fit, err := Learn(s.observe(3))
			if err != nil {
				t.Fatal(err)
			}
			if fit.Watts.Busy <= 0 || fit.Watts.Idle < -1e-9 {
				t.Errorf("found %v", fit.Watts)
			}
			if c.watts.Idle == 0 {
				return // on the border rounding decides
			}
			if fit.AtZero != c.atZero || math.IsNaN(float64(fit.StdError.Idle)) != (c.atZero != "") || math.IsNaN(float64(fit.StdError.Busy)) {
				t.Errorf("held at 0: %q, want %q; standard errors %v", fit.AtZero, c.atZero, fit.StdError)
			}
		})
	}
	t.Run("busy below it is not believed", func(t *testing.T) {
		s.watts = watts(-0.5, 9)
		if _, err := Learn(s.observe(3)); err == nil || !strings.Contains(err.Error(), "does not grow with busy time") {
			t.Errorf("got %v", err)
		}
	})
}

// TestNoBetterFitIsNegative searches around the solution: nothing that is allowed
// comes nearer to the measurement.
func TestNoBetterFitIsNegative(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	for seed := range int64(200) {
		s := site{
			hosts: 2, intervals: 20, cores: 4, least: 0.1, most: 0.9, noise: 0.3,
			watts: watts(usage.Watts(10*r.Float64()-2), usage.Watts(6*r.Float64()-2)),
		}
		all := s.observe(seed)
		x, y := columns(all)
		for i := range all {
			y.SetVec(i, math.Abs(y.AtVec(i)))
		}
		found := nonnegative(x, y)
		loss := func(busy, idle float64) (sum float64) {
			for i := range all {
				d := y.AtVec(i) - busy*x.At(i, 0) - idle*x.At(i, 1)
				sum += d * d
			}
			return sum
		}
		best := loss(found.watts[0], found.watts[1])
		if found.watts[0] < 0 || found.watts[1] < 0 {
			t.Fatalf("seed %d: found %v", seed, found.watts)
		}
		for range 300 {
			step := math.Pow(10, -4*r.Float64())
			busy, idle := max(0, found.watts[0]+step*r.NormFloat64()), max(0, found.watts[1]+step*r.NormFloat64())
			if l := loss(busy, idle); l < best*(1-1e-12) {
				t.Fatalf("seed %d: %v and %v W leave %v, the solution %v leaves %v", seed, busy, idle, l, found.watts, best)
			}
		}
	}
}

func TestWhatIsNotLearnedFrom(t *testing.T) {
	good := site{hosts: 2, intervals: 48, cores: 4, watts: watts(12, 1), least: 0.1, most: 0.6}
	with := func(change func(*site)) []Observation {
		s := good
		change(&s)
		return s.observe(7)
	}
	all := func(change func(*Observation)) []Observation {
		of := good.observe(7)
		for i := range of {
			change(&of[i])
		}
		return of
	}
	r := rand.New(rand.NewSource(8))
	for _, c := range []struct {
		name string
		of   []Observation
		want string
	}{
		{"nothing", nil, "0 intervals have both CPU time and measured power, but at least 12 are needed; a longer range would help"},
		{"an hour of many hosts", with(func(s *site) { s.hosts, s.intervals = 50, 2 }), "2 intervals have both CPU time and measured power, but at least 12 are needed; a longer range would help"},
		{"a load that never changes", with(func(s *site) { s.least, s.most = 0.25, 0.25 }), "the share of busy time hardly varies: it is 25.00 % with a standard deviation of 0 %, so busy and idle watts cannot be told apart (the condition number is infinite, and the limit is 30); a range with more varied load would help"},
		{"a load that barely changes", with(func(s *site) { s.least, s.most = 0.30, 0.31 }), "the share of busy time hardly varies: it is 30.5"},
		{"never busy", with(func(s *site) { s.least, s.most = 0, 0 }), "the share of busy time hardly varies: it is 0.00 %"},
		{"never idle", with(func(s *site) { s.least, s.most = 1, 1 }), "the share of busy time hardly varies: it is 100.00 %"},
		{"a constant", all(func(o *Observation) { o.Power = 120 }), "the measured power is 120 W in every interval, whatever the load; it is a constant, not a measurement"},
		{"the power of others", all(func(o *Observation) { o.Power = usage.Watts(100 + r.NormFloat64()) }), ""},
		{"power that falls with load", with(func(s *site) { s.watts = watts(0, 10) }), "the measured power does not grow with busy time: the best fit is 0 W for a busy core and 10 W for an idle one; is it the power of these machines, at the same time?"},
		{"milliwatts", with(func(s *site) { s.watts = watts(12000, 1000) }), "the best fit is 1.2e+04 W for a busy core and 1000 W for an idle one, more than any core uses; the expression must be in watts (for a counter of joules, its rate)"},
		{"far too much scatter", with(func(s *site) { s.noise = 12 }), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Learn(c.of)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestAScatterThatHidesBusyWattsIsRefused(t *testing.T) {
	s := site{hosts: 1, intervals: 40, cores: 4, watts: watts(2, 1.9), least: 0.2, most: 0.4, noise: 0.5}
	refused := map[string]int{}
	for seed := range int64(100) {
		_, err := Learn(s.observe(seed))
		for _, why := range []string{"cannot be told from 0", "does not grow with busy time", "does not explain the measured power", "scatters too much"} {
			if err != nil && strings.Contains(err.Error(), why) {
				refused[why]++
			}
		}
	}
	// The others have a busy core at more than its 2 W, by chance.
	if refused["cannot be told from 0"] < 50 || refused["does not grow with busy time"] == 0 {
		t.Errorf("refused because: %v", refused)
	}
}

func TestTheOrderAndLengthOfIntervalsDoNotMatter(t *testing.T) {
	s := site{hosts: 3, intervals: 96, cores: 4, watts: watts(12, 1), least: 0.1, most: 0.6, noise: 0.05}
	want, err := Learn(s.observe(9))
	if err != nil {
		t.Fatal(err)
	}
	shuffled := s.observe(9)
	rand.New(rand.NewSource(10)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	short := s.observe(9)
	for i := range short { // the same power for a sixth of the time
		o := &short[i]
		o.Interval = usage.Interval{Start: october.Add(o.Interval.Start.Sub(october) / 6), Length: 5 * time.Minute}
		o.CPU.Busy, o.CPU.Idle = o.CPU.Busy/6, o.CPU.Idle/6
	}
	for name, of := range map[string][]Observation{"another order": shuffled, "short intervals": short} {
		got, err := Learn(of)
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.Watts.Busy, want.Watts.Busy, 1e-9) || !near(got.Watts.Idle, want.Watts.Idle, 1e-9) || math.Abs(got.RSquared-want.RSquared) > 1e-9 {
			t.Errorf("%s gives %+v, want %+v", name, got, want)
		}
	}
}
