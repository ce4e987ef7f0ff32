// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sightWindow is how far back a host may have been seen to be there.
const sightWindow = 15 * time.Minute

// Look returns what the server has at a moment, and says what there is instead if that is
// nothing. In the usual case it asks twice, for little: the cores of each label set, and whether there
// are busy modes.
func (c *Client) Look(ctx context.Context, at time.Time) (usage.Sight, error) {
	l := c.Query.Labels
	s := usage.Sight{Labels: map[string]string{
		usage.LostProject: l.Project, usage.LostMachine: l.Machine, usage.LostHost: l.Host, usage.LostUser: l.User,
	}}
	found := &sightSink{hosts: map[string]bool{}, projects: map[string]*projectSight{}, machines: map[string]bool{}, lacking: map[string]map[string]bool{}}
	selector := ""
	for _, form := range c.sightForms() {
		if err := c.ask(ctx, instantOf(at), form.query, l.list(), found); err != nil {
			return s, err
		}
		if len(found.hosts) > 0 {
			selector = form.selector
			found.into(&s, form.cores)
			c.extent.guess(s.Hosts, len(c.Query.BusyModes)+len(c.Query.IdleModes)+len(c.Query.OtherModes))
			break
		}
	}
	if other := c.byFallback(); len(found.hosts) == 0 && other != nil { // as in Read
		if there, err := other.Look(ctx, at); err != nil || there.Hosts > 0 {
			return there, err
		}
	}
	if len(found.hosts) == 0 {
		s.Instead = c.Instead(ctx)
		return s, nil
	}
	if len(c.Query.Info) > 0 || c.Query.Shares != nil { // projects and machine types come from elsewhere
		s.Projects, s.Machines, s.Lacking = nil, nil, nil
	}
	if s.Cores == 0 && c.Query.CoresQuery != "" {
		cores := &coreSumSink{}
		if err := c.ask(ctx, instantOf(at), c.Query.cores(sightWindow, nil), l.list(), cores); err == nil {
			s.Cores = int(cores.sum)
		}
	}
	if selector != "" && (s.Lacking == nil || len(s.MostLack()) > 0) {
		s.Have, _ = c.labelNames(ctx, selector) // for a sentence that does without, too
	}
	s.Instead = c.lacksModes(ctx)
	return s, nil
}

// instantOf is a grid of one moment, in whole seconds.
func instantOf(at time.Time) grid {
	at = at.Truncate(time.Second)
	return grid{at, at, time.Minute}
}

// sightForm is a query for hosts.
type sightForm struct {
	query    string
	selector string // of the series; empty: not known
	cores    bool   // its values are cores
}

// sightForms are the queries to try, one after the other.
func (c *Client) sightForms() []sightForm {
	q := c.Query
	if q.given() {
		return []sightForm{{query: q.busy(sightWindow)}}
	}
	here := func(q Query) sightForm {
		s := q.selector(q.everyCore(q.oneMode()), nil)
		return sightForm{query: fmt.Sprintf("count by (%s) (count_over_time(%s[%s]))", q.by(), s, promDuration(sightWindow)), selector: s}
	}
	var forms []sightForm
	if q.CoresQuery == "" {
		forms = append(forms, sightForm{query: q.cores(sightWindow, nil), selector: q.selector(q.everyCore(q.oneMode()), nil), cores: true})
	}
	forms = append(forms, here(q))
	if sums := q; sums.Labels.CPU != "" {
		sums.withSums = true
		forms = append(forms, here(sums))
	}
	return forms
}

// sightSink receives hosts.
type sightSink struct {
	hosts    map[string]bool
	projects map[string]*projectSight
	machines map[string]bool
	lacking  map[string]map[string]bool
	project  *projectSight
}

type projectSight struct {
	hosts map[string]bool
	cores float64
}

// Series implements sink.
func (k *sightSink) Series(labels []string) error {
	if len(k.hosts) >= maxHosts {
		return errTooManySeries()
	}
	series := rawSeries(labels)
	k.hosts[series.Host] = true
	called := named(series)
	k.machines[called.Machine] = true
	if k.projects[called.Project] == nil {
		k.projects[called.Project] = &projectSight{hosts: map[string]bool{}}
	}
	k.project = k.projects[called.Project]
	k.project.hosts[series.Host] = true
	for what, value := range map[string]string{
		usage.LostProject: labels[0], usage.LostMachine: labels[1], usage.LostHost: labels[2], usage.LostUser: labels[3],
	} {
		if value != "" {
			continue
		}
		if k.lacking[what] == nil {
			k.lacking[what] = map[string]bool{}
		}
		k.lacking[what][series.Host] = true
	}
	return nil
}

// Point implements sink.
func (k *sightSink) Point(_, v float64) { k.project.cores += v }

// Odd implements sink.
func (k *sightSink) Odd(float64) {}

// Histogram implements sink.
func (k *sightSink) Histogram() {}

// into writes what was found.
func (k *sightSink) into(s *usage.Sight, cores bool) {
	s.Hosts, s.Projects, s.Lacking = len(k.hosts), map[string]usage.Presence{}, map[string]int{}
	for name, p := range k.projects {
		presence := usage.Presence{Hosts: len(p.hosts)}
		if cores {
			presence.Cores = int(p.cores)
			s.Cores += presence.Cores
		}
		s.Projects[name] = presence
	}
	delete(k.machines, usage.Unknown)
	s.Machines = slices.Sorted(maps.Keys(k.machines))
	for what, hosts := range k.lacking {
		s.Lacking[what] = len(hosts)
	}
}

// coreSumSink adds up cores.
type coreSumSink struct{ sum float64 }

// Series implements sink.
func (k *coreSumSink) Series([]string) error { return nil }

// Point implements sink.
func (k *coreSumSink) Point(_, v float64) { k.sum += v }

// Odd implements sink.
func (k *coreSumSink) Odd(float64) {}

// Histogram implements sink.
func (k *coreSumSink) Histogram() {}

// labelNames lists the labels of series that are there now.
func (c *Client) labelNames(ctx context.Context, selector string) ([]string, error) {
	u := c.URL.JoinPath("api/v1/labels")
	u.RawQuery = url.Values{"match[]": {selector}}.Encode()
	names, err := c.listed(ctx, u)
	names = slices.DeleteFunc(names, func(n string) bool { return n == "__name__" })
	return names, c.Upstream.Failed("list labels", err)
}
