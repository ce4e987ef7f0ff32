// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"math"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	type did struct {
		times int
		every time.Duration
		n     int
	}
	for _, c := range []struct {
		name string
		did  []did
		rest time.Duration // in which nothing is done, before the question
		want float64       // per second; 0: none is given
	}{
		{"nothing yet", nil, time.Hour, 0},
		{"a second is too early", []did{{10, 100 * time.Millisecond, 5}}, 0, 0},
		{"steadily", []did{{600, 100 * time.Millisecond, 5}}, 0, 50},
		{"a thousand a second", []did{{60_000, time.Millisecond, 1}}, 0, 1000},
		{"one large step after a while", []did{{1, 40 * time.Second, 48}}, 0, 1.2},
		{"large and slow steps", []did{{20, 48 * time.Second, 48}}, 0, 1},
		{"it has slowed down, the fast past is out of sight", []did{{100, time.Second, 100}, {40, time.Second, 2}}, 0, 2},
		{"nothing for as long as the window", []did{{120, time.Second, 10}}, 30 * time.Second, 5},
		{"nothing for long", []did{{120, time.Second, 10}}, 970 * time.Second, 0.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, done := began, 0
			p := begin(now)
			for _, d := range c.did {
				for range d.times {
					now, done = now.Add(d.every), done+d.n
					p.add(now, done)
				}
			}
			if len(p.steps) > most+1 {
				t.Errorf("%d steps are kept", len(p.steps))
			}
			got, ok := p.perSecond(now.Add(c.rest))
			if ok != (c.want != 0) || math.Abs(got-c.want) > 0.03*c.want {
				t.Errorf("%v per second (%v), want %v", got, ok, c.want)
			}
		})
	}
}
