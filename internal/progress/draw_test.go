// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"strings"
	"testing"
	"time"
)

func TestTheLineFitsTheTerminal(t *testing.T) {
	for _, c := range []struct {
		name    string
		columns int
		want    string
	}{
		{"wide", 200, "100/1000 intervals  10 % [====>                                   ] 1m30s left 10.0/s 2026-01-03T10:30:00Z"},
		{"eighty", 80, "100/1000 intervals  10 % [=>          ] 1m30s left 10.0/s 2026-01-03T10:30:00Z"},
		{"no room for a bar", 70, "100/1000 intervals  10 % 1m30s left 10.0/s 2026-01-03T10:30:00Z"},
		{"nor for the moment", 50, "100/1000 intervals  10 % 1m30s left 10.0/s"},
		{"nor for the rate", 40, "100/1000 intervals  10 % 1m30s left"},
		{"nor for the time left", 30, "100/1000 intervals  10 %"},
		{"the count alone", 20, "100/1000 intervals"},
		{"not even that", 8, "100/10"},
		{"one that does not say how wide it is", 0, "100/1000 intervals  10 % [=>          ] 1m30s left 10.0/s 2026-01-03T10:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(1000, c.columns, true)
			r.after(10*time.Second, 100)
			room := c.columns
			if room == 0 {
				room = usual
			}
			if got := strings.TrimSpace(screen(t, r.out.String(), room)[0]); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestATerminalThatIsMadeNarrowerLeavesNoTraces(t *testing.T) {
	r := newRig(1000, 120, true)
	r.after(10*time.Second, 100)
	r.columns = 40
	r.out.Reset()
	r.after(10*time.Second, 100)
	r.Log("a word")
	r.End()
	written := screen(t, strings.Split(r.out.String(), "\n")[0], 40)
	if want := "a word"; written[0] != want {
		t.Errorf("the terminal shows %q, want %q", written[0], want)
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		name string
		done int
		want string
	}{
		{"nothing", 0, "[>         ]"},
		{"half", 50, "[=====>    ]"},
		{"nearly all", 99, "[=========>]"},
		{"all", 100, "[==========]"},
		{"more", 120, "[==========]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(100, 80, false)
			r.Add(c.done, worked)
			if got := r.bar(12); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                              "0s",
		59*time.Second + 999999999:     "59s",
		time.Minute:                    "1m00s",
		time.Hour - time.Second:        "59m59s",
		time.Hour + 5*time.Minute:      "1h05m",
		49*time.Hour + 59*time.Minute:  "2d01h",
		99*24*time.Hour + 23*time.Hour: "99d23h",
		longest:                        "over 99d",
	} {
		if got := brief(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
