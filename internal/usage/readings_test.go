// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"testing"
	"time"
)

func TestReadingsAreMadeWhenAskedFor(t *testing.T) {
	first := Interval{Start: time.Unix(0, 0), Length: time.Hour}
	made := 0
	r := NewReadings(3, 10, func(i int) Reading {
		made++
		piece := first
		for range i {
			piece = piece.Next()
		}
		return Reading{Piece: piece}
	})
	if r.Len() != 3 || made != 0 {
		t.Errorf("%d readings, %d made", r.Len(), made)
	}
	rest := r.From(2)
	if got := rest.At(0).Piece.Start; rest.Len() != 1 || made != 1 || !got.Equal(time.Unix(7200, 0)) {
		t.Errorf("the third begins at %v after %d were made", got, made)
	}
	all := r.All()
	if len(all) != 3 || !all[1].Piece.Start.Equal(time.Unix(3600, 0)) {
		t.Errorf("all are %v", all)
	}
	if (Readings{}).All() != nil || ReadingsOf(all).Len() != 3 {
		t.Error("no readings are some, or some are others")
	}
}
