// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// outwardCode is the first half of a UK postcode; the API accepts no more.
var outwardCode = regexp.MustCompile(`^[A-Z]{1,2}[0-9][A-Z0-9]?$`)

// maxStatic is above what any country emits in a year.
const maxStatic = 1000

func (c *CarbonIntensity) validate(f *faults) {
	if len(c.Sources) > 0 {
		for _, short := range []string{"provider", "uk", "static"} {
			if path := "carbon_intensity." + short; f.given(path) {
				f.key(path, "must not be set together with sources, of which it is the short form; make it one of them")
			}
		}
	} else {
		c.validateShort(f)
	}
	names := map[string]bool{}
	c.Chain.validate(f, "carbon_intensity", names)
	sets := map[string]bool{}
	for i := range c.Also {
		c.Also[i].validate(f, fmt.Sprintf("carbon_intensity.also[%d]", i), names, sets)
	}
	if c.Marginal != nil {
		c.Marginal.validateSome(f, "carbon_intensity.marginal", names)
	}
	grids := map[string]bool{}
	for i := range c.Elsewhere {
		path := fmt.Sprintf("carbon_intensity.elsewhere[%d]", i)
		validateName(f, path+".grid", c.Elsewhere[i].Grid, grids)
		c.Elsewhere[i].validateSome(f, path, map[string]bool{})
	}
}

func (c *CarbonIntensity) validateShort(f *faults) {
	validateOneOf(f, "carbon_intensity.provider", c.Provider, ProviderUK, ProviderStatic)
	c.UK.validate(f, "carbon_intensity.uk")
	switch {
	case c.Static != nil:
		c.Static.validate(f, "carbon_intensity.static")
	case c.Provider == ProviderStatic:
		(&Static{Grid: usage.Unknown}).validate(f, "carbon_intensity.static")
	}
}

func (s *FactorSet) validate(f *faults, path string, names, sets map[string]bool) {
	validateName(f, path+".name", s.Name, sets)
	if s.Name != "" && !isLabel(s.Name) {
		f.key(path+".name", "must be made of letters, digits and _, and not begin with a digit, is %q", s.Name)
	}
	one := s.all()
	switch {
	case len(one) > 0 && len(s.Sources) > 0:
		f.key(path, "must have sources, or be one source, not both")
	case len(one) > 1:
		f.key(path, "must be one source; several are a list in sources")
	case len(one) == 0:
		s.validateSome(f, path, names)
	default:
		s.Chain.validate(f, path, names)
		validateSourceName(f, path, s.Name, names)
		for name, k := range one {
			k.validate(f, path+"."+name)
		}
	}
}

// validateSome is validate for a chain that must have sources.
func (c *Chain) validateSome(f *faults, path string, names map[string]bool) {
	if len(c.Sources) == 0 {
		f.key(path+".sources", "must name at least one source")
	}
	c.validate(f, path, names)
}

func (c *Chain) validate(f *faults, path string, names map[string]bool) {
	c.Basis.validate(f, path+".basis")
	c.each(path, func(path string, s *Source) {
		s.Basis.validate(f, path+".basis")
		one := s.all()
		switch kinds := slices.Sorted(maps.Keys(one)); {
		case len(kinds) == 0:
			f.key(path, "must name a source: %s", strings.Join(kindNames(), ", "))
		case len(kinds) > 1:
			f.key(path, "must be one source, is %s; begin each with a dash of its own", strings.Join(kinds, " and "))
		default:
			one[kinds[0]].validate(f, path+"."+kinds[0])
			validateSourceName(f, path, s.Name, names)
		}
	})
}

// validateSourceName reports a name that another source has.
func validateSourceName(f *faults, path, name string, names map[string]bool) {
	if names[name] {
		f.key(path, "a source of the name %q is there already; give one of them another name", name)
	}
	names[name] = true
}

func (b Basis) validate(f *faults, path string) {
	for _, part := range []struct{ key, word, one, other string }{
		{"signal", b.Signal, usage.Average, usage.Marginal},
		{"emissions", b.Emissions, usage.Lifecycle, usage.Direct},
		{"electricity", b.Electricity, usage.Consumption, usage.Production},
	} {
		if part.word != "" {
			validateOneOf(f, path+"."+part.key, part.word, part.one, part.other)
		}
	}
}

// kindNames lists what a source can be.
func kindNames() (names []string) {
	for _, field := range keyFields(kindsType) {
		names = append(names, field.name)
	}
	return names
}

func (u *UK) validate(f *faults, path string) {
	u.Endpoint.validate(f, path)
	if u.RegionID < 0 || u.RegionID > 17 {
		f.key(path+".region_id", "must be 1 to 17, or 0 for none, is %d", u.RegionID)
	}
	if u.Postcode != "" && !outwardCode.MatchString(u.Postcode) {
		f.key(path+".postcode", "must be the first half of a postcode, such as OX11, is %q", u.Postcode)
	}
	if u.RegionID != 0 && u.Postcode != "" {
		f.key(path+".postcode", "must not be set together with region_id")
	}
}

func (e *Endpoint) validate(f *faults, path string) {
	validateURL(f, path+".url", e.URL)
	if err := e.HTTPClientConfig.Validate(); err != nil {
		f.key(path, "%w", err)
	}
}

func (s *Static) validate(f *faults, path string) {
	if s.GCO2eqPerKWh == nil {
		f.key(path+".gco2eq_per_kwh", "must be given with %s; set it to the gCO2eq/kWh of your grid or contract, and %s.source to where that is from", staticName(path), path)
	} else if !between(*s.GCO2eqPerKWh, 0, maxStatic) {
		f.key(path+".gco2eq_per_kwh", "must be 0 to %d, is %v", maxStatic, *s.GCO2eqPerKWh)
	}
	if s.Grid == "" {
		f.key(path+".grid", "must not be empty")
	}
}

// staticName is how a message calls a static source: there is a short form.
func staticName(path string) string {
	if path == "carbon_intensity.static" {
		return "provider: static"
	}
	return "static"
}
