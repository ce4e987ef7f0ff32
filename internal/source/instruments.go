// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Instruments configures what is asked beside CPU seconds. The zero value asks for nothing. All
// queries are the operator's own and may be any PromQL.
type Instruments struct {
	Processors Processors
	Meters     []Meter // in the order of preference
	Devices    []Device
	Memory     Memory
	PUE        string
	Zones      []Zone
	// Strict makes an error of a query that the server refuses: for who asks for one instrument to see
	// whether it is well.
	Strict bool
}

// Processors says which series name the model of a host's processors: one for each hardware
// thread, such as node_cpu_info, or for each processor. Host, Model and Package are labels; an
// empty Host is that of the CPU seconds, and without Package nothing is known of threads.
type Processors struct {
	Query, Host, Model, Package string
}

// Meter measures the power of hosts, in watts. Series of one host, such as its power supplies, are
// added up. An empty Host is the label of the CPU seconds.
type Meter struct {
	Name, Query, Host string
	Error             *float64
	Includes          []string // names of devices of the same host that it measures, too
}

// Device has a meter of its own. Project, User and Host are the labels that say whose it is and where;
// an empty one is that of the CPU seconds, but that of hosts with Shares no label of the device says
// whose it is.
type Device struct {
	Name, Query         string
	Project, User, Host string
	Unit                float64 // joules in the unit of the counter; 0: it is a gauge, of watts
	Error               *float64
}

// Memory is how many bytes of memory each host has. An empty Host is the label of the CPU seconds.
type Memory struct {
	Query, Host string
}

// Zone measures the power of the site or of a part of it, in watts. All series are added up.
type Zone struct {
	Name, Query string
}

const (
	// leastPUE and mostPUE are the values that a PUE can have: a site uses no less than its
	// machines do, and ten times that is no measurement.
	leastPUE, mostPUE = 1.0, 10.0
	// minuteGrid is how often power and memory are looked at.
	minuteGrid = time.Minute
	// maxRemarks bounds what is said of one reading.
	maxRemarks = 20

	rejectRange = "out_of_range"
)

// gridStep is how often power is looked at in a piece: each minute, or as often as fits if a piece
// is no whole minutes.
func gridStep(piece time.Duration) time.Duration {
	a, b := piece, minuteGrid
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// gridSteps are the steps to try for a piece, the finest first: a server to which a piece is too
// large at once is asked for fewer values of it.
func gridSteps(piece time.Duration) []time.Duration {
	steps := []time.Duration{gridStep(piece)}
	for _, coarser := range []time.Duration{5 * steps[0], piece} {
		if coarser > steps[len(steps)-1] && piece%coarser == 0 {
			steps = append(steps, coarser)
		}
	}
	return steps
}

// Instruments returns what is known beside CPU time of every piece of a run of adjacent intervals,
// in order, and the number of rejected samples. models says whether processors are asked for. It
// returns all or nothing. A run of several intervals that is too large for the server is a Failure
// with TooLarge; the pieces of a single interval are then asked for one by one, and if that is
// too much, power and memory at fewer moments of each.
//
// What it costs, in queries for a whole run, and in samples that the server looks at for each
// series and piece of half an hour; an instrument that is not configured costs nothing:
//
//	processors          1 query    all scrapes, twice
//	meter, zone         2 queries  100, and 24 of the day before for each run; 1 query more, of 120 or 180, where a value is missing or no power
//	device, a gauge     2 queries  100
//	device, a counter   3 queries  all scrapes, and those of the day after for each run; more only for series that begin, end, or begin again
//	                    where a device has several holders: 1 query of all its scrapes for each piece
//	Info                1 query each, for devices, and for meters where hosts are shared
//	memory              1 query    90
//	PUE                 1 query    180
//
// For a day of 1 000 hosts Prometheus needs one to six seconds of CPU time for each: see
// BenchmarkInstruments in internal/e2e/instruments. Counters of devices cannot be asked for in
// less than a piece.
func (c *Client) Instruments(ctx context.Context, run []usage.Interval, models bool) ([]usage.Instruments, usage.Rejects, error) {
	var pieces []usage.Interval
	for _, interval := range run {
		pieces = append(pieces, interval.Pieces()...)
	}
	if len(pieces) == 0 {
		return nil, nil, nil
	}
	if points := len(pieces) + 1; points > maxPoints {
		return nil, nil, &usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: fmt.Sprintf("%d points in one query, the limit is %d", points, maxPoints)}
	}
	all, rejects, err := c.instruments(ctx, pieces, models)
	if len(run) > 1 || len(pieces) == 1 || !usage.IsTooLarge(err) {
		return all, rejects, err
	}
	all, rejects = nil, usage.Rejects{}
	for i := range pieces {
		one, refused, err := c.instruments(ctx, pieces[i:i+1], models)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, one...)
		rejects.Add(refused)
	}
	return all, rejects, nil
}

// gathering is what is known of a row of pieces so far.
type gathering struct {
	client  *Client
	pieces  []usage.Interval
	all     []usage.Instruments
	rejects usage.Rejects
	hosts   *instrumentHosts // how other metrics call hosts, and what they say of them; nil: not asked yet
	shares  *infos           // what they say of shares
	remarks []string
}

func (c *Client) instruments(ctx context.Context, pieces []usage.Interval, models bool) ([]usage.Instruments, usage.Rejects, error) {
	g := &gathering{client: c, pieces: pieces, all: make([]usage.Instruments, len(pieces)), rejects: usage.Rejects{}}
	for i, p := range pieces {
		g.all[i].Piece = p
	}
	in := c.Query.Instruments
	steps := []func(context.Context) error{}
	if models && in.Processors.Query != "" {
		steps = append(steps, g.processorsIfAnswered)
	}
	if len(in.Meters) > 0 {
		steps = append(steps, g.meters)
	}
	if len(in.Devices) > 0 {
		steps = append(steps, g.devices)
	}
	if in.Memory.Query != "" {
		steps = append(steps, func(ctx context.Context) error {
			return g.goOn(g.memory(ctx), "the query for the memory of the hosts", "their memory is not counted", "prometheus.memory")
		})
	}
	if in.PUE != "" {
		steps = append(steps, func(ctx context.Context) error {
			return g.goOn(g.pue(ctx), "the query for the PUE", "power.pue.otherwise counts", "power.pue.query")
		})
	}
	if len(in.Zones) > 0 {
		steps = append(steps, g.zones)
	}
	for _, ask := range steps {
		if err := ask(ctx); err != nil {
			return nil, nil, err
		}
	}
	last := &g.all[len(g.all)-1]
	last.Remarks = g.remarks // what Infos say twice of a host, Read remarks
	return g.all, g.rejects, nil
}

// InstrumentQueries returns all queries that Instruments sends for a piece in the usual case, for
// people: the answers to several parts of one are told apart by the label carbon_exporter_part.
func (c *Client) InstrumentQueries(piece usage.Interval) []string {
	in, host := c.Query.Instruments, c.Query.Labels.Host
	window, step := piece.Length, gridStep(piece.Length)
	var all []string
	if in.Processors.Query != "" {
		all = append(all, installed(c.processorLabels(), c.coreLabel(), window))
	}
	for _, m := range in.Meters {
		by := []string{cmp.Or(m.Host, host)}
		all = append(all, integral(m.Query, by, window, step), atEdge(m.Query, by))
	}
	for _, d := range in.Devices {
		by := c.deviceLabels(d)
		if d.Unit == 0 {
			all = append(all, gaugeIntegral(d.Query, by, window, step), gaugeAtEdge(d.Query, by))
		} else {
			all = append(all, asGiven(d.Query), resetsIn(d.Query, window), seenLater(d.Query))
		}
	}
	if in.Memory.Query != "" {
		all = append(all, memoryOf(in.Memory, cmp.Or(in.Memory.Host, host), window, step))
	}
	if in.PUE != "" {
		all = append(all, pueOf(in.PUE, window, step))
	}
	for _, z := range in.Zones {
		all = append(all, integral(z.Query, nil, window, step), atEdge(z.Query, nil))
	}
	return all
}

// reject counts a refused value.
func (g *gathering) reject(reason string) {
	if reason != "" {
		g.rejects[reason]++
	}
}

// remark says what an operator should know.
func (g *gathering) remark(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); len(g.remarks) < maxRemarks && !slices.Contains(g.remarks, text) {
		g.remarks = append(g.remarks, text)
	}
}

// edgesOf returns the edges of pieces, both ends included.
func edgesOf(pieces []usage.Interval) grid {
	g := endsOf(pieces)
	g.first = pieces[0].Start
	return g
}

// ask asks a query whose answers have some labels and, if there are any, parts.
func (g *gathering) ask(ctx context.Context, when grid, query string, labels, parts []string) (*answer, error) {
	a := newAnswer(when, labels, parts, g.rejects)
	wanted := a.labels
	if parts != nil {
		wanted = append(slices.Clone(wanted), partLabel)
	}
	if err := g.client.ask(ctx, when, query, wanted, a); err != nil {
		return nil, err
	}
	return a, a.usable()
}
