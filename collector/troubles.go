// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "sync"

// troubles are the errors of sources whose last request failed, for the landing page.
type troubles struct {
	mu sync.Mutex
	of map[string]error
}

func (t *troubles) note(source string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of[source] = err
}

func (t *troubles) last(source string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[source]
}
