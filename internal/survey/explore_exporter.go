// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// manySeries is from how many series of one mode on only one core of each machine is looked
	// at. All cores of a machine have the same labels.
	manySeries = 2000
	// firstCore matches what exporters call the first core: 0, cpu0, 0,0.
	firstCore = "(cpu)?0(,0)?"
)

// exploration is of the series of one metric.
type exploration struct {
	*Asker
	known
	there   []string // the metrics that the server has
	few     string   // matchers that leave few series of each machine
	cores   string   // and those that leave one mode of every core
	found   Exporter
	unasked []string // what could not be asked
}

// run asks for everything. Nothing more is asked where there are no series.
func (x *exploration) run(ctx context.Context) error {
	if len(x.by) > 0 && !slices.ContainsFunc(x.by, func(metric string) bool { return slices.Contains(x.there, metric) }) {
		x.joined = false
	}
	if len(x.beside) > 0 && !slices.ContainsFunc(x.beside, func(metric string) bool { return slices.Contains(x.there, metric) }) {
		x.unread = fmt.Sprintf("the profile %s also needs %s", x.profile, strings.Join(x.beside, " or "))
	}
	x.found = Exporter{Profile: x.profile, Metric: x.metric, Joined: x.joined, Unread: x.unread, CPU: x.core, Mode: x.mode}
	for _, step := range []func(context.Context) error{x.series, x.labels, x.machines, x.labelMachines, x.scraped, x.info} {
		if err := step(ctx); err != nil || x.found.Series == 0 || x.found.Unread != "" {
			return err
		}
	}
	return nil
}

// series finds matchers that leave few series.
func (x *exploration) series(ctx context.Context) error {
	x.few = x.known.few
	n, err := x.count(ctx, "count("+selector(x.metric, x.few)+")")
	if err == nil && n == 0 && x.few != "" && x.alone() {
		x.few = ""
		n, err = x.count(ctx, "count("+selector(x.metric)+")")
	}
	x.found.Series, x.cores = n, x.few
	if err != nil || x.core == "" || n <= manySeries {
		return err
	}
	first := join(x.few, quoted(x.core)+"=~"+strconv.Quote(firstCore))
	if n, err = x.count(ctx, "count("+selector(x.metric, first)+")"); n > 0 {
		x.few, x.found.Series = first, n
	}
	return err
}

// alone reports whether a metric has one convention.
func (k known) alone() bool {
	return !slices.ContainsFunc(catalogue, func(o known) bool { return o.metric == k.metric && o.mode != k.mode })
}

// machines finds the label of the machines, and counts them and their cores.
func (x *exploration) machines(ctx context.Context) error {
	e := &x.found
	if e.Host = hostOf(*e, x.known); e.Host == "" {
		return nil
	}
	var err error
	if e.Machines, err = x.count(ctx, distinct(selector(x.metric, x.few), e.Host)); err != nil {
		return err
	}
	if e.Label("job") != nil {
		if e.Jobs, err = x.byJob(ctx, selector(x.metric, x.few)); err != nil {
			return err
		}
	}
	if x.core != "" {
		cores := selector(x.metric, x.cores, with(x.core), quoted(x.core)+`!~"(?i:.*total|all)"`)
		e.Cores, err = x.count(ctx, distinct(cores, e.Host, x.core))
	}
	return err
}

// byJob counts the machines of some series by job.
func (x *exploration) byJob(ctx context.Context, series string) ([]Count, error) {
	return x.counts(ctx, by(by(series, "job", x.found.Host), "job"), "job")
}

// scraped measures how often a machine is scraped, by the times of its last samples.
func (x *exploration) scraped(ctx context.Context) error {
	host := x.found.Label(x.found.Host)
	if host == nil {
		return nil
	}
	series := selector(x.metric, x.few, is(host.Name, host.Examples[0]))
	var r struct {
		Result []struct {
			Values [][]json.RawMessage `json:"values"`
		} `json:"result"`
	}
	if err := x.get(ctx, "api/v1/query", url.Values{"query": {series + "[11m]"}, "nocache": {"1"}}, &r); err != nil {
		return err
	}
	var apart []float64
	for _, one := range r.Result {
		last := math.NaN()
		for _, sample := range one.Values {
			var at float64
			if len(sample) == 0 || json.Unmarshal(sample[0], &at) != nil {
				return malformed("a sample is no time and value")
			}
			if at > last {
				apart = append(apart, at-last)
			}
			last = at
		}
	}
	if len(apart) > 0 {
		slices.Sort(apart)
		x.found.Scrape = time.Duration(math.Round(apart[len(apart)/2])) * time.Second
	}
	return nil
}
