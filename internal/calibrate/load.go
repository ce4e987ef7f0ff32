// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Load is how the fraction of busy time in all CPU time varies over the observations. If it is
// always the same, busy and idle watts cannot be told apart: any two that add up to the power
// at that fraction fit equally well.
type Load struct {
	Mean, Deviation float64 // weighted by CPU time
	Least, Most     float64
	// Condition is the condition number of busy and idle time as columns of length 1: how much
	// a small error of the power may grow in the watts.
	Condition float64
}

func load(all []Observation) Load {
	l := Load{Least: math.Inf(1), Most: math.Inf(-1)}
	var busy, whole float64
	for _, o := range all {
		b, c := float64(o.CPU.Busy), float64(o.CPU.Total())
		busy, whole = busy+b, whole+c
		l.Least, l.Most = min(l.Least, b/c), max(l.Most, b/c)
	}
	l.Mean = busy / whole
	var squares float64
	for _, o := range all {
		c := float64(o.CPU.Total())
		d := float64(o.CPU.Busy)/c - l.Mean
		squares += c * d * d
	}
	l.Deviation = math.Sqrt(squares / whole)
	l.Condition = condition(all)
	return l
}

func condition(all []Observation) float64 {
	if len(all) < 2 {
		return math.Inf(1)
	}
	x, _ := columns(all)
	for j := range 2 {
		column := x.ColView(j)
		length := mat.Norm(column, 2)
		if length == 0 {
			return math.Inf(1)
		}
		for i := range all {
			x.Set(i, j, x.At(i, j)/length)
		}
	}
	return mat.Cond(x, 2)
}

func (l Load) enough() error {
	if l.Condition <= maxCondition {
		return nil
	}
	number := "is infinite"
	if l.Condition < 1e6 {
		number = fmt.Sprintf("is %.0f", l.Condition)
	}
	return tooLittlef("the share of busy time hardly varies: it is %.2f %% with a standard deviation of %.2g %%, so busy and idle watts cannot be told apart (the condition number %s, and the limit is %d); a range with more varied load would help",
		100*l.Mean, 100*l.Deviation, number, maxCondition)
}
