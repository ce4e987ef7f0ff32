// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func loadChain(t *testing.T) *CarbonIntensity {
	t.Helper()
	c, err := Load("testdata/good-chain.yml")
	if err != nil {
		t.Fatal(err)
	}
	return &c.CarbonIntensity
}

func TestEverySourceHasANameOfItsOwn(t *testing.T) {
	c := loadChain(t)
	var names []string
	c.each(func(path string, s *Source) {
		names = append(names, strings.TrimPrefix(path, "carbon_intensity.")+" "+s.Name+" "+s.Kind())
	})
	want := []string{
		"sources[0] uk uk", "sources[1] nation uk", "sources[2] static static", "sources[3] contract static", "sources[4] again uk", "sources[5] plain uk",
		"also[0].sources[0] lifecycle_uk uk", "also[0].sources[1] lifecycle_static static", "also[1] market static",
		"marginal.sources[0] marginal_static static", "elsewhere[0].sources[0] static static",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
}

func TestAChainTakesThePlaceOfTheShortForm(t *testing.T) {
	c := loadChain(t)
	if c.Provider != "" || c.UK.URL.URL != nil || len(c.Priced().Sources) != 6 || c.Priced().Fixed() != nil {
		t.Errorf("got %+v", c)
	}
	short := Default().CarbonIntensity
	priced := short.Priced()
	if len(priced.Sources) != 1 || priced.Sources[0].Name != "uk" || priced.Sources[0].Kind() != "uk" || priced.GridName(priced.Sources[0]) != "" {
		t.Errorf("the short form is %+v", priced)
	}
	if got := priced.Sources[0].Endpoint().URL.String(); got != "https://api.carbonintensity.org.uk" {
		t.Errorf("it is asked at %s", got)
	}
}

func TestANumberIsAStaticSource(t *testing.T) {
	c := loadChain(t)
	if s := c.Sources[2].Static; s == nil || *s.GCO2eqPerKWh != 210.89 || s.Grid != usage.Unknown {
		t.Errorf("got %+v", s)
	}
	if set := c.Also[1].Whole(); len(set.Sources) != 1 || set.Sources[0].Name != "market" || *set.Fixed().GCO2eqPerKWh != 0 {
		t.Errorf("got %+v", set)
	}
	short, err := Parse("carbon.yml", []byte("carbon_intensity: {provider: static, static: 56}"))
	if err != nil || *short.CarbonIntensity.Priced().Fixed().GCO2eqPerKWh != 56 {
		t.Errorf("got %v, %v", short, err)
	}
}

func TestStaticsAreFoundByTheirNames(t *testing.T) {
	found := loadChain(t).Statics()
	if len(found) != 2 || found[usage.GridName{Provider: "contract", Grid: "GB"}].Source != "the contract" {
		t.Errorf("got %v", found)
	}
}

func TestFilesOfSourcesAreRelativeToTheFile(t *testing.T) {
	if got := loadChain(t).Sources[0].Endpoint().HTTPClientConfig.BasicAuth.PasswordFile; got != "testdata/secrets/grid_password" {
		t.Errorf("got %s", got)
	}
}

// What is shown of a configuration can be read again, and means the same.
func TestAChainThatIsShownMeansTheSame(t *testing.T) {
	c, err := Load("testdata/good-chain.yml")
	if err != nil {
		t.Fatal(err)
	}
	before := c.CarbonIntensity
	text, err := c.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("testdata/again.yml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, changed := range Changes(c, again) {
		if strings.HasPrefix(changed, "carbon_intensity") && changed != "carbon_intensity.sources" {
			t.Errorf("%s has changed", changed)
		}
	}
	if got := again.CarbonIntensity.Sources[0].UK.HTTPClientConfig.BasicAuth.Username; got != redacted {
		t.Errorf("the user name is %s", got)
	}
	if c.CarbonIntensity.Sources[0].UK.HTTPClientConfig.BasicAuth.Username != "carbon" || !reflect.DeepEqual(before, c.CarbonIntensity) {
		t.Error("showing it has changed it")
	}
}
