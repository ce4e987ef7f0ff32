package ingest

import (
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// verdict says what becomes of a run of intervals that could not be read.
type verdict struct {
	// less: it may be the question. A shorter run is asked for.
	less bool
	// aside: it is this one interval. The others go on without it.
	aside bool
	// wait: nothing is asked before a pause.
	wait bool
}

// judge decides what a failure means for a run of so many intervals, after so many
// failures in a row of single intervals. If it is the server, the whole run waits.
// If it may be the question, less is asked, down to single intervals, and one that
// fails on its own is set aside so that it does not hold up the others. But when
// many fail on their own, one after the other, it is the server after all.
func judge(err error, run, row int) verdict {
	tooLarge := usage.IsTooLarge(err) && !timedOut(err)
	switch {
	case isAway(err):
		return verdict{wait: true}
	case run > 1:
		return verdict{less: true, wait: !tooLarge}
	default:
		return verdict{aside: true, wait: !tooLarge || row >= fewInARow}
	}
}

// fewInARow single intervals that fail one after the other are no accident any
// more: from then on each further one is followed by a pause.
const fewInARow = 3

// errs are several errors in one line, each text once. Both upstream calls of a round
// often fail alike.
type errs []error

// joined is nil if there is no error.
func joined(all ...error) error {
	all = slices.DeleteFunc(all, func(err error) bool { return err == nil })
	if len(all) == 0 {
		return nil
	}
	return errs(all)
}

func (e errs) Error() string {
	var texts []string
	for _, err := range e {
		if text := err.Error(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

func (e errs) Unwrap() []error { return e }

// isAway says that it is not the question: nobody answers, or not to us.
func isAway(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && (f.Reason == usage.ReasonConnection || f.Reason == usage.ReasonAuth || f.Reason == usage.ReasonRateLimited)
}

// unheard says that nobody was there to answer.
func unheard(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonConnection
}

func timedOut(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonTimeout
}

// waits says that the server has asked to be left alone.
func waits(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.RetryAfter > 0
}

const (
	// longestRun is the time asked for at once when all goes well. A day of 200
	// hosts costs Prometheus 1 s.
	longestRun = 24 * time.Hour
	// mostAtOnce bounds the intervals of a run, all of which are held in memory: a day
	// by five minutes.
	mostAtOnce = 288
)

// chunk is how many intervals are asked for at once: half as many after an
// answer that was too large, twice as many again after two that were not.
type chunk struct {
	most int // 0: as many as make longestRun, or mostAtOnce
	good int
}

func (c *chunk) size(interval time.Duration) int {
	whole := min(max(int(longestRun/interval), 1), mostAtOnce)
	if c.most == 0 || c.most >= whole {
		return whole
	}
	return c.most
}

func (c *chunk) shrink(tried int) {
	c.most, c.good = max(tried/2, 1), 0
}

func (c *chunk) grow() {
	if c.good++; c.most > 0 && c.good >= 2 {
		c.most, c.good = min(2*c.most, mostAtOnce), 0
	}
}
