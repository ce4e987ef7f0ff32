// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"reflect"

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

// fit names what has no name: a source has that of its kind, after that of its set, and the other
// chains of a site are of its grid.
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
		c.Also[i].Grid = cmp.Or(c.Also[i].Grid, c.Grid)
		name(&c.Also[i].Chain, c.Also[i].Name+"_")
	}
	if c.Marginal != nil {
		c.Marginal.Grid = cmp.Or(c.Marginal.Grid, c.Grid)
		name(c.Marginal, "marginal_")
	}
	for i := range c.Elsewhere {
		name(&c.Elsewhere[i], "")
	}
}
