// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// divide returns the samples of a piece with the shares of each host in their place, and what is
// left.
func (all *allShares) divide(samples []usage.Sample, piece int, info *infos) []usage.Sample {
	whole := map[string]usage.BusyIdle[usage.CPUSeconds]{}
	for _, s := range samples {
		sum := whole[s.Host]
		whole[s.Host] = usage.BusyIdle[usage.CPUSeconds]{Busy: sum.Busy + s.CPU.Busy, Idle: sum.Idle + s.CPU.Idle}
	}
	divided := map[string][]portionOf{}
	for host, sum := range whole {
		divided[host] = all.portions(host, sum, piece)
	}
	var out []usage.Sample
	for _, s := range samples {
		sum := whole[s.Host]
		rest := s
		rest.Project, rest.User = usage.Unattributed, ""
		for _, p := range divided[s.Host] {
			part := usage.BusyIdle[usage.CPUSeconds]{Busy: p.busy * fraction(s.CPU.Busy, sum.Busy), Idle: p.idle * fraction(s.CPU.Idle, sum.Idle)}
			if part.Busy == 0 && part.Idle == 0 {
				continue
			}
			who := info.of(func(label string) string { return p.share.said[label] }, piece).over(usage.Series{
				Project: p.share.project, Machine: s.Machine, Host: s.Host, User: p.share.user,
			})
			out = append(out, usage.Sample{Series: named(who), CPU: part})
			rest.CPU.Busy -= part.Busy
			rest.CPU.Idle -= part.Idle
		}
		rest.CPU.Busy, rest.CPU.Idle = max(rest.CPU.Busy, 0), max(rest.CPU.Idle, 0)
		out = append(out, rest)
	}
	return joined(out)
}

func fraction(part, of usage.CPUSeconds) usage.CPUSeconds {
	if of <= 0 {
		return 0
	}
	return part / of
}

// portionOf is what a share used of a host.
type portionOf struct {
	share      *share
	busy, idle usage.CPUSeconds
}

const (
	// muchMore is how many times as busy as their host shares are that are counted twice: clocks and
	// scrapes at other times explain no more than some of it.
	muchMore = 1.5
	// leastShared is how busy a host must be for that, in CPU seconds.
	leastShared = 60
)

// portions divides what a host used. A share is busy as its counters say, and idle for the rest of
// the cores that are reserved for it. One whose counters are not seen has nothing. Together they have no more than the host: what is measured by
// two clocks, or reserved twice, is scaled.
func (all *allShares) portions(host string, sum usage.BusyIdle[usage.CPUSeconds], piece int) []portionOf {
	var list []portionOf
	var busy, idle usage.CPUSeconds
	for _, s := range all.byHost[host] {
		if math.IsNaN(s.busy[piece]) {
			continue
		}
		p := portionOf{share: s, busy: usage.CPUSeconds(s.busy[piece])}
		p.idle = max(usage.CPUSeconds(s.reserved[piece])-p.busy, 0)
		busy += p.busy
		idle += p.idle
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b portionOf) int {
		return cmp.Or(cmp.Compare(a.share.project, b.share.project), cmp.Compare(a.share.user, b.share.user))
	})
	if busy > muchMore*sum.Busy && sum.Busy > leastShared && len(all.over) < maxStrange {
		all.over[host] = true
	}
	for i := range list {
		if busy > sum.Busy {
			list[i].busy *= sum.Busy / busy
		}
		if idle > sum.Idle {
			list[i].idle *= sum.Idle / idle
		}
	}
	return list
}

// joined adds up the samples of one series, in the order of their first.
func joined(samples []usage.Sample) []usage.Sample {
	at := make(map[usage.Series]int, len(samples))
	out := samples[:0]
	for _, s := range samples {
		i, ok := at[s.Series]
		if !ok {
			at[s.Series] = len(out)
			out = append(out, s)
			continue
		}
		out[i].CPU.Busy += s.CPU.Busy
		out[i].CPU.Idle += s.CPU.Idle
	}
	return out
}

// remarks says what is doubtful about the shares.
func (all *allShares) remarks(last *usage.Reading) []string {
	q := all.query
	if len(last.Samples) == 0 {
		return nil
	}
	var said []string
	strange := some(slices.Collect(maps.Keys(all.strange)))
	switch {
	case len(all.byKey) == 0 && len(all.strange) == 0 && len(all.several) == 0:
		said = append(said, fmt.Sprintf("No share of any machine was found, so all usage is unattributed: asked for %s; see prometheus.shares", selectorOf(q.Metric, q.Matchers)))
	case len(all.byKey) == 0 && len(all.several) == 0:
		said = append(said, fmt.Sprintf("The shares name machines that have no CPU seconds of their own, so all usage is unattributed: their label %s is %s; see prometheus.shares.labels.host",
			strings.Join(q.Hosts, " or "), strange))
	case len(all.strange) > 0:
		said = append(said, fmt.Sprintf("Some shares name machines that have no CPU seconds of their own, and are not booked: %s", strange))
	}
	if len(all.several) > 0 {
		said = append(said, fmt.Sprintf("Several machines are called the same, so what shares used of them is unattributed: %s. Of several clusters behind one Prometheus read one, by prometheus.matchers and prometheus.shares.matchers",
			some(slices.Collect(maps.Keys(all.several)))))
	}
	if len(all.over) > 0 {
		said = append(said, fmt.Sprintf("Shares say that they used much more than their machine did, and each is cut: %s. Two exporters may give the same shares; leave one out by prometheus.shares.matchers",
			some(slices.Collect(maps.Keys(all.over)))))
	}
	return append(said, all.lacks()...)
}

// lacks says which of what is asked about shares is said of none of them.
func (all *allShares) lacks() (said []string) {
	q, used, reserved := all.query, false, false
	for _, s := range all.byKey {
		used = used || slices.ContainsFunc(s.busy, func(v float64) bool { return v > 0 })
		reserved = reserved || slices.ContainsFunc(s.reserved, func(v float64) bool { return v > 0 })
	}
	if reserved && !used {
		said = append(said, fmt.Sprintf("Shares have cores, and nothing is known of what they did, so all usage is unattributed: asked for %s; see prometheus.shares", selectorOf(q.Metric, q.Matchers)))
	}
	if used && !reserved && q.CoresQuery != "" && len(all.several) == 0 {
		said = append(said, fmt.Sprintf("No cores are reserved for any share, so all idle time is unattributed: asked for %s; see prometheus.shares.cores_query", some(metricsIn(q.CoresQuery))))
	}
	return said
}
