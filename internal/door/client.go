package door

import "net/netip"

// client is whom requests and connections are counted for: an IPv4 address, the
// /64 of an IPv6 address, of which everybody has as many addresses as they like,
// or the zero value for whoever has no address (a Unix socket, vsock).
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
