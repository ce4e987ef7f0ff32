// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTheLandingPageSaysHowEachSourceOfCarbonIntensityIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, path, `carbon_intensity:
  grid: GB
  basis: {signal: average, emissions: direct, electricity: consumption}
  sources: [uk, {name: contract, static: 250}]
  also: [{name: market, static: 0}]
  marginal: {sources: [{static: 400, basis: {signal: marginal}}]}
`)
	d, server := prepared(t, "--config.file="+path)
	says := func(name, want string) {
		t.Helper()
		if line := lineOf(t, server.URL, name); !strings.HasPrefix(line, want) {
			t.Errorf("%s: got %q, want %q", name, line, want)
		}
	}
	says("Carbon intensity", "no request yet")
	for _, provider := range []string{"uk", "contract", "market", "marginal_static"} {
		says("Carbon intensity by "+provider, "no request yet")
	}

	refused := errors.New("out of order")
	d.Requested("uk", time.Second, nil)
	d.Requested("uk", time.Second, refused)
	d.Requested("contract", 0, nil)
	d.Requested(usage.SourceCarbonIntensity, 0, nil)
	d.Requested("market", 0, refused)
	says("Carbon intensity", "responded 0s ago")
	says("Carbon intensity by uk", "BAD down, last response 0s ago")
	says("Carbon intensity by contract", "responded 0s ago")
	says("Carbon intensity by market", "BAD down: out of order")

	_, page := ask(t, http.MethodGet, server.URL+"/")
	for _, want := range []string{
		"<td>the first choice</td>", "<td>where uk has no value</td>", "<td>other factors, market</td>", "<td>when to run; prices nothing</td>",
		"The other sources are asked meanwhile.", "only the other factors are missing",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, `<li class="bad"><b>Carbon intensity`) {
		t.Error("a source of several is as bad as all of them")
	}
}

func TestASourceAloneHasOneLineOnTheLandingPage(t *testing.T) {
	_, server := prepared(t, "--config.file="+configFile(t, ""))
	if _, page := ask(t, http.MethodGet, server.URL+"/"); strings.Contains(page, "Carbon intensity by ") {
		t.Errorf("the only source is told twice:\n%s", page)
	}
}
