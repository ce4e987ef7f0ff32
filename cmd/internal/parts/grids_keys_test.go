// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// noonIn is a time at which the imitated servers answer, and their truth.
var noonIn = grids.Server{
	Now:   func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) },
	Truth: func(time.Time) usage.GramsPerKWh { return 80 },
}

// askedAtNoon is what the first source of a configuration says of an hour.
func askedAtNoon(t *testing.T, dir, section string) (slots []usage.Slot, err error) {
	t.Helper()
	cfg, err := config.Parse(filepath.Join(dir, "carbon.yml"), []byte("carbon_intensity: "+section))
	if err != nil {
		t.Fatal(err)
	}
	made, err := NewGrids(cfg, noonIn.Now)
	if err != nil {
		t.Fatal(err)
	}
	chain := made.Priced
	if len(made.Marginal) > 0 {
		chain = made.Marginal
	}
	slots, _, err = chain[0].Slots(t.Context(), noonIn.Now().Add(-3*time.Hour), noonIn.Now().Add(-2*time.Hour))
	return slots, err
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestElectricityMapsFollowsItsConfiguration(t *testing.T) {
	api := &grids.ElectricityMaps{Server: grids.Server{Now: noonIn.Now, Truth: noonIn.Truth}, Key: "hunter2-key", Zone: "FR"}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	dir := t.TempDir()
	section := fmt.Sprintf("{sources: [{electricity_maps: {url: %s/v4, zone: FR, token_file: key}, basis: {emissions: direct}}]}", s.URL)
	for _, step := range []struct{ name, key, cause string }{
		{"no file", "", "token_file cannot be read"},
		{"an empty file", "\n", "token_file is empty: it must hold the key of the API"},
		{"a file of something else", "hunter2\nhunter2", "token_file does not hold a key"},
		{"a wrong key", "hunter2-old", "Electricity Maps does not take the key"},
		{"the key", "hunter2-key\n", ""},
	} {
		if step.key != "" {
			write(t, dir, "key", step.key)
		}
		slots, err := askedAtNoon(t, dir, section)
		if step.cause == "" {
			if err != nil || len(slots) != 2 || *slots[0].Actual != 40 || slots[0].Basis.Emissions != usage.Direct || slots[0].Grid != "FR" || slots[0].Provider != "electricity_maps" {
				t.Errorf("%s: %+v, %v", step.name, slots, err)
			}
			continue
		}
		if f := usage.FailureOf(err); f == nil || f.Reason != usage.ReasonAuth || !f.Permanent || !strings.Contains(f.Cause, step.cause) || strings.Contains(said(err), "hunter2") {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

func TestWattTimeFollowsItsConfiguration(t *testing.T) {
	api := &grids.WattTime{Server: grids.Server{Now: noonIn.Now, Truth: noonIn.Truth}, Username: "carbon", Password: "hunter2", Region: "CAISO_NORTH"}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	dir := t.TempDir()
	write(t, dir, "password", "hunter2\n")
	of := func(signal string) string {
		return fmt.Sprintf("{sources: [{watttime: {url: %s, region: CAISO_NORTH, signal: %s, basic_auth: {username: carbon, password_file: password}}}]}", s.URL, signal)
	}
	if slots, err := askedAtNoon(t, dir, of("co2_aoer")); err != nil || len(slots) != 2 || *slots[0].Actual != 80 || slots[0].Basis.String() != "average direct" {
		t.Errorf("%+v, %v", slots, err)
	}
	if slots, err := askedAtNoon(t, dir, "{marginal: "+of("co2_moer")+"}"); err != nil || len(slots) != 2 || *slots[0].Actual != 160 || slots[0].Basis.Signal != usage.Marginal {
		t.Errorf("%+v, %v", slots, err)
	}
	if _, err := gridsOf(t, of("co2_moer")); err == nil || !strings.Contains(err.Error(), "watttime is marginal, and no sum of marginal values means anything") {
		t.Errorf("a total of marginal values: %v", err)
	}
	write(t, dir, "password", "hunter2-old")
	if _, err := askedAtNoon(t, dir, of("co2_aoer")); err == nil || usage.Cause(err) != "WattTime does not take the account: correct basic_auth" || strings.Contains(said(err), "hunter2") {
		t.Errorf("another password: %v", err)
	}
}
