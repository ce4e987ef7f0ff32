// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A device that is handed from one pod or job to the next is one counter whose series get other
// labels. What it grows by belongs to whose labels it then has; read as a counter of its own, a
// series that comes back would count again what others used meanwhile. Several that have it at the
// same time, as by time-slicing, have equal parts.

// holderLabels say who has a device, or by which scrape it is known.
var holderLabels = []string{"namespace", "pod", "container", "pod_uid", "uid", "hpc_job", "slurmjobid", "account", "user", "vm", "instance", "service", "endpoint"}

// identity is a key without what says who has the device; empty: nothing tells that it is the same.
func (c *Client) identity(d Device, key string) string {
	var id strings.Builder
	told := false
	for _, l := range labelsOf(key) {
		name := strings.TrimPrefix(l.name, "exported_")
		if slices.Contains(holderLabels, name) || slices.Contains([]string{d.Project, d.User, c.Query.Labels.Project, c.Query.Labels.User}, l.name) {
			continue
		}
		lower := strings.ToLower(l.name)
		told = told || strings.Contains(lower, "uuid") || strings.Contains(lower, "serial")
		id.WriteString(l.name + "\x00" + l.value + "\x00")
	}
	if !told {
		return ""
	}
	return id.String()
}

// handed takes the counters of devices with several holders out of all, by device.
func (g *gathering) handed(d Device, all []*counter) (rest []*counter, devices [][]*counter) {
	byDevice := map[string][]*counter{}
	for _, c := range all {
		if id := g.client.identity(d, c.keys[0]); id != "" {
			byDevice[id] = append(byDevice[id], c)
		}
	}
	for _, c := range all {
		switch own := byDevice[g.client.identity(d, c.keys[0])]; {
		case len(own) < 2:
			rest = append(rest, c)
		case own[0] == c:
			devices = append(devices, own)
		}
	}
	return rest, devices
}

// seen reports whether a counter may have samples in a piece.
func (c *counter) seen(piece int) bool {
	return !isAbsent(c.resets[piece]) || !isAbsent(c.edges[piece]) || !isAbsent(c.edges[piece+1])
}

// oneHolder reports whether in a piece a device has one holder, who had it at both edges.
func oneHolder(device []*counter, piece int) bool {
	seen := 0
	for _, c := range device {
		if !c.seen(piece) {
			continue
		}
		if seen++; c.fell(piece) || isAbsent(c.edges[piece]) || isAbsent(c.edges[piece+1]) {
			return false
		}
	}
	return seen == 1
}

// holders adds what devices with several holders used. Only what their samples in a piece and the
// newest before it say counts, so that a piece comes out the same however it is read.
func (g *gathering) holders(ctx context.Context, d Device, devices [][]*counter, used joules) error {
	look := &deviceLook{g: g, device: d, when: edgesOf(g.pieces)}
	var pieces []int
	for i := range g.pieces {
		if slices.ContainsFunc(devices, func(device []*counter) bool { return !oneHolder(device, i) }) {
			pieces = append(pieces, i)
		}
	}
	if len(pieces) > maxSamples && len(g.pieces) > 1 {
		return &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: "too many devices with several holders"}
	}
	for _, i := range pieces {
		var open []*counter
		for _, device := range devices {
			for _, c := range device {
				c.history = &history{}
				if !oneHolder(device, i) && c.seen(i) {
					open = append(open, c)
				}
			}
		}
		for some := range look.groups(open) {
			if err := look.samples(ctx, i, some); err != nil {
				return err
			}
		}
		for _, device := range devices {
			if !oneHolder(device, i) {
				g.dealt(d, device, i, used)
			}
		}
	}
	for _, device := range devices {
		for i := range g.pieces {
			if !oneHolder(device, i) {
				continue
			}
			for _, c := range device {
				if c.seen(i) {
					g.use(d, c, i, c.edges[i+1]-c.edges[i], used)
				}
			}
		}
	}
	return nil
}

// dealt divides what a device used in a piece among its holders: at each sample, by how much it has
// grown since the one before.
func (g *gathering) dealt(d Device, device []*counter, piece int, used joules) {
	type sample struct {
		instant
		of int
	}
	var all []sample
	last := math.NaN()
	for n, c := range device {
		for _, in := range c.instants {
			all = append(all, sample{in, n})
		}
		if v := c.edges[piece]; !isAbsent(v) && !(v <= last) {
			last = v
		}
	}
	slices.SortFunc(all, func(a, b sample) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.of, b.of)) })
	grown, there := make([]float64, len(device)), make([]bool, len(device))
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].at == all[0].at {
			n++
		}
		most := 0.0
		for _, s := range all[:n] {
			most, there[s.of] = max(most, s.value), true
		}
		more := 0.0
		switch {
		case most >= last:
			more = most - last
		case most < 0.9*last: // it began again at 0; a small fall is that of a copy
			more = most
		}
		if math.IsNaN(last) || most >= last || more > 0 {
			last = most
		}
		for _, s := range all[:n] {
			grown[s.of] += more / float64(n)
		}
		all = all[n:]
	}
	for n, c := range device {
		if there[n] {
			g.use(d, c, piece, grown[n], used)
		}
	}
}

// use adds by how much a counter has grown in a piece, if that can be.
func (g *gathering) use(d Device, c *counter, piece int, grown float64, used joules) {
	if grown *= d.Unit; grown > maxPower*g.pieces[piece].Length.Seconds() || math.IsNaN(grown) {
		g.reject(rejectOverCapacity)
		g.remark("The device %.60q grows by more than 1e9 W on these hosts, which is not counted: %s; check its unit", d.Name, some([]string{orUnknown(c.series.Host)}))
		return
	}
	used.add(c.series, piece, len(g.pieces), grown)
}
