// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestHowOldAveragesAre(t *testing.T) {
	s := newStore(t)
	for _, a := range []MachineAverage{
		{From: hour(1), Rating: usage.Rating{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 5, Idle: 1}, Source: "specpower"}},
		{From: hour(2), Rating: usage.Rating{Machine: "Laser", Watts: usage.BusyIdle[usage.Watts]{Busy: 5, Idle: 1}, Source: "calibrated"}, Calibration: &Calibration{At: hour(9)}},
		{From: hour(12), Rating: usage.Rating{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 6, Idle: 1}, Source: "specpower"}},
	} {
		if _, err := s.SaveMachineAverage(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name        string
		at          time.Time
		muon, laser time.Time // zero: none
	}{
		{"before any is valid", hour(0), time.Time{}, time.Time{}},
		{"one that was not learned is as old as it is valid, one that was as its measurement", hour(10), hour(1), hour(9)},
		{"the one that follows", hour(13), hour(12), hour(9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.AveragesSince(t.Context(), c.at)
			if err != nil {
				t.Fatal(err)
			}
			if !got["Muon"].Equal(c.muon) || !got["Laser"].Equal(c.laser) {
				t.Errorf("got %v", got)
			}
		})
	}
}
