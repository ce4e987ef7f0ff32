// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Prometheus is a series that somebody has in a Prometheus already: from an exporter of carbon
// intensity, a meter, or a contract in a recording rule. It is asked by query_range for every
// minute, so anything that speaks PromQL will do. What the numbers count only the operator knows.
//
// Some exporters have a gauge of now. Others send one sample an hour with a time of its own, and
// Prometheus forgets a sample after five minutes: a minute without a value has the last one, for
// as long as Hold.
type Prometheus struct {
	URL   string // the base of its API
	Query string // PromQL that returns one series
	// Unit is what a value of 1 is.
	Unit usage.GramsPerKWh
	Hold time.Duration // in whole minutes, at most MaxHold
	Now  func() time.Time
}

const (
	// step is how far apart the moments are at which a query is evaluated. Each is the last
	// millisecond of a minute, and its value is that of the minute: what was scraped in it counts,
	// and a sample with the time of a full hour counts from that hour on.
	step = time.Minute
	// longestRange and MaxHold together are one request: Prometheus refuses more than 11 000 moments.
	longestRange = 7 * 24 * time.Hour
	// shortestRange is what is never asked for in halves.
	shortestRange = 12 * time.Hour
	// MaxHold is the longest that a value can hold.
	MaxHold = 12 * time.Hour
)

// Terms leaves open what is counted, and whose the values are.
func (p *Prometheus) Terms() usage.Terms { return usage.Terms{Longest: longestRange} }

// Values asks in halves what is too much at once, down to a day: a query may read far more than it
// returns.
func (p *Prometheus) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	answer, err := p.ask(ctx, get, from, to)
	middle := usage.SlotAt(from.Add(to.Sub(from) / 2))
	if !usage.IsTooLarge(err) || middle.Sub(from) < shortestRange {
		return answer, err
	}
	if answer, err = p.Values(ctx, get, from, middle); err != nil {
		return answer, err
	}
	rest, err := p.Values(ctx, get, middle, to)
	answer.Values = append(answer.Values, rest.Values...)
	answer.Rejects.Add(rest.Rejects)
	return answer, err
}

// ask asks for a range and for Hold before it: what begins the range may be an older value.
func (p *Prometheus) ask(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	hold := min(p.Hold, MaxHold).Truncate(step)
	m := minutes{first: from.Add(-hold), n: int(to.Sub(from.Add(-hold)) / step), asked: from}
	address, err := p.address(m)
	if err != nil {
		return Answer{}, err
	}
	text, err := get(ctx, address, nil)
	if err != nil {
		return Answer{}, p.explained(err)
	}
	values, rejects, err := decodePrometheus(text, m, p.Unit)
	if err != nil {
		return Answer{Rejects: rejects}, err
	}
	over := min(m.n, max(int(p.Now().Sub(m.first)/step), 0)) // the minute of now is not
	bridge(values, int(hold/step))
	return Answer{Values: joined(values[:over], m.first), Rejects: rejects}, nil
}

// Outlook returns nothing: nobody says which series would be a forecast.
func (*Prometheus) Outlook(context.Context, Get, time.Time, time.Time) (Answer, error) {
	return Answer{}, nil
}

// minutes are those of a range, and before it those in which a value may be that still holds.
type minutes struct {
	first time.Time
	n     int
	asked time.Time // the begin of the range itself
}

// address is that of a request. VictoriaMetrics would look further back for a sample than
// Prometheus, and answer from a cache that does not know of late samples; Thanos would leave out
// stores that are away, and answer from downsampled blocks. Other servers ignore these parameters.
func (p *Prometheus) address(m minutes) (string, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return "", &usage.Failure{Reason: usage.ReasonBadRequest, Permanent: true, Detail: "the configured url is not valid"}
	}
	u = u.JoinPath("api/v1/query_range")
	u.RawQuery = url.Values{
		"query": {p.Query},
		"start": {queryTime(m.first.Add(step - time.Millisecond))},
		"end":   {queryTime(m.first.Add(time.Duration(m.n)*step - time.Millisecond))},
		"step":  {strconv.Itoa(int(step.Seconds()))},

		"max_lookback":          {"5m"},
		"nocache":               {"1"},
		"partial_response":      {"false"},
		"max_source_resolution": {"0s"},
	}.Encode()
	return u.String(), nil
}

// queryTime writes a time as the API has it.
func queryTime(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

// explained adds to a refusal of the query itself what to do about it.
func (p *Prometheus) explained(err error) error {
	f := usage.FailureOf(err)
	if f == nil || f.Cause != "" || f.Status != http.StatusBadRequest && f.Status != http.StatusUnprocessableEntity {
		return err
	}
	plain := *f
	plain.Cause = "the server refuses the query of carbon intensity: run it in the server's own page and correct it"
	if f.Detail != "" {
		plain.Cause += "; it says: " + f.Detail
	}
	return &plain
}

// bridge gives minutes without a value the last one, most at a time.
func bridge(values []usage.GramsPerKWh, most int) {
	last, gap := none, 0
	for i, v := range values {
		if !isNone(v) {
			last, gap = v, 0
		} else if gap++; gap <= most {
			values[i] = last
		}
	}
}

// none is a minute without a value.
var none = usage.GramsPerKWh(math.NaN())

func isNone(v usage.GramsPerKWh) bool { return math.IsNaN(float64(v)) }

// joined makes one value of the minutes of a half hour that follow each other and are alike.
func joined(values []usage.GramsPerKWh, first time.Time) (all []Value) {
	for i, v := range values {
		from := first.Add(time.Duration(i) * step)
		if isNone(v) {
			continue
		}
		if n := len(all) - 1; n >= 0 && all[n].To.Equal(from) && all[n].Intensity == v && !usage.SlotAt(from).Equal(from) {
			all[n].To = from.Add(step)
			continue
		}
		all = append(all, Value{From: from, To: from.Add(step), Intensity: v, Kind: usage.Actual})
	}
	return all
}

// noSeries says what to look at when nothing comes.
func noSeries(m minutes) error {
	const minute = "2006-01-02T15:04Z"
	to := m.first.Add(time.Duration(m.n) * step)
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: "no series", Cause: fmt.Sprintf(
		"the query of carbon intensity returns no series from %s to %s: check its name and labels in the server's own page, and that its exporter was scraped then",
		m.first.UTC().Format(minute), to.UTC().Format(minute))}
}

// severalSeries says how to make one of several.
func severalSeries(n int, labels []string) error {
	differ := ""
	if len(labels) > 0 {
		differ = ", which differ in " + strings.Join(labels[:min(len(labels), 5)], ", ")
	}
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("%d series", n), Cause: fmt.Sprintf(
		"the query of carbon intensity returns %d series%s: name one by its labels, or aggregate them, such as avg(...)", n, differ)}
}
