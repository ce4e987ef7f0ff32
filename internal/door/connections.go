package door

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Connections bounds how many connections a server has. One more than there may be
// takes the place of another: of the client that has the most, one that is idle,
// else one that has not asked for anything yet, else one that is being answered;
// of equal ones the oldest. So a new client always gets in, and only those who
// have many connections lose one.
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

// Affordable is how many connections a process may have, at most as many as are
// wanted: a quarter of its file descriptors stay free for files and upstreams.
func Affordable(wanted int) int {
	if n := descriptors(); n > 0 {
		return max(1, min(wanted, n-n/4))
	}
	return wanted
}

// NewConnections makes a bound of so many connections.
func NewConnections(most int) *Connections {
	return &Connections{most: most, open: map[net.Conn]*connection{}}
}

// Changed is what http.Server calls as its ConnState.
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

// busiest is the client with the most connections, a new one included.
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
			return is.client // as many clients as there may be connections: any
		}
	}
	return most
}

// close closes the connection that a client misses least.
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
		least = t.NetConn() // its own Close waits for the client
	}
	least.Close() //nolint:errcheck // nobody is there to be told
}

// before reports whether a connection goes before another.
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
