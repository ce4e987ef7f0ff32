// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// sum adds a family up by one label.
func (s scrape) sum(name, label string) map[string]float64 {
	sums := map[string]float64{}
	s.each(name, func(labels map[string]string, v float64) { sums[labels[label]] += v })
	return sums
}

func (s scrape) each(name string, f func(labels map[string]string, v float64)) {
	for _, m := range s[name].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		f(labels, m.GetGauge().GetValue()+m.GetCounter().GetValue())
	}
}

func (s scrape) print(out io.Writer) {
	fmt.Fprintln(out)
	s.printProjects(out)
	fmt.Fprintln(out)
	s.printPeople(out)
	fmt.Fprintln(out)
	s.printState(out)
}

func table(out io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
}

func (s scrape) printProjects(out io.Writer) {
	energy, emissions := s.sum("carbon_energy_kwh", "project"), s.sum("carbon_emissions_gco2eq", "project")
	power, coverage := s.sum("carbon_power_watts", "project"), s.sum("carbon_coverage_ratio", "project")
	table := table(out)
	fmt.Fprintln(table, "PROJECT\tkWh\tgCO2eq\tg/kWh\tW NOW\tCOVERAGE\t")
	var kwh, grams, watts float64
	for _, p := range slices.Sorted(maps.Keys(energy)) {
		fmt.Fprintf(table, "%s\t%.3f\t%.0f\t%.0f\t%.0f\t%.1f %%\t\n",
			p, energy[p], emissions[p], emissions[p]/energy[p], power[p], 100*coverage[p])
		kwh, grams, watts = kwh+energy[p], grams+emissions[p], watts+power[p]
	}
	fmt.Fprintf(table, "site\t%.3f\t%.0f\t%.0f\t%.0f\t\t\n", kwh, grams, grams/kwh, watts)
	table.Flush()
}

// topUsers is how many users are shown.
const topUsers = 5

// printPeople shows who used the energy: all groups, and the users with the most.
func (s scrape) printPeople(out io.Writer) {
	table := table(out)
	fmt.Fprintln(table, "GROUP\tkWh\tgCO2eq\tIDLE\t")
	for _, g := range s.by("group") {
		fmt.Fprintf(table, "%s\t%.3f\t%.0f\t%.0f %%\t\n", g.name, g.kwh, g.grams, 100*g.idle/g.kwh)
	}
	table.Flush()
	fmt.Fprintln(out)
	groups := s.groups()
	users := slices.DeleteFunc(s.by("user"), func(u amount) bool { return u.name == "unattributed" })
	fmt.Fprintln(table, "TOP USER\tkWh\tgCO2eq\tIDLE\tGROUP\t")
	for _, u := range users[:min(topUsers, len(users))] {
		fmt.Fprintf(table, "%s\t%.3f\t%.0f\t%.0f %%\t%s\t\n", u.name, u.kwh, u.grams, 100*u.idle/u.kwh, groups[u.name])
	}
	table.Flush()
}

// amount is the usage of one user or group.
type amount struct {
	name             string
	kwh, idle, grams float64
}

// by adds usage up by one label, the most energy first.
func (s scrape) by(label string) []amount {
	emissions, idle := s.sum("carbon_emissions_gco2eq", label), map[string]float64{}
	s.each("carbon_energy_kwh", func(l map[string]string, v float64) {
		if l["mode"] == "idle" {
			idle[l[label]] += v
		}
	})
	var all []amount
	for name, kwh := range s.sum("carbon_energy_kwh", label) {
		all = append(all, amount{name, kwh, idle[name], emissions[name]})
	}
	slices.SortFunc(all, func(a, b amount) int { return cmp.Or(cmp.Compare(b.kwh, a.kwh), cmp.Compare(a.name, b.name)) })
	return all
}

// groups returns the users' groups; in three days none changes.
func (s scrape) groups() map[string]string {
	groups := map[string]string{}
	s.each("carbon_energy_kwh", func(l map[string]string, _ float64) { groups[l["user"]] = l["group"] })
	return groups
}

func (s scrape) printState(out io.Writer) {
	mode, users := s.sum("carbon_energy_kwh", "mode"), s.sum("carbon_energy_kwh", "user")
	kwh := mode["idle"] + mode["busy"]
	state, kind := s.sum("carbon_intervals", "state"), s.sum("carbon_intensity_gco2eq_per_kwh", "kind")
	fmt.Fprintf(out, `Idle machines took %.0f %% of the energy; %.0f %% was unattributed.
%.0f intervals of half an hour: %.0f settled, %.0f provisional, %.0f empty.
The grid now: %.0f gCO2eq/kWh forecast, %.0f the newest actual.
`, 100*mode["idle"]/kwh, 100*users["unattributed"]/kwh,
		state["settled"]+state["provisional"]+state["empty"], state["settled"], state["provisional"], state["empty"],
		kind["forecast"], kind["actual"])
}
