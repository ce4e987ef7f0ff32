// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"net"
	"strings"
)

// HostName returns the spelling of a host by which directories and series are compared: without
// port and brackets, in lower case, without a dot at the end.
func HostName(label string) string {
	host := strings.TrimSpace(label)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// ByHost is what is known of hosts under the labels of one exporter, to be found under those of
// another.
type ByHost[T any] struct {
	byLabel, byName map[string][]T
}

// Add adds what is known of a host, by its label as received.
func (b *ByHost[T]) Add(label string, known T) {
	if b.byLabel == nil {
		b.byLabel, b.byName = map[string][]T{}, map[string][]T{}
	}
	b.byLabel[label] = append(b.byLabel[label], known)
	name := HostName(label)
	b.byName[name] = append(b.byName[name], known)
}

// Of returns what is known of the host that another exporter names, in the order in which it was
// added: what has the same label or else, because two exporters of a machine have two ports, what
// has the same host in it. The result is not to be changed.
func (b *ByHost[T]) Of(label string) []T {
	if same := b.byLabel[label]; same != nil {
		return same
	}
	return b.byName[HostName(label)]
}
