// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"maps"
	"slices"
)

// instrumentHosts finds the hosts that instruments name: by their label, by another port of the same
// address or, where hosts are shared, by an alias. An alias of a guest is the server that it runs on,
// whose meter is not the guest's. Nil knows no host.
type instrumentHosts struct {
	info  *infos
	own   map[string][]string   // labels by their spelling, in order
	alias []map[string][]string // by piece: labels by the spelling of their alias, in order
}

// askNames asks once what other metrics say of hosts.
func (g *gathering) askNames(ctx context.Context) error {
	q := g.client.Query
	if g.hosts != nil || len(q.Info) == 0 {
		return nil
	}
	info, err := g.client.askInfo(ctx, q.Info, g.pieces, []string{q.Labels.Host})
	if err != nil {
		return err
	}
	h := &instrumentHosts{info: info, own: map[string][]string{}, alias: make([]map[string][]string, len(g.pieces))}
	add := func(to map[string][]string, spelled, label string) {
		if !slices.Contains(to[spelled], label) {
			to[spelled] = append(to[spelled], label)
		}
	}
	for i := range h.alias {
		h.alias[i] = map[string][]string{}
	}
	for _, t := range info.tables {
		if !slices.Equal(t.on, []string{q.Labels.Host}) {
			continue
		}
		for _, label := range slices.Sorted(maps.Keys(t.rows)) {
			add(h.own, spelling(label), label)
			for i := range h.alias {
				if s := t.rows[label].near(i); q.Shares != nil && s != nil && s.alias != "" {
					add(h.alias[i], spelling(s.alias), label)
				}
			}
		}
	}
	g.hosts = h
	return nil
}

// label returns the label of the host that an instrument calls so in a piece: if it is known by an
// alias alone, that of the one host that has it.
func (h *instrumentHosts) label(name string, piece int) string {
	if h == nil || len(h.own[spelling(name)]) > 0 {
		return name
	}
	if all := h.named(name, piece); len(all) > 0 {
		return all[0]
	}
	return name
}

// said returns what is said in a piece of the host that an instrument calls so; nil: nothing.
func (h *instrumentHosts) said(name string, piece int) *said {
	if h == nil {
		return nil
	}
	found := h.info.of(func(string) string { return name }, piece)
	if name == "" {
		return found
	}
	for _, label := range h.named(name, piece) {
		found = found.or(h.info.of(func(string) string { return label }, piece))
	}
	return found
}

// named returns the labels of the host that is called so in a piece, which differ in their ports
// alone; none: no host is, or several are.
func (h *instrumentHosts) named(name string, piece int) []string {
	if own := h.own[spelling(name)]; len(own) > 0 {
		return own
	}
	all := h.alias[piece][spelling(name)]
	if slices.ContainsFunc(all, func(label string) bool { return spelling(label) != spelling(all[0]) }) {
		return nil
	}
	return all
}
