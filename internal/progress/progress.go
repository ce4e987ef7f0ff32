// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package progress shows the progress of a long command. It knows terminals and
// arithmetic; it must not know what is counted. Start with Line.
package progress

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// redrawEvery keeps the progress line from slowing down a fast command.
	redrawEvery = 100 * time.Millisecond
	// printEvery is the interval of plain lines, which stay in a log.
	printEvery = 5 * time.Second
)

// Options say what a Line counts and where to show it.
type Options struct {
	Unit  string // what is counted, in the plural: intervals
	Total int    // how many there are in all; 0: unknown
	// Screen returns the current width of the terminal, and whether it can redraw a
	// line. See the function Screen.
	Screen func() (columns int, redraws bool)
	Now    func() time.Time
}

// Line shows how much is done, the rate, the remaining time and the current position in
// time. On a terminal it is one line with a bar that is redrawn; elsewhere it is a plain
// line every few seconds. It uses no colours or escape sequences, so NO_COLOR does not
// matter.
//
// Its methods may be called from several goroutines. Write errors are ignored: a command
// must not fail because of its progress line.
type Line struct {
	out     io.Writer
	o       Options
	redraws bool // decided once: never both kinds of line

	mu      sync.Mutex
	done    int
	at      time.Time
	pace    pace
	shown   time.Time // when it was last drawn or printed
	width   int       // columns of the line now on the terminal; 0: none
	started bool
	ended   bool
}

// New starts a line. It writes nothing before the first Add.
func New(out io.Writer, o Options) *Line {
	now := o.Now()
	l := &Line{out: out, o: o, pace: begin(now)}
	if _, l.redraws = o.Screen(); !l.redraws {
		l.shown = now // a short command needs only the last line
	}
	return l
}

// Add adds n to what is done, up to the time at; the zero time is no time.
func (l *Line) Add(n int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	now := l.o.Now()
	l.done, l.at, l.started = l.done+n, at, true
	l.pace.add(now, l.done)
	l.show(now)
}

// Log writes a line above the progress line.
func (l *Line) Log(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stood := l.width > 0
	l.wipe()
	io.WriteString(l.out, strings.TrimSuffix(line, "\n")+"\n") //nolint:errcheck // see Line
	if stood {
		l.draw(l.text(l.o.Now()))
	}
}

// Run updates the line every second until ctx ends, so that rate and remaining time stay
// current while nothing is added. It is for commands with slow steps.
func (l *Line) Run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.refresh()
		}
	}
}

func (l *Line) refresh() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started && !l.ended {
		l.show(l.o.Now())
	}
}

// End writes a last line with what was done and how long it took, unless nothing was
// done. Later calls do nothing.
func (l *Line) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || !l.started {
		l.ended = true
		return
	}
	l.ended = true
	took := l.o.Now().Sub(l.pace.start)
	text := join(l.count(), l.percent(), ratio(float64(l.done), took), "took "+brief(took), moment(l.at))
	l.wipe()
	fmt.Fprintln(l.out, text)
}

// show draws or prints the line, unless it did so a moment ago.
func (l *Line) show(now time.Time) {
	every := printEvery
	if l.redraws {
		every = redrawEvery
	}
	if now.Sub(l.shown) < every {
		return
	}
	l.shown = now
	if l.redraws {
		l.draw(l.text(now))
		return
	}
	fmt.Fprintln(l.out, join(l.parts(now)...))
}
