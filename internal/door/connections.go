// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Connections bounds how many connections a server has. A connection above the limit replaces
// another one, of the client that has the most: one that is idle, else one that has sent no
// request yet, else one whose request is being answered; the oldest of equal ones. So a new
// client always gets in, and only clients with many connections lose one.
type Connections struct {
	most int

	mu   sync.Mutex
	open map[net.Conn]*connection
}

type connection struct {
	client client
	state  http.ConnState
	since  time.Time
}

// Affordable is how many of the wanted connections a process can have: a quarter of its file
// descriptors stay free for files and upstreams.
func Affordable(wanted int) int {
	if n := descriptors(); n > 0 {
		return max(1, min(wanted, n-n/4))
	}
	return wanted
}

// NewConnections returns a limit of so many connections.
func NewConnections(most int) *Connections {
	return &Connections{most: most, open: map[net.Conn]*connection{}}
}

// Changed is the ConnState callback of http.Server.
func (c *Connections) Changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch known := c.open[conn]; {
	case state == http.StateClosed || state == http.StateHijacked:
		delete(c.open, conn)
	case state == http.StateNew:
		is := clientOf(conn.RemoteAddr().String())
		if len(c.open) >= c.most {
			c.close(c.busiest(is))
		}
		c.open[conn] = &connection{client: is, state: state, since: time.Now()}
	case known != nil && known.state != state:
		known.state, known.since = state, time.Now()
	}
}

// busiest returns the client with the most connections, including a new one.
func (c *Connections) busiest(newcomer client) client {
	counts := map[client]int{newcomer: 1}
	most := newcomer
	for _, is := range c.open {
		counts[is.client]++
		if counts[is.client] > counts[most] {
			most = is.client
		}
	}
	if counts[most] == 1 {
		for _, is := range c.open {
			return is.client // one connection per client: take any
		}
	}
	return most
}

// close closes a client's least useful connection.
func (c *Connections) close(of client) {
	var least net.Conn
	for conn, is := range c.open {
		if is.client == of && (least == nil || is.before(c.open[least])) {
			least = conn
		}
	}
	if least == nil {
		return
	}
	delete(c.open, least)
	if t, ok := least.(*tls.Conn); ok {
		least = t.NetConn() // because its own Close would wait for the client
	}
	least.Close() //nolint:errcheck // nobody could act on the error
}

// before reports whether a connection is closed before another.
func (is *connection) before(other *connection) bool {
	if a, b := is.worth(), other.worth(); a != b {
		return a < b
	}
	return is.since.Before(other.since)
}

func (is *connection) worth() int {
	switch is.state {
	case http.StateIdle:
		return 0
	case http.StateNew:
		return 1
	}
	return 2
}
