// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The columns of x, and of what is fitted to them.
const (
	busyColumn = iota
	idleColumn
)

// columns returns mean busy and idle cores, and the measured power: watts per core times cores
// is watts.
func columns(all []Observation) (*mat.Dense, *mat.VecDense) {
	x, y := mat.NewDense(len(all), 2, nil), mat.NewVecDense(len(all), nil)
	for i, o := range all {
		seconds := o.Interval.Length.Seconds()
		x.Set(i, busyColumn, float64(o.CPU.Busy)/seconds)
		x.Set(i, idleColumn, float64(o.CPU.Idle)/seconds)
		y.SetVec(i, float64(o.Power))
	}
	return x, y
}

// columnWatts are watts per core, by column.
type columnWatts [idleColumn + 1]float64

// solution is the least squares fit of some of the columns; the others are fixed at 0.
type solution struct {
	x         *mat.Dense // the fitted columns
	fitted    []int      // their indexes
	watts     columnWatts
	residuals *mat.VecDense
}

// nonnegative returns the best fit without negative numbers. With two columns no search is
// needed: the sum of squares increases from the free fit in every direction, so a number that
// is negative there is 0 in the best fit. They cannot both be negative, because no power is.
func nonnegative(x *mat.Dense, y *mat.VecDense) solution {
	free := fitColumns(x, y, busyColumn, idleColumn)
	switch {
	case free.watts[busyColumn] < 0:
		return fitColumns(x, y, idleColumn)
	case free.watts[idleColumn] < 0:
		return fitColumns(x, y, busyColumn)
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
	// Nearly equal columns were refused before; gonum would report them here.
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

// variance is the mean square deviation from the mean.
func variance(y *mat.VecDense) float64 {
	n := y.Len()
	mean := mat.Sum(y) / float64(n)
	var squares float64
	for i := range n {
		d := y.AtVec(i) - mean
		squares += d * d
	}
	if squares <= float64(n)*math.Pow(mean*sameDigits, 2) {
		return 0 // a constant, but for rounding
	}
	return squares / float64(n)
}
