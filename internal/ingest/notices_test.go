// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// told is a log without times.
func told(lines *[]string) *slog.Logger {
	return slog.New(slog.NewTextHandler(writes(func(line string) { *lines = append(*lines, strings.TrimSpace(line)) }), &slog.HandlerOptions{
		Level: slog.LevelInfo,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

func refusedHosts(n int, why usage.DoubtReason) *usage.Attendance {
	r := usage.Reading{Present: map[string]usage.Presence{"CLF": {Hosts: n}}}
	for h := range n {
		r.Doubts = append(r.Doubts, usage.Doubt{
			Series: usage.Series{Project: "CLF", Machine: "m", Host: fmt.Sprintf("10.0.0.%d", h), User: "alice"},
			State:  usage.HostRefused, Reason: why, Detail: "4 cores used 9000 s in 1800 s",
		})
	}
	return usage.Attend([]usage.Reading{r})
}

func TestEachHostAndReasonIsToldOnceADay(t *testing.T) {
	var lines []string
	now := start
	n := &notices{log: told(&lines), clock: at{func() time.Time { return now }}}
	i := usage.Interval{Start: start, Length: 30 * time.Minute}
	for range 47 {
		n.see(i, refusedHosts(2, usage.DoubtLeap))
		now = now.Add(30 * time.Minute)
	}
	if len(lines) != 2 {
		t.Fatalf("%d lines in a day, want one a host:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	want := `level=WARN msg="Refusing the CPU time of a host: nothing of it is booked" host=10.0.0.0 project=CLF interval=2026-07-01T00:00:00Z reason=leap ` +
		`why="its counters grew by more than its cores can give" seen="4 cores used 9000 s in 1800 s" ` +
		`do="see whether prometheus.labels.host names one machine, and whether two exporters give the same series"`
	if lines[0] != want {
		t.Errorf("got  %s\nwant %s", lines[0], want)
	}
	n.see(i, refusedHosts(1, usage.DoubtMixed))
	if len(lines) != 3 {
		t.Errorf("another reason is not told")
	}
	now = now.Add(time.Hour)
	n.see(i, refusedHosts(2, usage.DoubtLeap))
	if len(lines) != 5 {
		t.Errorf("%d lines on the next day, want 5", len(lines))
	}
	now = now.Add(-1000 * time.Hour) // it ran ahead
	n.see(i, refusedHosts(1, usage.DoubtLeap))
	if len(lines) != 6 {
		t.Error("a clock that was put right has silenced it")
	}

	lines = nil
	n.see(i, refusedHosts(3000, usage.DoubtShort))
	if len(lines) != 1 || !strings.Contains(lines[0], "hosts=3000 some=\"10.0.0.0, 10.0.0.1, 10.0.0.10, ") {
		t.Errorf("of very many: %s", strings.Join(lines, "\n"))
	}
	for h := range 3 * mostSaid {
		n.isNew(fmt.Sprint(h))
	}
	if len(n.said) > mostSaid {
		t.Errorf("%d are remembered", len(n.said))
	}
	for _, line := range lines {
		if strings.Contains(line, "alice") {
			t.Errorf("%s names a person", line)
		}
	}
}

func TestHostsWithTheSameCountersAreNamedOnceADay(t *testing.T) {
	var lines []string
	now := start
	n := &notices{log: told(&lines), clock: at{func() time.Time { return now }}}
	same := []attributed{{Reading: usage.Reading{Alike: [][]string{{"c1", "c2", "c3"}}}}, {}}
	for range 49 {
		n.alike(same)
		now = now.Add(30 * time.Minute)
	}
	if len(lines) != 2 || !strings.Contains(lines[0], `hosts=3 some="c1, c2, c3"`) {
		t.Errorf("got %q, want a line a day", lines)
	}
	var many [][]string
	for i := range eachUpTo + 1 {
		many = append(many, []string{fmt.Sprint("a", i), fmt.Sprint("b", i)})
	}
	lines = nil
	n.alike([]attributed{{Reading: usage.Reading{Alike: many}}})
	if len(lines) != 1 || !strings.Contains(lines[0], `groups=21 hosts=42 some="a0, b0"`) {
		t.Errorf("of many groups it says %q, want one line", lines)
	}
}

func TestWhatASourceFindsDoubtfulIsSaidOnceADay(t *testing.T) {
	var lines []string
	now := start
	n := &notices{log: told(&lines), clock: at{func() time.Time { return now }}}
	doubtful := []attributed{{}, {Reading: usage.Reading{Remarks: []string{"no share was found"}}}}
	for range 49 {
		n.remarks(doubtful)
		now = now.Add(30 * time.Minute)
	}
	if len(lines) != 2 || !strings.Contains(lines[0], "no share was found") {
		t.Errorf("got %q, want a line a day", lines)
	}
}

func TestAModeInNoListIsNamed(t *testing.T) {
	var lines []string
	n := &notices{log: told(&lines), clock: at{func() time.Time { return start }}}
	for _, share := range []float64{0.009, 0.012, 0.015, 0.025, 0.013} {
		n.see(usage.Interval{Start: start}, usage.Attend([]usage.Reading{{Present: map[string]usage.Presence{}, Unlisted: map[string]float64{"interrupt": share}}}))
	}
	if len(lines) != 2 || !strings.Contains(lines[0], `mode=interrupt share="1.2 %"`) || !strings.Contains(lines[1], `share="2.5 %"`) {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
}
