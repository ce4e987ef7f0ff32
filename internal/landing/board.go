// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Notice is what an operator should know about a topic.
type Notice struct {
	About usage.Topic
	Text  string
	Since time.Time // since when there has been a notice about it
}

// Board has the newest notice about each topic.
type Board struct {
	Now func() time.Time

	mu      sync.Mutex
	notices map[usage.Topic]Notice
}

// Notice replaces what is said about a topic; an empty text ends it.
func (b *Board) Notice(about usage.Topic, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, still := b.notices[about]
	if text == "" {
		delete(b.notices, about)
		return
	}
	if b.notices == nil {
		b.notices = map[usage.Topic]Notice{}
	}
	since := b.Now()
	if still {
		since = was.Since
	}
	b.notices[about] = Notice{About: about, Text: text, Since: since}
}

// Notices returns the current ones, the most important first.
func (b *Board) Notices() (all []Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, about := range usage.Topics() {
		if n, ok := b.notices[about]; ok {
			all = append(all, n)
		}
	}
	return all
}
