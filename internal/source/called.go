// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"net"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// hostNames finds the host that a share names. A host is known by its own name and by an alias,
// which may be another's in another piece: nodes are renamed, and get addresses that others had.
type hostNames struct {
	own, alias map[string][]string // hosts by spelling, ordered by name
	short      map[string][]string // hosts by the first part of a name of several parts
	info       *infos
	beside     int               // pieces of info before the first that was asked for
	there      []map[string]bool // by piece: hosts that are booked, of those that share a spelling
}

// callHosts lists how hosts are called in the pieces of some readings.
func callHosts(names []string, info *infos, beside, pieces int) *hostNames {
	n := &hostNames{own: map[string][]string{}, alias: map[string][]string{}, short: map[string][]string{}, info: info, beside: beside}
	add := func(to map[string][]string, spelled, host string) {
		if spelled != "" && !slices.Contains(to[spelled], host) {
			to[spelled] = append(to[spelled], host)
		}
	}
	for _, name := range names {
		add(n.own, spelling(name), orUnknown(name))
		add(n.short, short(spelling(name)), orUnknown(name))
		for i := range pieces + 2*beside {
			if s := info.of(func(string) string { return name }, i); s != nil {
				add(n.alias, spelling(s.alias), orUnknown(name))
				add(n.short, short(spelling(s.alias)), orUnknown(name))
			}
		}
	}
	return n
}

// booked notes which hosts have usage in which piece.
func (n *hostNames) booked(readings []usage.Reading) {
	shared := map[string]bool{}
	for _, hosts := range []map[string][]string{n.own, n.alias, n.short} {
		for _, several := range hosts {
			if len(several) > 1 {
				for _, h := range several {
					shared[h] = true
				}
			}
		}
	}
	n.there = make([]map[string]bool, len(readings))
	for i := range readings {
		n.there[i] = map[string]bool{}
		for _, s := range readings[i].Samples {
			if shared[s.Host] {
				n.there[i][s.Host] = true
			}
		}
	}
}

// host returns which host is spelled so in a piece; empty: none that is known. A name is more than
// an alias. Of several hosts it is the one that is there; if more are, none is it. A piece after
// the last, in which a hole ends, is as the last.
func (n *hostNames) host(spelled string, piece int) (host string, several bool) {
	piece = min(piece, len(n.there)-1)
	if host, several = n.exactly(spelled, piece); host != "" || several {
		return host, several
	}
	if part := short(spelled); part != "" { // the host may be known by that alone
		return n.exactly(part, piece)
	}
	return n.only(n.short[spelled], piece) // or by more
}

func (n *hostNames) exactly(spelled string, piece int) (host string, several bool) {
	if own := n.own[spelled]; len(own) > 0 {
		return n.only(own, piece)
	}
	all := n.alias[spelled]
	if len(all) < 2 {
		return n.only(all, piece)
	}
	var now []string // those that are called so in this piece
	for _, h := range all {
		if s := n.info.of(func(string) string { return h }, n.beside+piece); s != nil && spelling(s.alias) == spelled {
			now = append(now, h)
		}
	}
	return n.only(now, piece)
}

func (n *hostNames) only(hosts []string, piece int) (host string, several bool) {
	switch len(hosts) {
	case 0:
		return "", false
	case 1:
		return hosts[0], false
	}
	var there []string
	for _, h := range hosts {
		if n.there[piece][h] {
			there = append(there, h)
		}
	}
	switch len(there) {
	case 0:
		return hosts[0], false // of which nothing is booked
	case 1:
		return there[0], false
	}
	return "", true
}

// short returns the first part of a name of several parts; empty: it has one part, or is an address.
func short(spelled string) string {
	part, _, several := strings.Cut(spelled, ".")
	if !several || net.ParseIP(spelled) != nil {
		return ""
	}
	return part
}

// spelling returns the name of a host without port, in lower case.
func spelling(name string) string {
	name = strings.TrimSpace(name)
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
