// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Info is a query of the operator whose labels say more of a host, or of a share, than its own
// series do: an info metric, such as libvirt_domain_openstack_info.
type Info struct {
	Query string
	On    []string // the labels in common; empty: the host label
	// The labels in which it says what; empty: it does not.
	Project, Machine, User, Alias string
}

// said is what an Info says of something in a piece.
type said struct{ project, machine, user, alias string }

// over returns a series with what is said in place of its own labels.
func (s *said) over(series usage.Series) usage.Series {
	if s == nil {
		return series
	}
	for _, part := range []struct {
		own *string
		by  string
	}{{&series.Project, s.project}, {&series.Machine, s.machine}, {&series.User, s.user}} {
		if part.by != "" {
			*part.own = part.by
		}
	}
	return series
}

const (
	// infoStep is the usual time between two scrapes.
	infoStep = time.Minute
	// infoHolds is how long before a piece something may have been said last and still hold.
	infoHolds = 2 * time.Hour
)

// query selects when each combination of labels was seen last in the window before each
// evaluation, and for some time before that. The line break ends a comment in the query.
func (i Info) query(on []string, window time.Duration) string {
	by := listed(slices.Concat(on, i.labels())...)
	return fmt.Sprintf("max by (%s) (max_over_time(timestamp(%s\n)[%s:%s]))", by, i.Query, promDuration(window+infoHolds), promDuration(min(window, infoStep)))
}

// common returns the labels in common, or those of an Info that names none.
func (i Info) common(otherwise []string) []string {
	if len(i.On) == 0 {
		return otherwise
	}
	return i.On
}

func (i Info) labels() []string { return []string{i.Project, i.Machine, i.User, i.Alias} }

// infos is what all Infos say, by the values of the labels in common and by piece.
type infos struct {
	tables []infoTable // in the order of preference
}

type infoTable struct {
	on    []string
	query string
	rows  map[string]*infoRow
	twice map[string]bool // of what two things were said at once
}

// infoRow is what is said of one thing: the newest of each piece, and of one after the last.
type infoRow struct {
	at  []float64 // when it was said, Unix seconds; 0: never
	who []*said
}

// askInfo asks for what is said in a row of pieces. common are the labels in common of an Info
// that names none.
func (c *Client) askInfo(ctx context.Context, all []Info, pieces []usage.Interval, common []string) (*infos, error) {
	said := &infos{}
	ends := endsOf(pieces)
	ends.last = ends.last.Add(ends.step)
	for _, i := range all {
		on := i.common(common)
		t := infoTable{on: on, query: i.Query, rows: map[string]*infoRow{}, twice: map[string]bool{}}
		s := &infoSink{table: t, pieces: len(pieces) + 1, first: seconds(pieces[0].End()), step: pieces[0].Length.Seconds(), wanted: i.labels()}
		labels := slices.Clone(on)
		for _, l := range s.wanted { // a label is asked for once
			if l != "" && !slices.Contains(labels, l) {
				labels = append(labels, l)
			}
		}
		s.labels = labels
		if err := c.ask(ctx, ends, i.query(on, pieces[0].Length), labels, s); err != nil {
			return nil, err
		}
		said.tables = append(said.tables, t)
	}
	return said, nil
}

// of returns what is said in a piece of what has these labels; nil: nothing. Where nothing is
// said by its end, what is said in the next piece counts. It does not depend on the other pieces
// that are read with it, so that a piece that is read alone comes out the same.
func (all *infos) of(value func(label string) string, piece int) *said {
	if all == nil {
		return nil
	}
	var found *said
	for _, t := range all.tables {
		key := make([]string, len(t.on))
		for i, label := range t.on {
			key[i] = value(label)
		}
		row := t.rows[strings.Join(key, "\x00")]
		if row == nil {
			continue
		}
		found = found.or(row.near(piece))
	}
	return found
}

// remarks says of what two things are said at once.
func (all *infos) remarks() (remarks []string) {
	if all == nil {
		return nil
	}
	for _, t := range all.tables {
		var names []string
		for key := range t.twice {
			names = append(names, strings.ReplaceAll(key, "\x00", " "))
		}
		if len(names) > 0 {
			remarks = append(remarks, fmt.Sprintf("Two things are said of one %s at the same time, and one of them counts: %s, by %s. If there are several of one name, as in two clusters or regions, read one of them, by matchers",
				strings.Join(t.on, " and "), some(names), some(metricsIn(t.query))))
		}
	}
	return remarks
}

func (r *infoRow) near(piece int) *said {
	if r.who[piece] != nil {
		return r.who[piece]
	}
	return r.who[piece+1]
}

// or completes what is said by what another says.
func (s *said) or(o *said) *said {
	switch {
	case s == nil:
		return o
	case o == nil:
		return s
	}
	both := *s
	for _, part := range []struct {
		mine *string
		more string
	}{{&both.project, o.project}, {&both.machine, o.machine}, {&both.user, o.user}, {&both.alias, o.alias}} {
		if *part.mine == "" {
			*part.mine = part.more
		}
	}
	return &both
}

// infoSink receives the answer of one Info.
type infoSink struct {
	table       infoTable
	pieces      int
	first, step float64
	labels      []string // as asked for
	wanted      []string // project, machine, user, alias

	key string
	row *infoRow
	who *said
}

// Series implements sink.
func (k *infoSink) Series(values []string) error {
	k.key = strings.Join(values[:len(k.table.on)], "\x00")
	if k.row = k.table.rows[k.key]; k.row == nil {
		if len(k.table.rows) >= maxHosts || len(k.table.rows)*k.pieces > maxCells {
			return errTooManySeries()
		}
		k.row = &infoRow{at: make([]float64, k.pieces), who: make([]*said, k.pieces)}
		k.table.rows[k.key] = k.row
	}
	of := func(label string) string {
		if i := slices.Index(k.labels, label); label != "" && i >= 0 {
			return usage.Name(values[i])
		}
		return ""
	}
	k.who = &said{of(k.wanted[0]), of(k.wanted[1]), of(k.wanted[2]), of(k.wanted[3])}
	return nil
}

// Point implements sink. Of several the newest counts; of two at the same time, the first by name,
// so that the order of arrival does not matter.
func (k *infoSink) Point(at, seen float64) {
	i, ok := columnOf(at, k.first, k.step, k.pieces)
	if !ok || math.IsNaN(seen) {
		return
	}
	was := k.row.who[i]
	if was != nil && seen == k.row.at[i] && *was != *k.who && len(k.table.twice) < maxStrange {
		k.table.twice[k.key] = true
	}
	if was == nil || seen > k.row.at[i] || seen == k.row.at[i] && k.who.before(was) {
		k.row.at[i], k.row.who[i] = seen, k.who
	}
}

func (s *said) before(o *said) bool {
	return slices.Compare([]string{s.project, s.machine, s.user, s.alias}, []string{o.project, o.machine, o.user, o.alias}) < 0
}

// Odd implements sink.
func (k *infoSink) Odd(float64) {}

// Histogram implements sink.
func (k *infoSink) Histogram() {}
