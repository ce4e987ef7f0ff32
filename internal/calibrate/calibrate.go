// Package calibrate learns the average power of a machine type from power that
// was measured. It knows least squares and when not to trust them; it must not
// know where either side was measured nor where an average is kept. Start with
// Learn; Pairs puts the two sides together.
package calibrate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Observation is what one host, or all hosts of a machine type together, used in
// an interval, and the mean power that was measured meanwhile.
type Observation struct {
	Host     string // empty: all of them
	Interval usage.Interval
	CPU      usage.BusyIdle[usage.CPUSeconds]
	Power    usage.Watts // of all cores
}

// Fit is what was learned, and how sure it is.
type Fit struct {
	Watts    usage.BusyIdle[usage.Watts] // per core
	StdError usage.BusyIdle[usage.Watts] // of Watts; NaN for a mode that is held at 0
	// AtZero is the mode whose watts would come out negative and are 0 instead;
	// mostly none.
	AtZero usage.Mode
	// Error is the standard error of the energy that Watts give for a long time of
	// the same load, as a part of it. The scatter of single intervals, RMSE, is
	// evened out in it; what the measurement itself is wrong by is not in it.
	Error        float64
	RMSE         usage.Watts // of one observation
	RSquared     float64     // the part of the variance of the power that is explained, at most 1
	MeanPower    usage.Watts // of one observation
	Observations int
	Intervals    int // different ones
	Hosts        int // different ones; 1 where all are one
	Load         Load
}

// The limits of what is learned from.
const (
	// minIntervals is how many different intervals are the least.
	minIntervals = 12
	// maxCondition is the condition number of the two columns, scaled to length 1,
	// above which they are one: 30 is where Belsley, Kuh and Welsch ("Regression
	// Diagnostics", 1980, chapter 3) call it strong.
	maxCondition = 30
	// maxError is how unsure the energy may be, as a part of it.
	maxError = 0.25
	// maxWatts is what no core draws.
	maxWatts = 1000
)

// Learn finds the watts per busy and per idle core that come nearest to the
// measured power, in the sense of least squares, and are not negative. There is
// no third, constant term: cores are busy or idle all the time, so that what a
// machine always draws is in both. An error says what is missing to learn, and
// what would help.
func Learn(all []Observation) (Fit, error) {
	fit := Fit{Observations: len(all), Intervals: intervals(all), Hosts: hosts(all), Load: load(all)}
	if fit.Intervals < minIntervals {
		return Fit{}, fmt.Errorf("%d intervals have both CPU time and measured power, at least %d are needed; a longer range would help", fit.Intervals, minIntervals)
	}
	if err := fit.Load.enough(); err != nil {
		return Fit{}, err
	}
	x, y := columns(all)
	fit.MeanPower = usage.Watts(mat.Sum(y) / float64(len(all)))
	around := variance(y)
	if around == 0 {
		return Fit{}, fmt.Errorf("the measured power is %.4g W in every interval, whatever the load; it is a constant, no measurement", float64(fit.MeanPower))
	}
	s := nonnegative(x, y)
	fit.Watts = usage.BusyIdle[usage.Watts]{Busy: usage.Watts(s.watts[0]), Idle: usage.Watts(s.watts[1])}
	fit.AtZero = s.atZero()
	left := mat.Dot(s.residuals, s.residuals) / float64(len(all))
	fit.RMSE, fit.RSquared = usage.Watts(math.Sqrt(left)), 1-left/around
	fit.StdError, fit.Error = s.standardErrors(all)
	return fit, fit.believable()
}

// believable says what speaks against a fit.
func (f Fit) believable() error {
	switch {
	case f.Watts.Busy <= 0:
		return fmt.Errorf("the measured power does not grow with busy time: the best fit is 0 W for a busy core and %.4g W for an idle one; is it the power of these machines, at the same time?", float64(f.Watts.Idle))
	case max(f.Watts.Busy, f.Watts.Idle) > maxWatts:
		return fmt.Errorf("the best fit is %.4g W for a busy core and %.4g W for an idle one, which no core draws; the expression must give watts (of a counter of joules, the rate)", float64(f.Watts.Busy), float64(f.Watts.Idle))
	case f.RSquared <= 0:
		return fmt.Errorf("the load explains nothing of the measured power (R² is %.2f); is it the power of these machines, at the same time?", f.RSquared)
	case f.Error > maxError:
		return fmt.Errorf("the measured power scatters too much: the energy that the fit gives has a standard error of %.0f %%, at most %.0f %% will do; a longer range, or one with more load and with less, would help", 100*f.Error, 100*maxError)
	case f.StdError.Busy > f.Watts.Busy/2:
		return fmt.Errorf("the watts of a busy core are not told from 0: %.2g with a standard error of %.2g; a longer range, or one with more load and with less, would help", float64(f.Watts.Busy), float64(f.StdError.Busy))
	}
	return nil
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
