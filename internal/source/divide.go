package source

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// spellings maps the names of hosts, in the spelling by which shares are matched to them, to
// hosts. A host may have an alias.
func (t *edges) spellings() map[string]string { return spellings(t.names, t.info, len(t.pieces)) }

func (t *table) spellings() map[string]string {
	var names []string
	for _, h := range t.order {
		names = append(names, h.series.Host)
	}
	slices.Sort(names)
	return spellings(slices.Compact(names), t.info, len(t.pieces))
}

func spellings(names []string, info *infos, pieces int) map[string]string {
	all := map[string]string{}
	for _, name := range slices.Backward(names) { // of two with one spelling, the first by name
		for i := range pieces {
			if s := info.of(func(string) string { return name }, i); s != nil && s.alias != "" {
				all[spelling(s.alias)] = orUnknown(name)
			}
		}
	}
	for _, name := range slices.Backward(names) { // a name is more than an alias
		all[spelling(name)] = orUnknown(name)
	}
	delete(all, "")
	return all
}

// spelling returns the name of a host without port, in lower case.
func spelling(name string) string {
	name = strings.TrimSpace(name)
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

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

// portions divides what a host used. A share is busy as its counters say, and idle for the rest of
// the cores that are reserved for it. Together they have no more than the host: what is measured by
// two clocks, or reserved twice, is scaled.
func (all *allShares) portions(host string, sum usage.BusyIdle[usage.CPUSeconds], piece int) []portionOf {
	var list []portionOf
	var busy, idle usage.CPUSeconds
	for _, s := range all.byHost[host] {
		p := portionOf{share: s, busy: usage.CPUSeconds(s.busy[piece])}
		p.idle = max(usage.CPUSeconds(s.reserved[piece])-p.busy, 0)
		busy += p.busy
		idle += p.idle
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b portionOf) int {
		return cmp.Or(cmp.Compare(a.share.project, b.share.project), cmp.Compare(a.share.user, b.share.user))
	})
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
	var said []string
	switch {
	case len(last.Samples) == 0:
	case len(all.byKey) == 0 && len(all.strange) == 0:
		said = append(said, fmt.Sprintf("No share of any machine was found, so all usage is unattributed: asked for %s; see prometheus.shares", selectorOf(q.Metric, q.Matchers)))
	case len(all.byKey) == 0:
		said = append(said, fmt.Sprintf("The shares name machines that have no CPU seconds of their own, so all usage is unattributed: their label %s is %s; see prometheus.shares.labels.host",
			strings.Join(q.Hosts, " or "), some(slices.Collect(maps.Keys(all.strange)))))
	case len(all.strange) > 0:
		said = append(said, fmt.Sprintf("Some shares name machines that have no CPU seconds of their own, and are not booked: %s", some(slices.Collect(maps.Keys(all.strange)))))
	}
	return said
}
