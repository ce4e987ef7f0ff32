// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	directOf    = usage.BasisOf("average direct consumption")
	lifecycleOf = usage.BasisOf("average lifecycle consumption")
)

func TestAStoreWithoutQualityGetsIt(t *testing.T) {
	text, err := os.ReadFile("testdata/schema10.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "carbon.db")
	if err := database(t, path, string(text)).Close(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, path, Options{Exclusive: true})
	var got []string
	for _, row := range readRows(t, s.reader, `SELECT DISTINCT p.provider, p.kind, i.state, p.basis, p.quality FROM interval_price p
		JOIN usage_interval i ON p.start >= i.start AND p.start < i.start + i.seconds ORDER BY 1, 2, 3`) {
		got = append(got, fmt.Sprint(row...))
	}
	want := []string{
		"meteractualprovisionalprovisional",
		"staticactualprovisionalfinal", "staticactualsettledfinal", // whatever else prices its interval
		"ukactualprovisionalaverage direct consumptionprovisional", "ukactualsettledaverage direct consumptionfinal",
		"ukforecastprovisionalaverage direct consumptionforecast", "ukforecastsettledaverage direct consumptionforecast",
	}
	if !slices.Equal(got, want) {
		t.Errorf("prices: got %q\nwant %q", got, want)
	}
	got = nil
	for _, row := range readRows(t, s.reader, "SELECT DISTINCT provider, basis, quality FROM intensity_slot ORDER BY 1, 2, 3") {
		got = append(got, strings.Join([]string{row[0].(string), row[1].(string), row[2].(string)}, "|"))
	}
	if want := []string{"meter||", "static||final", "uk|average direct consumption|"}; !slices.Equal(got, want) {
		t.Errorf("slots: got %q, want %q", got, want)
	}
}

func TestBasisAndQualityAreThoseOfTheBestValue(t *testing.T) {
	grams := func(v usage.GramsPerKWh) *usage.GramsPerKWh { return &v }
	forecast := usage.Slot{Forecast: grams(180), Basis: directOf}
	estimated := usage.Slot{Actual: grams(170), Basis: lifecycleOf, Quality: usage.QualityEstimated}
	final := usage.Slot{Actual: grams(171), Basis: lifecycleOf, Quality: usage.QualityFinal}
	for _, c := range []struct {
		name    string
		answers []usage.Slot
		basis   usage.Basis
		quality usage.Quality
	}{
		{"a forecast has no quality of an actual", []usage.Slot{{Forecast: grams(180), Basis: directOf, Quality: usage.QualityFinal}}, directOf, ""},
		{"an actual brings its own", []usage.Slot{forecast, estimated}, lifecycleOf, usage.QualityEstimated},
		{"a forecast does not touch an actual", []usage.Slot{estimated, forecast}, lifecycleOf, usage.QualityEstimated},
		{"an answer without a value changes nothing", []usage.Slot{forecast, {Basis: lifecycleOf}}, directOf, ""},
		{"an estimate becomes final", []usage.Slot{estimated, final}, lifecycleOf, usage.QualityFinal},
		{"who says nothing more is not sure any more", []usage.Slot{final, {Actual: grams(171)}}, usage.Basis{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			for n, answer := range c.answers {
				answer.Provider, answer.Grid, answer.From, answer.FetchedAt = "some", "FR", at(1).Start, at(3).Start.Add(time.Duration(n)*time.Minute)
				if _, err := s.SaveSlots(t.Context(), []usage.Slot{answer}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Slots(t.Context(), "some", "FR", at(1).Start, at(2).Start)
			if err != nil || len(got) != 1 || got[0].Basis != c.basis || got[0].Quality != c.quality {
				t.Errorf("got %+v, %v", got, err)
			}
			proof, err := s.Proof(t.Context(), at(1))
			if err != nil || !reflect.DeepEqual(proof.Slots, got) {
				t.Errorf("its proof has %+v, %v", proof.Slots, err)
			}
		})
	}
}

// quality is a price with it.
func quality(v float64, basis usage.Basis, q usage.Quality) []usage.PiecePrice {
	p := priceAt(at(1).Start, v)
	p.Kind, p.Basis, p.Quality = usage.Actual, basis, q
	return []usage.PiecePrice{p}
}

func TestAChangeOfBasisIsRecordedAndOneOfQualityIsNot(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(1)))
	for _, step := range []struct {
		prices  []usage.PiecePrice
		state   usage.State
		changes int
		quality usage.Quality
	}{
		{quality(180, directOf, usage.QualityEstimated), usage.Provisional, 0, usage.QualityEstimated},
		{quality(180, directOf, usage.QualityProvisional), usage.Provisional, 0, usage.QualityProvisional},
		{quality(180, lifecycleOf, usage.QualityProvisional), usage.Provisional, 1, usage.QualityProvisional},
		{quality(180, lifecycleOf, usage.QualityProvisional), usage.Settled, 1, usage.QualityFinal},
	} {
		if err := reprice(t.Context(), s, at(1), step.prices, step.state); err != nil {
			t.Fatal(err)
		}
		proof, err := s.Proof(t.Context(), at(1))
		if err != nil || len(proof.Changes) != step.changes || len(proof.Prices) != 1 || proof.Prices[0].Quality != step.quality {
			t.Errorf("%s: %+v, %+v, %v", step.state, proof.Changes, proof.Prices, err)
		}
		if proof.Prices[0].Basis != step.prices[0].Basis {
			t.Errorf("%s: priced by %q", step.state, proof.Prices[0].Basis)
		}
		for _, c := range proof.Changes {
			if c.Was.Basis != directOf || c.Is.Basis != lifecycleOf || c.Why != usage.BecauseRevised {
				t.Errorf("%s: %+v", step.state, c)
			}
		}
	}
}

func TestWhatIsNotMeasuredStaysSoWhenItSettles(t *testing.T) {
	for _, q := range []usage.Quality{usage.QualityEstimated, usage.QualityForecast, usage.QualityYearly} {
		s := newStore(t)
		rec := threeKeys(at(1))
		rec.Prices, rec.State = quality(180, directOf, q), usage.Settled
		commit(t, s, rec)
		if proof, err := s.Proof(t.Context(), at(1)); err != nil || proof.Prices[0].Quality != q {
			t.Errorf("%s: %+v, %v", q, proof.Prices, err)
		}
	}
}

func TestNoPriceIsStoredWithoutAKnownQuality(t *testing.T) {
	s := newStore(t)
	for _, q := range []usage.Quality{"", "guessed"} {
		rec := threeKeys(at(1))
		rec.Prices, rec.State = quality(180, directOf, q), usage.Provisional
		if err := commitOne(t.Context(), s, rec); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("has a price of the quality %q", q)) {
			t.Errorf("%q: %v", q, err)
		}
	}
}
