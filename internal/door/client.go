// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import "net/netip"

// client is what requests and connections are counted by: an IPv4 address; the /64 of an IPv6
// address, because everybody has as many of those as they like; or the zero value for clients
// without an address (a Unix socket, vsock).
type client netip.Prefix

func clientOf(remote string) client {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return client{}
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return client{}
	}
	return client(prefix)
}
