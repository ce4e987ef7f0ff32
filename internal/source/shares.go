// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Shares are counters of what used the CPU time of hosts: the containers of a node, the jobs of a
// cluster. The hosts' own counters say how much there was.
type Shares struct {
	Metric     string // of busy time
	Matchers   string
	Unit       float64 // seconds in the unit of the counters; 0: 1
	Project    string
	User       string
	Hosts      []string // labels any of which may name the host
	Each       []string // labels that tell the counters of one share apart; empty: what is there twice counts twice
	CoresQuery string   // cores reserved for each share; empty: none
	Info       []Info
}

// share is what is known of one share on one host.
type share struct {
	host          string
	project, user string
	said          map[string]string // its labels in common with Infos
	busy          []float64         // CPU seconds by piece; NaN: not known
	after         []float64         // since it was seen before, however long ago; known beside holes only
	reserved      []float64         // core seconds by piece
	rate          []float64         // cores reserved on average while any were, by piece; known beside holes only
}

// allShares are the shares of a row of pieces.
type allShares struct {
	query   *Shares
	hosts   *hostNames
	byHost  map[string][]*share
	byKey   map[[3]string]*share
	strange map[string]bool  // names of hosts that are not known
	several map[string]bool  // names that more than one host has
	over    map[string]bool  // hosts of which shares say that they used much more than there was
	row     []usage.Interval // the pieces to divide
	pieces  int              // that are known: those, and some after them
	rejects usage.Rejects
}

// newShares has no shares yet.
func newShares(q *Shares, hosts *hostNames, pieces []usage.Interval, rejects usage.Rejects) *allShares {
	return &allShares{
		query: q, hosts: hosts, byHost: map[string][]*share{}, byKey: map[[3]string]*share{},
		strange: map[string]bool{}, several: map[string]bool{}, over: map[string]bool{}, row: pieces, pieces: len(pieces), rejects: rejects,
	}
}

// shared has no shares yet of the hosts of a table.
func (t *edges) shared(readings []usage.Reading) *allShares {
	from, _ := t.asked()
	return newShares(t.query.Shares, callHosts(t.names, t.info, t.beside, len(readings)), t.pieces[from:from+len(readings)], t.rejects)
}

// shareOut divides what hosts used among the shares of each. What no share used stays the hosts'
// own, and is nobody's. holes are times in which hosts were not scraped.
func (c *Client) shareOut(ctx context.Context, all *allShares, holes map[string][]span, readings []usage.Reading) error {
	all.hosts.booked(readings)
	pieces := piecesTo(all.row, holes)
	all.pieces = len(pieces)
	if err := c.askShares(ctx, all, pieces, len(holes) > 0); err != nil {
		return err
	}
	for host, of := range holes {
		all.bridge(host, of, pieces)
	}
	info, err := c.askInfo(ctx, c.Query.Shares.Info, pieces, nil)
	if err != nil {
		return err
	}
	for i := range readings {
		readings[i].Samples = all.divide(readings[i].Samples, i, info)
		readings[i].Final = false // what comes late may be a share, which says nothing of the hosts
	}
	last := &readings[len(readings)-1]
	last.Remarks = slices.Concat(last.Remarks, all.remarks(last), info.remarks())
	return nil
}

// askShares asks what shares did and, if there are holes, at which rate cores were reserved.
func (c *Client) askShares(ctx context.Context, all *allShares, pieces []usage.Interval, holes bool) error {
	q, window := c.Query.Shares, pieces[0].Length
	busy := &shareSink{all: all, first: seconds(pieces[0].End()), step: window.Seconds(), unit: q.unit(), into: func(s *share) []float64 { return s.busy }}
	err := cmp.Or(c.ask(ctx, endsOf(pieces), q.growth(window, lately, ""), q.labels(), busy), busy.failed)
	if len(pieces) == 1 && usage.IsTooLarge(err) {
		err = c.askSharesByProject(ctx, busy, pieces[0])
	}
	if err == nil && holes {
		since := *busy
		since.into = func(s *share) []float64 { return s.after }
		err = cmp.Or(c.ask(ctx, endsOf(pieces), q.growth(window, bornWithin, ""), q.labels(), &since), since.failed)
	}
	if err != nil || q.CoresQuery == "" {
		return err
	}
	sum := &shareSink{all: all, first: busy.first, step: busy.step, unit: 1, into: func(s *share) []float64 { return s.reserved }}
	if err := cmp.Or(c.ask(ctx, endsOf(pieces), q.reserved(window), q.labels(), sum), sum.failed); err != nil || !holes {
		return err
	}
	mean := *sum
	mean.into = func(s *share) []float64 { return s.rate }
	return cmp.Or(c.ask(ctx, endsOf(pieces), q.reservedRate(window), q.labels(), &mean), mean.failed)
}

// unknown is nothing known of some pieces.
func unknown(pieces int) []float64 { return slices.Repeat([]float64{math.NaN()}, pieces) }

// askSharesByProject asks for a piece that is too large for the server, project by project.
func (c *Client) askSharesByProject(ctx context.Context, s *shareSink, piece usage.Interval) error {
	q := c.Query.Shares
	projects, err := c.valuesOf(ctx, q.Project, selectorOf(q.Metric, q.Matchers), usage.Period{From: piece.Start, To: piece.End()})
	if err != nil {
		return err
	}
	for _, p := range append(projects, "") {
		if err := c.ask(ctx, endsOf([]usage.Interval{piece}), q.growth(piece.Length, lately, is(q.Project, "=", p)), q.labels(), s); err != nil {
			return err
		}
	}
	return nil
}

// shareSink receives one quantity of shares.
type shareSink struct {
	all         *allShares
	first, step float64
	unit        float64
	into        func(*share) []float64
	values      []string // labels of the series
	named       []string // hosts that it names, as they are spelled
	share       *share   // of the last point
	failed      error    // a point has found no room
}

// Series implements sink.
func (k *shareSink) Series(values []string) error {
	k.values, k.share, k.named = values, nil, nil
	labels := k.all.query.labels()
	for _, label := range k.all.query.Hosts {
		k.named = append(k.named, spelling(values[slices.Index(labels, label)]))
	}
	return k.failed
}

// Point implements sink.
func (k *shareSink) Point(at, v float64) {
	i, ok := columnOf(at, k.first, k.step, k.all.pieces)
	if !ok {
		k.all.rejects[rejectTimestamp]++
		return
	}
	host := k.all.host(k.named, i)
	if host == "" || k.failed != nil {
		return
	}
	if v *= k.unit; !(v >= 0 && v <= maxCores*k.step) { // or NaN
		k.all.rejects[rejectOverCapacity]++
		return
	}
	if k.share == nil || k.share.host != host {
		if k.share, k.failed = k.all.share(host, k.values); k.failed != nil {
			return
		}
	}
	if row := k.into(k.share); math.IsNaN(row[i]) {
		row[i] = v
	} else {
		row[i] += v
	}
}

// Odd implements sink.
func (k *shareSink) Odd(float64) { k.all.rejects[rejectNotANumber]++ }

// Histogram implements sink.
func (k *shareSink) Histogram() { k.all.rejects[rejectHistogram]++ }

// host returns the host that a series names in a piece; empty: none that is known.
func (all *allShares) host(named []string, piece int) string {
	strange, several := "", ""
	for _, name := range named {
		host, more := all.hosts.host(name, piece)
		if host != "" {
			return host
		}
		if more {
			several = cmp.Or(several, name)
		}
		strange = cmp.Or(strange, name)
	}
	switch {
	case several != "" && len(all.several) < maxStrange:
		all.several[several] = true
	case several == "" && strange != "" && len(all.strange) < maxStrange: // a pod that waits has no node
		all.strange[strange] = true
	}
	return ""
}

// share returns what is known of the share of a series on a host.
func (all *allShares) share(host string, values []string) (*share, error) {
	q := all.query
	labels := q.labels()
	of := func(label string) string { return values[slices.Index(labels, label)] }
	key := [3]string{host, usage.Name(of(q.Project)), usage.Name(of(q.User))}
	if s := all.byKey[key]; s != nil {
		return s, nil
	}
	if len(all.byKey) >= maxHosts || len(all.byKey)*all.pieces*parts > maxCells {
		return nil, errTooManySeries()
	}
	s := &share{host: key[0], project: key[1], user: key[2], said: map[string]string{}, busy: unknown(all.pieces), after: unknown(all.pieces), reserved: make([]float64, all.pieces), rate: make([]float64, all.pieces)}
	for _, i := range q.Info {
		for _, label := range i.On {
			s.said[label] = of(label)
		}
	}
	all.byKey[key] = s
	all.byHost[host] = append(all.byHost[host], s)
	return s, nil
}

// maxStrange bounds the names of hosts that are not known.
const maxStrange = 1000
