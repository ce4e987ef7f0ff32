// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	between = " "
	// usual is the width assumed for a terminal that does not report it.
	usual = 80
	// A shorter bar says less than the percentage next to it, a longer one no more.
	shortestBar, longestBar = 12, 42
)

// text is the line fitted to the current width of the terminal: with a bar if there is
// room, and without the least important parts if there is not.
func (l *Line) text(now time.Time) string {
	room, _ := l.o.Screen()
	if room <= 0 {
		room = usual
	}
	room-- // some terminals wrap after the last column is written
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

// bar draws a bar of a width in columns.
func (l *Line) bar(width int) string {
	inside := width - len("[]")
	full := int(l.share() * float64(inside))
	head := ""
	if full < inside {
		head = ">"
	}
	return "[" + strings.Repeat("=", full) + head + strings.Repeat(" ", inside-full-len(head)) + "]"
}

// draw replaces the current line.
func (l *Line) draw(text string) {
	width := columns(text)
	over := ""
	if rest := l.width - width; rest > 0 {
		over = strings.Repeat(" ", l.rest(rest, width))
	}
	l.width = width
	io.WriteString(l.out, "\r"+text+over) //nolint:errcheck // see Line
}

// wipe clears the current line.
func (l *Line) wipe() {
	if l.width > 0 {
		io.WriteString(l.out, "\r"+strings.Repeat(" ", l.rest(l.width, 0))+"\r") //nolint:errcheck // see Line
	}
	l.width = 0
}

// rest is how many columns to overwrite with blanks after those in use: on a terminal
// that has become narrower the text must not wrap.
func (l *Line) rest(wanted, used int) int {
	room, _ := l.o.Screen()
	if room <= 0 {
		room = usual
	}
	return max(0, min(wanted, room-1-used))
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
