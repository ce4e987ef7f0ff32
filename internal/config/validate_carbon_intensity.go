package config

import (
	"regexp"
)

// maxStatic is above what any country emits in a year.
const maxStatic = 1000

// outwardCode is the first half of a UK postcode; the API accepts no more.
var outwardCode = regexp.MustCompile(`^[A-Z]{1,2}[0-9][A-Z0-9]?$`)

func (c *CarbonIntensity) validate(f *faults) {
	validateOneOf(f, "carbon_intensity.provider", c.Provider, ProviderUK, ProviderStatic)
	validateURL(f, "carbon_intensity.uk.url", c.UK.URL)
	if c.UK.RegionID < 0 || c.UK.RegionID > 17 {
		f.key("carbon_intensity.uk.region_id", "must be 1 to 17, or 0 for none, is %d", c.UK.RegionID)
	}
	if c.UK.Postcode != "" && !outwardCode.MatchString(c.UK.Postcode) {
		f.key("carbon_intensity.uk.postcode", "must be the first half of a postcode, such as OX11, is %q", c.UK.Postcode)
	}
	if c.UK.RegionID != 0 && c.UK.Postcode != "" {
		f.key("carbon_intensity.uk.postcode", "must not be set together with region_id")
	}
	c.validateStatic(f)
}

func (c *CarbonIntensity) validateStatic(f *faults) {
	const value = "carbon_intensity.static.gco2eq_per_kwh"
	if c.Provider == ProviderStatic && (c.Static == nil || c.Static.GCO2eqPerKWh == nil) {
		f.key(value, "must be given with provider: static; set it to the gCO2eq/kWh of your grid or contract, and carbon_intensity.static.source to where that is from")
	}
	if c.Static == nil {
		return
	}
	if v := c.Static.GCO2eqPerKWh; v != nil && !between(*v, 0, maxStatic) {
		f.key(value, "must be 0 to %d, is %v", maxStatic, *v)
	}
	if c.Static.Grid == "" {
		f.key("carbon_intensity.static.grid", "must not be empty")
	}
}
