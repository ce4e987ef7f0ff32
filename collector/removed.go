// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "sync"

// removed are the sources that are no longer configured. A request may be under way when a
// reload removes its source: its late answer must not bring the source's metrics back, because
// nothing would ever remove them again.
type removed struct {
	mu      sync.Mutex
	sources map[string]bool
}

// unless calls show, unless the source is removed.
func (r *removed) unless(source string, show func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.sources[source] {
		show()
	}
}

// unlessAll calls show, unless all of the sources are removed.
func (r *removed) unlessAll(show func(), sources ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, source := range sources {
		if !r.sources[source] {
			show()
			return
		}
	}
}

// remove calls hide, unless the source is removed already; from then on nothing of it is shown.
func (r *removed) remove(source string, hide func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.sources[source] {
		r.sources[source] = true
		hide()
	}
}

func (r *removed) bringBack(source string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sources, source)
}
