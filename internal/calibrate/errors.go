// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// minClusters is how many hosts, or days, are needed to see what each has in common.
const minClusters = 8

// standardErrors returns the standard errors of the watts, and of the energy computed from them
// for the load of all observations, as a fraction. Intervals of one host have similar errors,
// and so do those of one day: treated as independent, thousands of them would look far more
// certain than they are. So the largest of three covariances counts: of independent
// observations, of hosts and of days (Liang and Zeger 1986, "Longitudinal data analysis using
// generalized linear models").
func (s solution) standardErrors(all []Observation) (watts usage.BusyIdle[usage.Watts], energy float64) {
	watts = usage.BusyIdle[usage.Watts]{Busy: usage.Watts(math.NaN()), Idle: usage.Watts(math.NaN())}
	load := s.sums(all, together, ones(len(all)))[0]
	var predicted float64
	for k, j := range s.fitted {
		predicted += load.AtVec(k) * s.watts[j]
	}
	for _, c := range s.covariances(all) {
		for k, j := range s.fitted {
			err := usage.Watts(math.Sqrt(c.At(k, k)))
			of := &watts.Busy
			if j == 1 {
				of = &watts.Idle
			}
			if !(*of >= err) {
				*of = err
			}
		}
		energy = max(energy, math.Sqrt(mat.Inner(load, c, load))/predicted)
	}
	return watts, energy
}

func (s solution) covariances(all []Observation) []*mat.SymDense {
	n, k := s.x.Dims()
	var gram mat.SymDense
	gram.SymOuterK(1, s.x.T())
	var chol mat.Cholesky
	chol.Factorize(&gram) // positive definite: nearly equal columns were refused before
	bread := mat.NewSymDense(k, nil)
	_ = chol.InverseTo(bread) // as above

	independent := mat.NewSymDense(k, nil)
	independent.ScaleSym(mat.Dot(s.residuals, s.residuals)/float64(n-k), bread)
	found := []*mat.SymDense{independent}
	for _, cluster := range []func(Observation) string{byHost, byDay} {
		sums := s.sums(all, cluster, s.residuals)
		g := float64(len(sums))
		if len(sums) < minClusters {
			continue
		}
		meat := mat.NewSymDense(k, nil)
		for _, sum := range sums {
			meat.SymRankOne(meat, 1, sum)
		}
		var half mat.Dense
		half.Mul(bread, meat)
		var whole mat.Dense
		whole.Mul(&half, bread)
		c := mat.NewSymDense(k, nil)
		for i := range k {
			for j := i; j < k; j++ {
				c.SetSym(i, j, whole.At(i, j)*g/(g-1)*float64(n-1)/float64(n-k))
			}
		}
		found = append(found, c)
	}
	return found
}

func together(Observation) string { return "" }

func byHost(o Observation) string { return o.Host }

func byDay(o Observation) string {
	const day = 24 * 60 * 60
	return strconv.FormatInt(o.Interval.Start.Unix()/day, 10)
}

// sums adds up the rows of x, each times its weight, by cluster.
func (s solution) sums(all []Observation, cluster func(Observation) string, weights *mat.VecDense) []*mat.VecDense {
	_, k := s.x.Dims()
	var sums []*mat.VecDense // in order of their first row, so that the same data give the same bits
	place := map[string]int{}
	for i, o := range all {
		name := cluster(o)
		at, ok := place[name]
		if !ok {
			at = len(sums)
			place[name] = at
			sums = append(sums, mat.NewVecDense(k, nil))
		}
		sums[at].AddScaledVec(sums[at], weights.AtVec(i), s.x.RowView(i))
	}
	return sums
}

func ones(n int) *mat.VecDense {
	v := mat.NewVecDense(n, nil)
	for i := range n {
		v.SetVec(i, 1)
	}
	return v
}
