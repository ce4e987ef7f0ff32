// Package progress tells whoever waits for a long command how far it is. It
// knows terminals and arithmetic; it must not know what is counted. Start with
// Line.
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
	// redrawEvery keeps a fast command from being slowed down by its own line.
	redrawEvery = 100 * time.Millisecond
	// printEvery is the pace of plain lines, which stay in a log.
	printEvery = 5 * time.Second
)

// Options say what a Line counts and where it is shown.
type Options struct {
	Unit  string // what is counted, in the plural: intervals
	Total int    // how many there are to do; 0: not known
	// Screen is how wide the terminal is now, and whether Out is one that can
	// redraw a line. See Screen.
	Screen func() (columns int, redraws bool)
	Now    func() time.Time
}

// Line shows how much is done, how fast, how long it will still take and which
// moment is being worked on. On a terminal it is one line that is redrawn, with a
// bar; elsewhere it is a plain line every few seconds. It writes neither colour
// nor any escape sequence, so there is nothing that NO_COLOR could forbid.
//
// Its methods may be called from several goroutines. What cannot be written is
// lost without an error: nobody's work should fail for its progress.
type Line struct {
	out     io.Writer
	o       Options
	redraws bool // decided once: never both kinds of line

	mu      sync.Mutex
	done    int
	at      time.Time
	pace    pace
	shown   time.Time // when it was last drawn or printed
	width   int       // columns of the line that stands on the terminal; 0: none does
	started bool
	ended   bool
}

// New is a line that begins now. Nothing is written before there is something to
// tell.
func New(out io.Writer, o Options) *Line {
	now := o.Now()
	l := &Line{out: out, o: o, pace: begin(now)}
	if _, l.redraws = o.Screen(); !l.redraws {
		l.shown = now // a short command needs no line before its last
	}
	return l
}

// Add says that n more are done, up to the moment at; the zero time is no moment.
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

// Log writes a line of its own above the progress.
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

// Run brings the line up to date every second until ctx ends, so that a rate
// falls and a time goes on while nothing is done. It is for a command whose steps
// take long; Add alone is enough for others.
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

// End leaves a last line that says what was done and how long it took, unless
// nothing was. Later calls do nothing.
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

// show draws or prints, unless it did just before.
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
