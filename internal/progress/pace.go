package progress

import "time"

const (
	// window is how far back the rate looks: long enough to be calm, short
	// enough to follow an upstream that slows down.
	window = 30 * time.Second
	// fewest steps are looked at however long they took, so that the rate of
	// large and slow steps does not jump between nothing and much.
	fewest = 5
	// most steps are kept; those between lie so close that they say the same.
	most = 64
	// early is the time in which a rate is chance and none is given.
	early = 2 * time.Second
)

// pace is the rate of the recent past.
type pace struct {
	start time.Time
	steps []step // by time; the first is where the window begins
}

type step struct {
	at   time.Time
	done int
}

func begin(now time.Time) pace { return pace{start: now, steps: []step{{at: now}}} }

func (p *pace) add(now time.Time, done int) {
	last := &p.steps[len(p.steps)-1]
	if len(p.steps) > fewest && now.Sub(last.at) < window/most {
		// So close that it is the same step.
		last.done = done
		return
	}
	p.steps = append(p.steps, step{at: now, done: done})
	for len(p.steps) > fewest+1 && (now.Sub(p.steps[1].at) >= window || len(p.steps) > most) {
		p.steps = p.steps[1:]
	}
}

// perSecond is the rate of the window that ends now, and whether there is one
// yet: not at the very beginning, and not before anything was done.
func (p *pace) perSecond(now time.Time) (float64, bool) {
	first, last := p.steps[0], p.steps[len(p.steps)-1]
	if now.Sub(p.start) < early || last.done == first.done || !now.After(first.at) {
		return 0, false
	}
	return float64(last.done-first.done) / now.Sub(first.at).Seconds(), true
}

// left is how long the rest takes at the present rate.
func (p *pace) left(now time.Time, rest int) (time.Duration, bool) {
	rate, ok := p.perSecond(now)
	if !ok || rest < 0 {
		return 0, false
	}
	seconds := float64(rest) / rate
	if seconds > longest.Seconds() {
		return longest, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}
