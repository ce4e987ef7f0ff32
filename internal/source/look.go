// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The closer look: the raw samples of those hosts of which the edges don't say what they used.
const (
	// manyHosts is how many hosts may need a look in one piece before their cores are asked
	// for as sums, which is an eighth of the bytes of eight cores: a restart of the server leaves
	// the same hole in all hosts.
	manyHosts = 100
	// maxLooks bounds the pieces of hosts that are looked at for one piece, maxRunLooks and
	// maxFoldedLooks those of one reading.
	maxLooks, maxRunLooks, maxFoldedLooks = 3000, 12_000, 400_000
	// atOnce bounds the pieces of hosts in one query, and so its memory.
	atOnce, foldedAtOnce = 60, 3000
	// maxInQuery bounds the hosts that one query names, and maxNameBytes their bytes:
	// VictoriaMetrics takes queries of 16 KiB.
	maxInQuery, maxNameBytes = 200, 4 << 10
	// minFold is the least step of sums.
	minFold = 5 * time.Second
	// longestWindow bounds the time of one query.
	longestWindow = 4 * time.Hour
	// farthest is how far from a reading the other end of a hole is searched.
	farthest = 24 * time.Hour
	// minFarStep is the least step of that search: less than the server's look-back sees no more.
	minFarStep = 5 * time.Minute
)

// spot is a host in a piece.
type spot struct {
	host  string
	piece int
}

// look finds what hosts used in the pieces that the edges leave open.
type look struct {
	client   *Client
	table    *edges
	outcomes map[spot]outcome
	folded   bool
	left     int   // spots that may still be looked at
	each     int   // as many for one piece; 0: as many as are left
	spent    []int // by piece: for how many it has
}

// lookCloser returns the outcomes of spots.
func (c *Client) lookCloser(ctx context.Context, t *edges, open map[string][]int) (map[spot]outcome, error) {
	l := &look{client: c, table: t, outcomes: map[spot]outcome{}}
	few, many := t.crowded(open)
	l.folded, l.left = true, maxFoldedLooks
	unsure, err := l.at(ctx, many)
	if err != nil {
		return nil, err
	}
	for host, pieces := range unsure {
		few[host] = append(few[host], pieces...)
		slices.Sort(few[host])
	}
	l.folded, l.left, l.each, l.spent = false, maxRunLooks, maxLooks, nil
	_, err = l.at(ctx, few)
	return l.outcomes, err
}

// crowded tells the pieces in which many hosts are open from the others.
func (t *edges) crowded(open map[string][]int) (few, many map[string][]int) {
	hosts := make([]int, len(t.pieces))
	for _, pieces := range open {
		for _, piece := range pieces {
			hosts[piece]++
		}
	}
	few, many = map[string][]int{}, map[string][]int{}
	for host, pieces := range open {
		for _, piece := range pieces {
			in := few
			if hosts[piece] > manyHosts {
				in = many
			}
			in[host] = append(in[host], piece)
		}
	}
	return few, many
}

// at looks at hosts in the given pieces. It returns the hosts that sums leave open.
func (l *look) at(ctx context.Context, open map[string][]int) (map[string][]int, error) {
	unsure := map[string][]int{}
	if len(open) == 0 {
		return unsure, nil
	}
	far, err := l.search(ctx, open)
	if err != nil {
		return nil, err
	}
	groups, err := l.plan(open, far)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if err := l.examine(ctx, g, open, far, unsure); err != nil {
			return nil, err
		}
	}
	return unsure, nil
}

// examine looks at a group of hosts. If the server cannot answer for one host alone, that one
// is refused: the others must not wait for it.
func (l *look) examine(ctx context.Context, g group, open map[string][]int, far *sights, unsure map[string][]int) error {
	seen, err := l.ask(ctx, g)
	switch {
	case err == nil:
	case !l.table.alone || !usage.IsTooLarge(err) && !usage.IsPermanent(err):
		return err
	case len(g.hosts) == 1:
		l.giveUp(g.hosts[0], open[g.hosts[0]], "the server refuses the query for its raw samples")
		return nil
	default:
		half := len(g.hosts) / 2
		if err := l.examine(ctx, group{g.hosts[:half], g.windows}, open, far, unsure); err != nil {
			return err
		}
		return l.examine(ctx, group{g.hosts[half:], g.windows}, open, far, unsure)
	}
	for _, host := range g.hosts {
		l.resolve(seen[host], host, open[host], far, unsure)
	}
	return nil
}

// giveUp refuses what cannot be looked at.
func (l *look) giveUp(host string, pieces []int, why string) {
	h := l.table.hosts[host]
	for _, piece := range pieces {
		o := outcome{cores: h.cores(piece)}
		l.outcomes[spot{host, piece}] = refuse(o, l.table, usage.DoubtNotLooked, why)
	}
}

// resolve makes outcomes of what was seen of a host.
func (l *look) resolve(seen *closeUp, host string, pieces []int, far *sights, unsure map[string][]int) {
	for _, piece := range pieces {
		c := l.closeUp(seen, host, piece, far)
		o := l.outcome(c, host, piece)
		if l.folded && o.state == usage.HostRefused {
			unsure[host] = append(unsure[host], piece)
			continue
		}
		l.outcomes[spot{host, piece}] = o
		if c != nil && len(c.units) > 0 {
			l.client.hosts.every(host, beatOf(c.units[0].moments))
		}
	}
}
