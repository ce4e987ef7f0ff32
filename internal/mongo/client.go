// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"context"
	"strings"
	"sync"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// client connects when it is first asked for a database: the driver looks up the
// hosts of a mongodb+srv:// address in DNS before it gives a client, knows no deadline
// for that, and DNS may be away when the program starts.
type client struct {
	options Options
	more    *options.ClientOptions

	mu     sync.Mutex
	ready  *driver.Client
	trying chan struct{} // closed when the look-up that is under way has ended
	failed error         // the last one
	closed bool
}

// newClient refuses an address that cannot be valid.
func newClient(o Options, more *options.ClientOptions) (*client, error) {
	if err := CheckAddress(o.URI); err != nil {
		return nil, err
	}
	c := &client{options: o, more: more}
	if isLookedUp(o.URI) {
		return c, nil
	}
	var err error
	c.ready, err = connect(o, more)
	return c, err
}

func isLookedUp(uri string) bool { return strings.HasPrefix(uri, "mongodb+srv://") }

// database is the one of the options.
func (c *client) database(ctx context.Context) (*driver.Database, error) {
	c.mu.Lock()
	if c.ready == nil && c.trying == nil {
		c.trying = make(chan struct{})
		go c.lookUp(c.trying)
	}
	ready, trying := c.ready, c.trying
	c.mu.Unlock()
	if ready != nil {
		return ready.Database(c.options.Database), nil
	}
	select {
	case <-ctx.Done():
		if ctx.Err() == context.Canceled {
			return nil, ctx.Err()
		}
		return nil, &usage.Failure{Reason: usage.ReasonTimeout, Detail: "DNS does not answer"}
	case <-trying:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready == nil {
		return nil, c.failed
	}
	return c.ready.Database(c.options.Database), nil
}

// lookUp may hang, and is then left alone: nobody waits for it but for a time.
func (c *client) lookUp(done chan struct{}) {
	defer close(done)
	ready, err := connect(c.options, c.more)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trying = nil
	switch {
	case err != nil:
		c.failed = &usage.Failure{Reason: usage.ReasonConnection, Detail: "the hosts of the mongodb+srv:// address cannot be looked up in DNS"}
	case c.closed:
		c.failed = &usage.Failure{Reason: usage.ReasonConnection, Detail: "was closed"}
		disconnect(ready) //nolint:errcheck // nobody uses it
	default:
		c.ready = ready
	}
}

// close ends the connections.
func (c *client) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.ready == nil {
		return nil
	}
	return disconnect(c.ready)
}
