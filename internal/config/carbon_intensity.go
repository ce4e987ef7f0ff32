package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The providers of the short form.
const (
	ProviderUK     = "uk"
	ProviderStatic = usage.ProviderStatic
)

// CarbonIntensity configures where the carbon intensity comes from: Sources or, as the short form
// of one, Provider. In the short form the section of the other provider is checked but not used.
type CarbonIntensity struct {
	Provider string  `yaml:"provider,omitempty"` // empty with Sources
	UK       UK      `yaml:"uk,omitempty"`
	Static   *Static `yaml:"static,omitempty"` // nil: none; never nil with ProviderStatic

	Chain     `yaml:",inline"`
	Also      []FactorSet `yaml:"also,omitempty"`      // what the same energy emitted by other factors
	Marginal  *Chain      `yaml:"marginal,omitempty"`  // of one more kWh; for when to run, never for a sum
	Elsewhere []Chain     `yaml:"elsewhere,omitempty"` // other grids, for where to run
}

// Chain is sources of one grid, in order of preference: the first that has a half hour counts.
type Chain struct {
	Grid     string   `yaml:"grid,omitempty"` // its name; empty: each source has its own
	Basis    Basis    `yaml:"basis,omitempty"`
	MixBases bool     `yaml:"mix_bases,omitempty"` // whether sources may count different things
	Sources  []Source `yaml:"sources,omitempty"`
}

// FactorSet is another chain for the same energy, with a name. Either it has Sources, or it is one
// source itself.
type FactorSet struct {
	Name  string `yaml:"name"`
	Chain `yaml:",inline"`
	Kinds `yaml:",inline"`
}

// Basis is what an intensity counts. An empty part is not declared.
type Basis struct {
	Signal      string `yaml:"signal,omitempty"`      // average or marginal
	Emissions   string `yaml:"emissions,omitempty"`   // lifecycle or direct
	Electricity string `yaml:"electricity,omitempty"` // consumption or production
}

// Source is one provider in a chain.
type Source struct {
	Name  string `yaml:"name,omitempty"` // for metrics; Parse fills it in
	Basis Basis  `yaml:"basis,omitempty"`
	Kinds `yaml:",inline"`
}

// Kinds are what a source can be; exactly one is not nil. Each has a file of its own.
type Kinds struct {
	UK              *UK              `yaml:"uk,omitempty"`
	Static          *Static          `yaml:"static,omitempty"`
	Prometheus      *GridPrometheus  `yaml:"prometheus,omitempty"`
	ElectricityMaps *ElectricityMaps `yaml:"electricity_maps,omitempty"`
	WattTime        *WattTime        `yaml:"watttime,omitempty"`
	EnergyCharts    *EnergyCharts    `yaml:"energy_charts,omitempty"`
	ENTSOE          *ENTSOE          `yaml:"entsoe,omitempty"`
	RTE             *RTE             `yaml:"rte,omitempty"`
	Energinet       *Energinet       `yaml:"energinet,omitempty"`
	OpenElectricity *OpenElectricity `yaml:"openelectricity,omitempty"`
	EIA             *EIA             `yaml:"eia,omitempty"`
	Table           *Table           `yaml:"table,omitempty"`
}

var kindsType = reflect.TypeFor[Kinds]()

func (Source) form(kind string) (reflect.Type, string) {
	switch kind {
	case mapping:
		return reflect.TypeFor[sourceKeys](), ""
	case scalar:
		return reflect.TypeFor[string](), ""
	}
	return nil, "the name of a source, or a mapping with it"
}

// sourceKeys is a Source that is a mapping.
type sourceKeys Source

// UnmarshalYAML reads either form: the name alone means all its defaults.
func (s *Source) UnmarshalYAML(n *yaml.Node) error {
	*s = Source{}
	if kindOf(n) == scalar {
		name := *n
		n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Content: []*yaml.Node{&name, {Kind: yaml.MappingNode, Tag: "!!map"}}}
	}
	return n.Decode((*sourceKeys)(s))
}

// kind is what all sources have.
type kind interface {
	validate(f *faults, path string)
	// grid is the name of its grid; empty: the source itself knows better.
	grid() string
}

// asked is a kind that is asked over HTTP.
type asked interface{ endpoint() *Endpoint }

// Endpoint is where a source is asked, and how.
type Endpoint struct {
	URL config.URL `yaml:"url,omitempty"`

	HTTPClientConfig config.HTTPClientConfig `yaml:",inline"`
}

func (e *Endpoint) endpoint() *Endpoint { return e }

// endpointAt returns the defaults of an endpoint.
func endpointAt(scheme, host string) Endpoint {
	return Endpoint{
		URL:              config.URL{URL: &url.URL{Scheme: scheme, Host: host}},
		HTTPClientConfig: config.DefaultHTTPClientConfig,
	}
}

// Token is a key of an API. At most one is set.
type Token struct {
	Token     config.Secret `yaml:"token,omitempty"`
	TokenFile string        `yaml:"token_file,omitempty"`
}

func (t *Token) tokenFile() *string { return &t.TokenFile }

func (t Token) validate(f *faults, path string) {
	switch {
	case t.Token != "" && t.TokenFile != "":
		f.key(path+".token_file", "must not be set together with token")
	case t.Token == "" && t.TokenFile == "":
		f.key(path+".token_file", "must be given: the file that holds the key of the API; or token, the key itself")
	}
}

// each calls f with every source, its kind and its path.
func (c *CarbonIntensity) each(f func(path string, s *Source)) {
	c.Chain.each("carbon_intensity", f)
	for i := range c.Also {
		path := fmt.Sprintf("carbon_intensity.also[%d]", i)
		set := &c.Also[i]
		if set.Kinds != (Kinds{}) {
			s := Source{Name: set.Name, Kinds: set.Kinds}
			f(path, &s)
			set.Kinds = s.Kinds
		}
		set.Chain.each(path, f)
	}
	if c.Marginal != nil {
		c.Marginal.each("carbon_intensity.marginal", f)
	}
	for i := range c.Elsewhere {
		c.Elsewhere[i].each(fmt.Sprintf("carbon_intensity.elsewhere[%d]", i), f)
	}
}

func (c *Chain) each(path string, f func(path string, s *Source)) {
	for i := range c.Sources {
		f(fmt.Sprintf("%s.sources[%d]", path, i), &c.Sources[i])
	}
}

// Priced is the chain whose values price usage: the short form is a chain of one.
func (c *CarbonIntensity) Priced() Chain {
	if len(c.Sources) > 0 {
		return c.Chain
	}
	chain := c.Chain
	one := Source{Name: c.Provider}
	if c.Provider == ProviderStatic {
		one.Static = c.Static
	} else {
		one.UK = &c.UK
	}
	chain.Sources = []Source{one}
	return chain
}

// Chains lists those that the exporter asks: the one that prices usage, those of Also, and
// Marginal.
func (c *CarbonIntensity) Chains() []Chain {
	all := []Chain{c.Priced()}
	for _, set := range c.Also {
		all = append(all, set.Whole())
	}
	if c.Marginal != nil {
		all = append(all, *c.Marginal)
	}
	return all
}

// Statics are the values for all time that price usage, by their names in metrics. In the short
// form that of the section counts even while another provider is in use: it may have been before.
func (c *CarbonIntensity) Statics() map[usage.GridName]*Static {
	found := map[usage.GridName]*Static{}
	if c.Static != nil && c.Static.GCO2eqPerKWh != nil {
		found[usage.GridName{Provider: ProviderStatic, Grid: c.Static.Grid}] = c.Static
	}
	for _, s := range c.Sources {
		if s.Static != nil {
			found[usage.GridName{Provider: s.Name, Grid: c.GridName(s)}] = s.Static
		}
	}
	return found
}

// Whole is the set as a chain.
func (s FactorSet) Whole() Chain {
	chain := s.Chain
	if len(chain.Sources) == 0 {
		chain.Sources = []Source{{Name: s.Name, Kinds: s.Kinds}}
	}
	return chain
}

// Fixed returns the value of a chain that is nothing but one value for all time; nil: it is not.
func (c Chain) Fixed() *Static {
	if len(c.Sources) != 1 {
		return nil
	}
	return c.Sources[0].Static
}

// Kind is the name of the kind of a source, as the configuration has it.
func (k Kinds) Kind() string {
	for name := range k.all() {
		return name
	}
	return ""
}

// Endpoint is where a source is asked; empty: nowhere.
func (k Kinds) Endpoint() Endpoint {
	for _, one := range k.all() {
		if at, ok := one.(asked); ok {
			return *at.endpoint()
		}
	}
	return Endpoint{}
}

// NeedsKey reports whether a source has the key of an API.
func (k Kinds) NeedsKey() bool {
	for _, one := range k.all() {
		if _, ok := one.(interface{ tokenFile() *string }); ok {
			return true
		}
	}
	return false
}

// GridName is the name of a source's grid in a chain; empty: the source itself knows.
func (c Chain) GridName(s Source) string {
	if c.Grid != "" {
		return c.Grid
	}
	for _, one := range s.all() {
		return one.grid()
	}
	return ""
}

// all lists the kinds that are set, by name.
func (k Kinds) all() map[string]kind {
	found := map[string]kind{}
	v := reflect.ValueOf(k)
	for _, field := range keyFields(v.Type()) {
		if p := v.Field(field.index); !p.IsNil() {
			found[field.name], _ = reflect.TypeAssert[kind](p)
		}
	}
	return found
}

// copied is the kinds with a value of its own for the one that is set.
func (k Kinds) copied() Kinds {
	v := reflect.ValueOf(&k).Elem()
	for _, p := range v.Fields() {
		if !p.IsNil() {
			fresh := reflect.New(p.Type().Elem())
			fresh.Elem().Set(p.Elem())
			p.Set(fresh)
		}
	}
	return k
}

// fit names what has no name: a source has that of its kind, after that of its set.
func (c *CarbonIntensity) fit() {
	if len(c.Sources) > 0 {
		c.Provider, c.UK, c.Static = "", UK{}, nil
	}
	name := func(chain *Chain, prefix string) {
		for i := range chain.Sources {
			if s := &chain.Sources[i]; s.Name == "" {
				s.Name = prefix + s.Kind()
			}
		}
	}
	name(&c.Chain, "")
	for i := range c.Also {
		name(&c.Also[i].Chain, c.Also[i].Name+"_")
	}
	if c.Marginal != nil {
		name(c.Marginal, "marginal_")
	}
	for i := range c.Elsewhere {
		name(&c.Elsewhere[i], "")
	}
}

// setDirectory makes file names relative to the configuration file.
func (c *CarbonIntensity) setDirectory(dir string) {
	of := func(k Kinds) {
		for _, one := range k.all() {
			if at, ok := one.(asked); ok {
				setDirectoryOfClient(&at.endpoint().HTTPClientConfig, dir)
			}
			if with, ok := one.(interface{ tokenFile() *string }); ok {
				*with.tokenFile() = config.JoinDir(dir, *with.tokenFile())
			}
		}
	}
	setDirectoryOfClient(&c.UK.HTTPClientConfig, dir)
	c.each(func(_ string, s *Source) { of(s.Kinds) })
}

// redacted is a copy without secrets.
func (c CarbonIntensity) redacted() CarbonIntensity {
	hide := func(e *Endpoint) {
		e.URL = redactURL(e.URL)
		redactClient(&e.HTTPClientConfig)
	}
	hide(&c.UK.Endpoint)
	c.Sources = slices.Clone(c.Sources)
	c.Also, c.Elsewhere = slices.Clone(c.Also), slices.Clone(c.Elsewhere)
	for i := range c.Also {
		c.Also[i].Sources = slices.Clone(c.Also[i].Sources)
	}
	for i := range c.Elsewhere {
		c.Elsewhere[i].Sources = slices.Clone(c.Elsewhere[i].Sources)
	}
	if c.Marginal != nil {
		marginal := *c.Marginal
		marginal.Sources = slices.Clone(marginal.Sources)
		c.Marginal = &marginal
	}
	c.each(func(_ string, s *Source) {
		s.Kinds = s.copied()
		for _, one := range s.all() {
			if at, ok := one.(asked); ok {
				hide(at.endpoint())
			}
		}
	})
	return c
}

// UK is the UK Carbon Intensity API: for a region, a postcode or, if neither is set, the
// nation.
type UK struct {
	Endpoint `yaml:",inline"`
	RegionID int    `yaml:"region_id"` // 1 to 17; 0: none
	Postcode string `yaml:"postcode"`  // outward code, such as OX11
}

func defaultUK() UK { return UK{Endpoint: endpointAt("https", "api.carbonintensity.org.uk")} }

// UnmarshalYAML sets the section's defaults first.
func (u *UK) UnmarshalYAML(section *yaml.Node) error {
	*u = defaultUK()
	type plain UK
	return section.Decode((*plain)(u))
}

func (u *UK) grid() string { return "" }

// Static is one intensity for all time. It is written as a mapping or as the number alone.
type Static struct {
	GCO2eqPerKWh *float64 `yaml:"gco2eq_per_kwh,omitempty"` // never nil where it is used
	Grid         string   `yaml:"grid"`
	Source       string   `yaml:"source,omitempty"` // where the value is from, for people
}

// staticKeys is a Static that is a mapping.
type staticKeys Static

func (Static) form(kind string) (reflect.Type, string) {
	switch kind {
	case mapping:
		return reflect.TypeFor[staticKeys](), ""
	case scalar:
		return reflect.TypeFor[float64](), ""
	}
	return nil, "a number, or a mapping with gco2eq_per_kwh"
}

// UnmarshalYAML sets the section's defaults first. The value itself has none: whose it would be
// is not known.
func (s *Static) UnmarshalYAML(section *yaml.Node) error {
	*s = Static{Grid: usage.Unknown}
	if kindOf(section) == scalar {
		return section.Decode(&s.GCO2eqPerKWh)
	}
	return section.Decode((*staticKeys)(s))
}

func (s *Static) grid() string { return s.Grid }
