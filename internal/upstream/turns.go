// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"sync"
)

// Turns lets all clients that share it ask a server one question at a time, each until its answer
// has been read. Several servers are asked side by side. The zero value is ready.
type Turns struct {
	mu      sync.Mutex
	servers map[string]chan struct{}
}

// take waits until nobody asks the server, and returns how to let the next one ask. Who waits
// longest is next. Without Turns nobody waits.
func (t *Turns) take(ctx context.Context, server string) (end func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	turn := t.of(server)
	select {
	case turn <- struct{}{}:
		return sync.OnceFunc(func() { <-turn }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// of is the turn of a server: who has sent to it has the turn.
func (t *Turns) of(server string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.servers == nil {
		t.servers = map[string]chan struct{}{}
	}
	if t.servers[server] == nil {
		t.servers[server] = make(chan struct{}, 1)
	}
	return t.servers[server]
}
