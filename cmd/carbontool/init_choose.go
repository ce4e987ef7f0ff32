// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/proposal"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// given takes what the flags say beside the server.
func (i *initialise) given(set *proposal.Settings) error {
	power := config.Default().Power
	set.BusyWatts, set.IdleWatts = power.BusyWatts, power.IdleWatts
	set.Assumed = i.intensity == ""
	if !set.Assumed {
		if err := takeIntensity(set, i.intensity); err != nil {
			return wrongUsef("--carbon-intensity %w", err)
		}
	}
	set.Timezone = i.timezone
	if set.Timezone == "" {
		set.Timezone = localZone()
	} else if err := isZone(set.Timezone); err != nil {
		return wrongUsef("--timezone %w", err)
	}
	return nil
}

// takeIntensity reads uk, the code of a country, table=COUNTRY, a number, or static=NUMBER,GRID.
func takeIntensity(set *proposal.Settings, text string) error {
	set.Assumed = false
	if strings.EqualFold(text, config.ProviderUK) {
		return nil
	}
	zone, table := text, false
	for _, sign := range []string{"=", ":"} {
		if rest, found := strings.CutPrefix(text, "table"+sign); found {
			zone, table = strings.TrimSpace(rest), true
		}
	}
	place, unknown := intensity.PlaceOf(zone)
	if unknown == nil {
		set.Zone, set.Country = strings.ToUpper(zone), fmt.Sprintf("%s in %d", place.Name, place.Year)
		return nil
	}
	if table {
		return fmt.Errorf("%s: %w", text, unknown)
	}
	number, grid, _ := strings.Cut(strings.TrimPrefix(text, config.ProviderStatic+"="), ",")
	grams, err := strconv.ParseFloat(number, 64)
	if err != nil || !(grams >= 0 && grams <= 1000) {
		return fmt.Errorf("must be uk, or the code of a country, such as table=FR, or a number of gCO2eq per kWh and the name of the grid, such as static=56,FR, is %q", text)
	}
	set.Static, set.Grid = &grams, strings.TrimSpace(grid)
	return nil
}

func isZone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return fmt.Errorf("must be a time zone such as Europe/Paris, is %q", name)
	}
	return nil
}

// localZone is the name of this machine's time zone; UTC if it has none.
func localZone() string {
	name := os.Getenv("TZ")
	if name == "" {
		target, _ := filepath.EvalSymlinks("/etc/localtime")
		_, name, _ = strings.Cut(target, "/zoneinfo/")
	}
	name = strings.TrimPrefix(strings.TrimPrefix(name, ":"), "Etc/")
	if isZone(name) != nil {
		return "UTC"
	}
	return name
}

// choose makes the proposal and, if there is a person, asks what cannot be known for sure.
func choose(ctx context.Context, out io.Writer, person *dialogue, offers []proposal.Offer, set *proposal.Settings) (*proposal.Proposal, error) {
	fmt.Fprintf(out, "%s at %s has:\n", escape.Line(set.Server.String()), escape.Line(set.URL))
	for _, o := range offers {
		fmt.Fprintf(out, "  %s\n", o.Words())
	}
	chosen := 0
	if person != nil && len(offers) > 1 {
		options := make([]option, len(offers))
		for i, o := range offers {
			options[i] = option{o.Exporter.Profile, o.Why}
		}
		var err error
		if chosen, err = person.choose(ctx, "Which one counts?", options, 0); err != nil {
			return nil, err
		}
	}
	defaults, err := defaultsOf(offers[chosen].Exporter.Profile)
	if err != nil {
		return nil, err
	}
	p := proposal.Make(offers, chosen, defaults)
	if person != nil {
		if err := ask(ctx, person, p, set); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// defaultsOf is what a profile says, which the file need not repeat.
func defaultsOf(profile string) (proposal.Defaults, error) {
	c, err := config.Parse(profile, []byte("prometheus: {profile: "+profile+"}"))
	if err != nil {
		return proposal.Defaults{}, fmt.Errorf("read the profile: %w", err)
	}
	l := c.Prometheus.Labels
	return proposal.Defaults{
		Metric: c.Prometheus.Metric, Host: l.Host, Project: l.Project, Machine: l.Machine, User: l.User, Mode: l.Mode,
		CoresQuery: c.Prometheus.CoresQuery,
	}, nil
}

// ask asks for labels, jobs, the grid and the time zone.
func ask(ctx context.Context, person *dialogue, p *proposal.Proposal, set *proposal.Settings) error {
	if p.OwnLabels() {
		for _, part := range proposal.Parts() {
			if err := askLabel(ctx, person, p, part); err != nil {
				return err
			}
		}
		if err := askJob(ctx, person, p); err != nil {
			return err
		}
	}
	if set.Assumed {
		err := person.valid(ctx, "Carbon intensity: uk for the grid of Great Britain, or the code of your country, such as FR, or gCO2eq per kWh and the name of your grid, such as 56,FR", config.ProviderUK,
			func(answer string) error { return takeIntensity(set, answer) })
		if err != nil {
			return err
		}
	}
	return person.valid(ctx, "Time zone for budgets and reports", set.Timezone, func(answer string) error {
		set.Timezone = answer
		return isZone(answer)
	})
}

// askLabel asks which label names a part, if there is a choice.
func askLabel(ctx context.Context, person *dialogue, p *proposal.Proposal, part proposal.Part) error {
	candidates := p.Candidates(part)
	if len(candidates) == 0 || part == proposal.Host && len(candidates) == 1 {
		return nil
	}
	var options []option
	usual := -1
	for i, c := range candidates {
		options = append(options, option{c.Name, c.Facts})
		if c.Name == p.Label(part) {
			usual = i
		}
	}
	if part != proposal.Host {
		options = append(options, option{"none of them", ""})
	}
	if usual < 0 {
		usual = len(options) - 1
	}
	chosen, err := person.choose(ctx, fmt.Sprintf("Which label names the %s?", part), options, usual)
	if err != nil {
		return err
	}
	if chosen == len(candidates) {
		p.Take(part, "")
	} else {
		p.Take(part, candidates[chosen].Name)
	}
	return nil
}

// askJob asks which jobs count, if there are several.
func askJob(ctx context.Context, person *dialogue, p *proposal.Proposal) error {
	jobs := p.Exporter.Jobs
	if len(jobs) < 2 {
		return nil
	}
	options := []option{{"all of them", ""}}
	if m := p.Matchers(); m != "" {
		options = []option{{"as proposed", m}, options[0]}
	}
	first := len(options)
	for _, j := range jobs {
		options = append(options, option{j.Name, fmt.Sprintf("%d machines", j.N)})
	}
	chosen, err := person.choose(ctx, "Which jobs count?", options, 0)
	switch {
	case err != nil:
		return err
	case chosen >= first:
		p.Only(jobs[chosen-first].Name)
	case options[chosen].name == "all of them":
		p.Only("")
	}
	return nil
}

// warn says what will be missing from the numbers, before it is.
func (i *initialise) warn(out io.Writer, p *proposal.Proposal, set proposal.Settings, f survey.Facts) {
	all := p.Warnings()
	for _, failed := range f.Unasked {
		all = append(all, "not looked at: "+failed)
	}
	if set.Assumed {
		all = append(all, "carbon intensity is ASSUMED to be that of Great Britain: elsewhere all grams will be wrong. "+
			"Give --carbon-intensity=table=COUNTRY or static=GRAMS,GRID, or change it in the file")
	}
	for _, w := range all {
		fmt.Fprintf(out, "WARNING: %s.\n", escape.Line(w))
	}
}
