package calibrate

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// columns are mean busy and idle cores, and the power that they drew: watts per
// core times cores is watts.
func columns(all []Observation) (*mat.Dense, *mat.VecDense) {
	x, y := mat.NewDense(len(all), 2, nil), mat.NewVecDense(len(all), nil)
	for i, o := range all {
		seconds := o.Interval.Length.Seconds()
		x.Set(i, 0, float64(o.CPU.Busy)/seconds)
		x.Set(i, 1, float64(o.CPU.Idle)/seconds)
		y.SetVec(i, float64(o.Power))
	}
	return x, y
}

// solution is the least squares fit with some of the columns; the others are
// held at 0.
type solution struct {
	x         *mat.Dense // the columns that are fitted
	fitted    []int      // which of the two they are
	watts     [2]float64
	residuals *mat.VecDense
}

// nonnegative is the best fit of which no number is negative. With two columns
// there is nothing to search: the sum of squares grows from the free fit in every
// direction, so that a number which is negative there is 0 in the best one. Both
// cannot be, for no power is negative.
func nonnegative(x *mat.Dense, y *mat.VecDense) solution {
	free := fitColumns(x, y, 0, 1)
	switch {
	case free.watts[0] < 0:
		return fitColumns(x, y, 1)
	case free.watts[1] < 0:
		return fitColumns(x, y, 0)
	}
	return free
}

func fitColumns(x *mat.Dense, y *mat.VecDense, fitted ...int) solution {
	rows, _ := x.Dims()
	s := solution{x: mat.NewDense(rows, len(fitted), nil), fitted: fitted, residuals: mat.NewVecDense(rows, nil)}
	for k, j := range fitted {
		s.x.SetCol(k, mat.Col(nil, j, x))
	}
	var b mat.VecDense
	// Columns that are nearly one were refused before; gonum would say so here.
	_ = b.SolveVec(s.x, y)
	s.residuals.MulVec(s.x, &b)
	s.residuals.SubVec(y, s.residuals)
	for k, j := range fitted {
		s.watts[j] = b.AtVec(k)
	}
	return s
}

func (s solution) atZero() usage.Mode {
	switch {
	case len(s.fitted) == 2:
		return ""
	case s.fitted[0] == 0:
		return usage.Idle
	}
	return usage.Busy
}

// variance is the mean square around the mean.
func variance(y *mat.VecDense) float64 {
	n := y.Len()
	mean := mat.Sum(y) / float64(n)
	var squares float64
	for i := range n {
		d := y.AtVec(i) - mean
		squares += d * d
	}
	if squares <= float64(n)*math.Pow(mean*sameDigits, 2) {
		return 0 // what rounding leaves of a constant
	}
	return squares / float64(n)
}
