// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

var (
	reachable = check{Prometheus, "reachable"}
	clockOf   = check{Prometheus, "clock"}
	keeps     = check{Prometheus, "retention"}
	targets   = check{Prometheus, "targets"}
)

// Unreached is about a server that does not answer as one with Prometheus' API. instead is the
// address, on the same server, that does; empty: none was found.
func Unreached(url, cause, instead string) Finding {
	if instead != "" {
		return reachable.fail("set prometheus.url to "+instead,
			"%s is not the address of the API, %s is: %s", url, instead, cause)
	}
	return reachable.fail("set prometheus.url to the address at which the server has /api/v1/query, without the path of a page; see also tls_config, proxy_url and basic_auth",
		"%s: %s", url, cause)
}

// Server is about what a server says of itself.
func Server(s survey.Server, url string, lag, lookback time.Duration) []Finding {
	all := []Finding{reachable.ok("%s at %s answers in %s", s, url, s.Took.Round(time.Millisecond))}
	if s.Skew != nil {
		all = append(all, clock(*s.Skew, s.SkewWithin, lag))
	}
	return append(all, retention(s, lookback), scraped(s.Targets))
}

// steadyClock is how far two clocks may be apart without a remark: a scrape interval.
const steadyClock = 5 * time.Second

func clock(skew, within, lag time.Duration) Finding {
	const set = "set both clocks by NTP: the intervals of one are not those of the other"
	apart := skew.Abs()
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	switch {
	case apart-within > lag:
		return clockOf.fail(set, "the server's clock is %s %s ours, more than prometheus.lag", apart.Round(time.Second), direction)
	case apart-within > steadyClock:
		return clockOf.warn(set, "the server's clock is %s %s ours", apart.Round(time.Second), direction)
	}
	return clockOf.ok("the server's clock and ours agree to %s", max(apart, within).Round(time.Millisecond))
}

func retention(s survey.Server, lookback time.Duration) Finding {
	switch {
	case s.Retention == 0 && s.RetentionText != "":
		return keeps.ok("keeps %s, which is not a time; an empty store starts with the last %s", s.RetentionText, model.Duration(lookback))
	case s.Retention == 0:
		return keeps.ok("the server does not say how long it keeps data; an empty store starts with the last %s", model.Duration(lookback))
	case s.Retention < lookback:
		return keeps.warn("set lookback to less, or have the server keep more",
			"keeps %s, and an empty store starts with the last %s (lookback): what is older than the server keeps stays empty", s.RetentionText, model.Duration(lookback))
	}
	return keeps.ok("keeps %s; an empty store starts with the last %s", s.RetentionText, model.Duration(lookback))
}

func scraped(t *survey.Targets) Finding {
	switch {
	case t == nil:
		return targets.ok("the server does not say how many targets it scrapes")
	case t.All == 0:
		return targets.warn("see whether prometheus.url is the right server, and whether it is given data by remote_write, which brings no up",
			"the server has no targets at all")
	case t.Up*2 < t.All:
		return targets.warn("see /targets of the server", "%d of %s do not answer the server", t.All-t.Up, many(t.All, "target"))
	case t.Up < t.All:
		return targets.ok("%s, of which %d do not answer the server", many(t.All, "target"), t.All-t.Up)
	}
	return targets.ok("%s, all of which answer", many(t.All, "target"))
}

// Load is what reading costs a server.
type Load struct {
	Series   int // selected
	Cores    int // series of which each sample is counted
	Hosts    int
	Budget   int // samples that one query may need; 0: what the server allows
	Interval time.Duration
	Scrape   time.Duration // between two samples; 0: not known
	Took     time.Duration // one interval
}

var cost = check{Prometheus, "cost"}

// Cost is about what a day costs a server, which reads the counters at the edges of intervals and
// the samples of one mode throughout, and about its limit of one query.
func Cost(l Load, s survey.Server) Finding {
	steps := int(24*time.Hour/l.Interval) + 1
	atOnce := l.Series * steps
	samples := atOnce + l.Cores*steps
	if l.Scrape > 0 {
		samples += l.Cores * int(24*time.Hour/l.Scrape)
	}
	seen := fmt.Sprintf("a day is about %s of %d series; the newest interval took %s", samplesOf(samples), l.Series, l.Took.Round(time.Millisecond))
	const two = 4 // moments of a single interval: its edges, and one beside each
	switch {
	case l.Budget > 0 && l.Series*two > l.Budget:
		return cost.warn("allow more by prometheus.max_samples_per_query, run several exporters (docs/shards.md), or have a recording rule count for it: see examples/prometheus/rules-upstream.yml",
			"%s; one query may need %s (prometheus.max_samples_per_query), and a single interval needs %s, so each is asked for project by project", seen, samplesOf(l.Budget), samplesOf(l.Series*two))
	case s.QueryTimeout > 0 && l.Took*2 > s.QueryTimeout:
		return cost.warn("give the server more CPU or a longer query.timeout, or have a recording rule count less often: see examples/prometheus/rules-upstream.yml",
			"%s, of %s that the server allows (query.timeout)", seen, s.QueryTimeout)
	case s.MaxSamples > 0 && int64(l.Series)*two > s.MaxSamples:
		return cost.warn("raise query.max-samples of the server, or have a recording rule count for it: see examples/prometheus/rules-upstream.yml",
			"%s; the server allows %s in one query (query.max-samples), which a single interval nearly needs", seen, samplesOf(int(s.MaxSamples)))
	case l.Budget > 0 && atOnce > l.Budget && (s.MaxSamples == 0 || int64(l.Budget) <= s.MaxSamples):
		return cost.ok("%s; one query may need %s (prometheus.max_samples_per_query), so that days are asked for in parts", seen, samplesOf(l.Budget))
	case s.MaxSamples > 0 && int64(atOnce) > s.MaxSamples:
		return cost.ok("%s; the server allows %s in one query (query.max-samples), so that days are asked for in parts", seen, samplesOf(int(s.MaxSamples)))
	}
	return cost.ok("%s", seen)
}

func samplesOf(n int) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%d million samples", n/1_000_000)
	case n >= 10_000:
		return fmt.Sprintf("%d thousand samples", n/1000)
	}
	return many(n, "sample")
}
