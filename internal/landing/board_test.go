// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTheBoardHasTheNewestNoticeOfEachTopic(t *testing.T) {
	now := time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	b := &Board{Now: func() time.Time { return now }}
	said := func() (all string) {
		for _, n := range b.Notices() {
			all += fmt.Sprintf("%s %s since %s; ", n.About, n.Text, n.Since.Format("15:04"))
		}
		return all
	}
	b.Notice(usage.TopicDirectory, "is away")
	b.Notice(usage.TopicLabels, "")
	now = now.Add(time.Hour)
	b.Notice(usage.TopicUsage, "none")
	b.Notice(usage.TopicDirectory, "is empty")
	if got, want := said(), "usage none since 10:00; directory is empty since 09:00; "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Notice(usage.TopicUsage, "")
	b.Notice(usage.TopicDirectory, "")
	if got := said(); got != "" {
		t.Errorf("what has ended is still there: %q", got)
	}
	b.Notice(usage.TopicDirectory, "is away")
	if got, want := said(), "directory is away since 10:00; "; got != want {
		t.Errorf("what begins again: got %q, want %q", got, want)
	}
}
