package progress

import (
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	between = " "
	// usual is the width of a terminal that does not say it.
	usual = 80
	// A bar shorter than this says less than the number beside it, and one longer
	// no more.
	shortestBar, longestBar = 12, 42
)

// text is the line as it fits the terminal now: a bar where there is room, and
// the least important parts left out where there is not.
func (l *Line) text(now time.Time) string {
	room, _ := l.o.Screen()
	if room <= 0 {
		room = usual
	}
	room-- // a terminal may go to the next line once the last column is written
	var words []string
	for _, part := range l.parts(now) {
		if part != "" {
			words = append(words, part)
		}
	}
	for len(words) > 1 && columns(strings.Join(words, between)) > room {
		words = words[:len(words)-1]
	}
	line := strings.Join(words, between)
	bar := min(longestBar, room-columns(line)-len(between))
	if l.o.Total > 0 && bar >= shortestBar && len(words) > 1 {
		words[1] += between + l.bar(bar)
		line = strings.Join(words, between)
	}
	return cut(line, room)
}

// bar is so many columns wide.
func (l *Line) bar(width int) string {
	inside := width - len("[]")
	full := int(l.share() * float64(inside))
	head := ""
	if full < inside {
		head = ">"
	}
	return "[" + strings.Repeat("=", full) + head + strings.Repeat(" ", inside-full-len(head)) + "]"
}

// draw puts a line in place of the one that stands there.
func (l *Line) draw(text string) {
	width := columns(text)
	over := ""
	if rest := l.width - width; rest > 0 {
		over = strings.Repeat(" ", l.rest(rest, width))
	}
	l.width = width
	io.WriteString(l.out, "\r"+text+over) //nolint:errcheck // see Line
}

// wipe leaves an empty line and the cursor at its beginning.
func (l *Line) wipe() {
	if l.width > 0 {
		io.WriteString(l.out, "\r"+strings.Repeat(" ", l.rest(l.width, 0))+"\r") //nolint:errcheck // see Line
	}
	l.width = 0
}

// rest is how many columns can be overwritten with blanks behind so many others:
// a terminal that was made narrower must not be pushed to its next line.
func (l *Line) rest(wanted, behind int) int {
	room, _ := l.o.Screen()
	if room <= 0 {
		room = usual
	}
	return max(0, min(wanted, room-1-behind))
}

func columns(text string) int { return utf8.RuneCountInString(text) }

func cut(text string, room int) string {
	for at := range text {
		if room <= 0 {
			return text[:at]
		}
		room--
	}
	return text
}
