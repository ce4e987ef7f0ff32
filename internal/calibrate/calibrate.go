// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package calibrate learns the average power of a machine type from measured power. It knows
// least squares and when not to trust them; it must not know where either side was measured or
// where an average is stored. Start with Learn; Pairs matches the two sides.
package calibrate

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Observation is what one host, or all hosts of a machine type together, used in an interval,
// and the mean power measured meanwhile.
type Observation struct {
	Host     string // empty: all hosts together
	Interval usage.Interval
	CPU      usage.BusyIdle[usage.CPUSeconds]
	Power    usage.Watts // of all cores
}

// Fit is the result of learning, and how certain it is.
type Fit struct {
	Watts    usage.BusyIdle[usage.Watts] // per core
	StdError usage.BusyIdle[usage.Watts] // of Watts; NaN for a mode that is fixed at 0
	// AtZero is the mode whose watts would be negative and are 0 instead; mostly none.
	AtZero usage.Mode
	// Error is the standard error of energy computed with Watts over a long time of the same
	// load, as a fraction. It evens out the scatter of single intervals (RMSE) and ignores
	// errors of the measurement itself.
	Error        float64
	RMSE         usage.Watts // in one observation
	RSquared     float64     // fraction of the variance of the power that is explained, at most 1
	MeanPower    usage.Watts // of one observation
	Observations int
	Intervals    int // distinct intervals
	Hosts        int // distinct hosts; 1 if all are treated as one
	Load         Load
}

// The limits for learning.
const (
	// minIntervals is the least number of distinct intervals.
	minIntervals = 12
	// maxCondition is the condition number of the two columns, scaled to length 1, above which
	// they cannot be told apart: 30 is what Belsley, Kuh and Welsch ("Regression Diagnostics",
	// 1980, chapter 3) call strong.
	maxCondition = 30
	// maxError is the largest standard error of the energy, as a fraction.
	maxError = 0.25
	// maxWatts is more than any core uses.
	maxWatts = 1000
)

// ErrTooLittle is wrapped by errors that more data may mend: a longer range, or more varied load.
// All others mean that what was measured is not the power of these machines in watts.
var ErrTooLittle = errors.New("too little to learn from")

// tooLittle is an ErrTooLittle that says what there is too little of.
type tooLittle struct{ text string }

func (e tooLittle) Error() string        { return e.text }
func (e tooLittle) Is(target error) bool { return target == ErrTooLittle }

func tooLittlef(format string, args ...any) error { return tooLittle{fmt.Sprintf(format, args...)} }

// Learn returns the non-negative watts per busy and per idle core that fit the measured power
// best, in the sense of least squares. There is no constant term: a core is always busy or
// idle, so both include what a machine always uses. The error says why nothing can be learned,
// and what would help.
func Learn(all []Observation) (Fit, error) {
	fit := Fit{Observations: len(all), Intervals: intervals(all), Hosts: hosts(all), Load: load(all)}
	if fit.Intervals < minIntervals {
		return Fit{}, tooLittlef("%d intervals have both CPU time and measured power, but at least %d are needed; a longer range would help", fit.Intervals, minIntervals)
	}
	if err := fit.Load.enough(); err != nil {
		return Fit{}, err
	}
	x, y := columns(all)
	fit.MeanPower = usage.Watts(mat.Sum(y) / float64(len(all)))
	around := variance(y)
	if around == 0 {
		return Fit{}, fmt.Errorf("the measured power is %.4g W in every interval, whatever the load; it is a constant, not a measurement", float64(fit.MeanPower))
	}
	s := nonnegative(x, y)
	fit.Watts = usage.BusyIdle[usage.Watts]{Busy: usage.Watts(s.watts[busyColumn]), Idle: usage.Watts(s.watts[idleColumn])}
	fit.AtZero = s.atZero()
	left := mat.Dot(s.residuals, s.residuals) / float64(len(all))
	fit.RMSE, fit.RSquared = usage.Watts(math.Sqrt(left)), 1-left/around
	fit.StdError, fit.Error = s.standardErrors(all)
	return fit, fit.believable()
}

// believable returns why a fit cannot be trusted.
func (f Fit) believable() error {
	switch {
	case f.Watts.Busy <= 0:
		return fmt.Errorf("the measured power does not grow with busy time: the best fit is 0 W for a busy core and %.4g W for an idle one; is it the power of these machines, at the same time?", float64(f.Watts.Idle))
	case max(f.Watts.Busy, f.Watts.Idle) > maxWatts:
		return fmt.Errorf("the best fit is %.4g W for a busy core and %.4g W for an idle one, more than any core uses; the expression must be in watts (for a counter of joules, its rate)", float64(f.Watts.Busy), float64(f.Watts.Idle))
	case f.RSquared <= 0:
		return fmt.Errorf("the load does not explain the measured power (R² is %.2f); is it the power of these machines, at the same time?", f.RSquared)
	case math.IsNaN(f.Error):
		return errors.New("the standard error of the energy is not known")
	case f.Error > maxError:
		return tooLittlef("the measured power scatters too much: energy computed from the fit has a standard error of %.0f %%, and the limit is %.0f %%; a longer range, or one with more varied load, would help", 100*f.Error, 100*maxError)
	case f.StdError.Busy > f.Watts.Busy/2:
		return tooLittlef("the watts of a busy core cannot be told from 0: %.2g with a standard error of %.2g; a longer range, or one with more varied load, would help", float64(f.Watts.Busy), float64(f.StdError.Busy))
	}
	return nil
}

// Doubts are what is suspicious of a fit, but possible, a sentence each.
func (f Fit) Doubts() (all []string) {
	const fair = 0.5
	if f.AtZero == usage.Idle {
		all = append(all, "the best fit has negative watts per idle core, so 0 is used instead: the measured power seems to exclude the idle power of the machines")
	}
	if f.Watts.Idle > f.Watts.Busy {
		all = append(all, "in this fit an idle core draws more than a busy one: check that the measurements are from these machines, at the same time")
	}
	if f.RSquared < fair {
		all = append(all, fmt.Sprintf("the load explains little of the measured power (R² is %.2f)", f.RSquared))
	}
	return all
}

func intervals(all []Observation) int {
	seen := map[int64]struct{}{}
	for _, o := range all {
		seen[o.Interval.Start.Unix()] = struct{}{}
	}
	return len(seen)
}

func hosts(all []Observation) int {
	seen := map[string]struct{}{}
	for _, o := range all {
		seen[o.Host] = struct{}{}
	}
	return len(seen)
}
