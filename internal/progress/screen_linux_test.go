// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carbon-exporter/carbon_exporter/internal/progress/terminaltest"
)

func resize(t *testing.T, terminal *os.File, columns uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

func TestARealTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	terminal, behind := terminaltest.Open(t)
	now := began
	l := New(terminal, Options{
		Unit: "intervals", Total: 10, Now: func() time.Time { return now },
		Screen: func() (int, bool) { return Screen(terminal) },
	})
	resize(t, terminal, 24)
	now = now.Add(10 * time.Second)
	l.Add(4, worked)
	resize(t, terminal, 60)
	now = now.Add(10 * time.Second)
	l.Add(4, worked)
	l.End()
	var seen strings.Builder
	for part := make([]byte, 4096); strings.Count(seen.String(), "\n") < 1; {
		n, err := behind.Read(part)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(part[:n])
	}
	want := "\r 4/10 intervals  40 %" +
		"\r 8/10 intervals  80 % 5s left 0.40/s 2026-01-03T10:30:00Z" +
		"\r" + strings.Repeat(" ", 57) + "\r" +
		"8/10 intervals, 80 %, 0.40/s, took 20s, 2026-01-03T10:30:00Z\r\n"
	if got := seen.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestADumbTerminalGetsPlainLines(t *testing.T) {
	terminal, _ := terminaltest.Open(t)
	resize(t, terminal, 80)
	t.Setenv("TERM", "dumb")
	if columns, redraws := Screen(terminal); columns != 80 || redraws || !Terminal(terminal) {
		t.Errorf("%d columns, redraws: %v, terminal: %v", columns, redraws, Terminal(terminal))
	}
}
