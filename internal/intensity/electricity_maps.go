// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ElectricityMaps reads the API of Electricity Maps, https://api.electricitymaps.com/v4; version 3
// answers alike. It gives gCO2eq/kWh of what is consumed in a zone, imports traced to their plants.
// Too many calls have the answer of a wrong key, a zone that it does not know becomes that of the
// caller's own address, and a plan without fine steps gets coarse ones without a word.
type ElectricityMaps struct {
	URL       string // up to the version; without a path it is that of version 4
	Zone      string
	Emissions string        // usage.Lifecycle or usage.Direct; empty: lifecycle, as the API has it
	Step      time.Duration // of values, see StepOf; 0: an hour
	Estimates bool          // whether values that are not measured count
	Horizon   time.Duration // of forecasts: 6, 24, 48 or 72 hours; 0: they are not asked for
	Token     func() (string, error)
	Now       func() time.Time

	mu     sync.Mutex
	worked map[string][sha256.Size]byte // the key, hashed, that an endpoint took last
}

// granularities are the steps of values in the API's words.
var granularities = map[string]time.Duration{
	"5_minutes": 5 * time.Minute, "15_minutes": 15 * time.Minute, "hourly": time.Hour,
	"daily": day, "weekly": 7 * day, "monthly": 30 * day, "quarterly": 91 * day, "yearly": 365 * day,
}

const (
	day = 24 * time.Hour

	emPast, emForecast = "past-range", "forecast"
)

// Terms returns what Electricity Maps says of its numbers.
func (m *ElectricityMaps) Terms() usage.Terms {
	t := usage.Terms{
		Basis:     usage.Basis{Signal: usage.Average, Emissions: m.emissions(), Electricity: usage.Consumption},
		Forecasts: m.Horizon > 0,
		// The API allows 10 days of hours, and does not say how many of shorter steps. A request
		// begins up to an hour before what it is for.
		Longest: 9 * day,
		Every:   30 * time.Minute, // a free key has 50 calls an hour
		Licence: "proprietary: the terms of Electricity Maps; a free key is not for commercial use",
		Credit:  "Electricity Maps",
		Link:    "https://www.electricitymaps.com",
	}
	switch m.step() {
	case 5 * time.Minute:
		t.Longest, t.Every = 2*day, 10*time.Minute
	case 15 * time.Minute:
		t.Longest, t.Every = 4*day, 15*time.Minute
	}
	if !m.Estimates {
		t.Late = 6 * time.Hour // until values are measured
	}
	return t
}

// Values returns measured and estimated values.
func (m *ElectricityMaps) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	// A value is listed by its start, and an hour may begin at any quarter. What lies ahead is no
	// past.
	start, end := from.Add(-longestValue), to
	if now := m.Now(); now.After(start) {
		end = usage.Earlier(to, now)
	}
	text, err := m.ask(ctx, get, emPast, url.Values{
		"start": {start.UTC().Format(time.RFC3339)}, "end": {end.UTC().Format(time.RFC3339)},
		"disableEstimations": {strconv.FormatBool(!m.Estimates)},
	})
	if err != nil {
		return Answer{}, err
	}
	return m.decode(text, usage.Actual)
}

// Outlook returns the forecasts from now on. The API has no way to ask for others.
func (m *ElectricityMaps) Outlook(ctx context.Context, get Get, _, _ time.Time) (Answer, error) {
	text, err := m.ask(ctx, get, emForecast, url.Values{"horizonHours": {strconv.Itoa(int(m.Horizon / time.Hour))}})
	if err != nil {
		return Answer{}, err
	}
	return m.decode(text, usage.Forecast)
}

func (m *ElectricityMaps) ask(ctx context.Context, get Get, endpoint string, query url.Values) ([]byte, error) {
	key, err := m.Token()
	if err != nil {
		return nil, err
	}
	query.Set("zone", m.Zone)
	query.Set("emissionFactorType", m.emissions())
	query.Set("temporalGranularity", granularityOf(m.step()))
	query.Set("disableCallerLookup", "true") // the zone of our own address is never meant
	text, err := get(ctx, m.address(endpoint)+"?"+query.Encode(), http.Header{"Auth-Token": {key}})
	hash := sha256.Sum256([]byte(key))
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		return nil, m.refused(endpoint, hash, err)
	}
	if m.worked == nil {
		m.worked = map[string][sha256.Size]byte{}
	}
	m.worked[endpoint] = hash
	return text, nil
}

// refused tells too many calls from a wrong key, both of which are status 401. The caller holds mu.
func (m *ElectricityMaps) refused(endpoint string, key [sha256.Size]byte, err error) error {
	f := usage.FailureOf(err)
	if f == nil || f.Reason != usage.ReasonAuth {
		return err
	}
	clean := *f
	took := saysTooMany(f.Detail)
	for _, hash := range m.worked {
		took = took || hash == key
	}
	switch {
	case f.Status != http.StatusUnauthorized:
		clean.Cause = fmt.Sprintf("Electricity Maps does not give this of zone %s to our key: its plan must hold the zone%s", m.Zone, andForecasts(endpoint))
	case !took:
		clean.Cause = "Electricity Maps does not take the key: correct token_file (or token)"
	case m.worked[endpoint] == key:
		clean.Reason, clean.Permanent, clean.RetryAfter = usage.ReasonRateLimited, false, time.Minute
		clean.Cause = "Electricity Maps says 401 to a key that it took before, which is how it says that we ask too often; if that lasts for hours, the key has been withdrawn"
	default:
		// Nobody waits because of this endpoint: the other may go on answering.
		clean.Reason, clean.Permanent = usage.ReasonRateLimited, false
		clean.Cause = "Electricity Maps says 401 to a key that it took before: we ask too often, or the plan of the key does not hold this; horizon: 0s asks for no forecasts"
	}
	return &clean
}

// saysTooMany reports whether a refusal speaks of the number of calls.
func saysTooMany(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "too many") || strings.Contains(text, "rate limit") || strings.Contains(text, "quota")
}

func andForecasts(endpoint string) string {
	if endpoint == emForecast {
		return " and its forecasts; horizon: 0s asks for none"
	}
	return " and this time"
}

func (m *ElectricityMaps) address(endpoint string) string {
	base := rootOf(m.URL, "/carbon-intensity")
	if u, err := url.Parse(base); err == nil && u.Path == "" {
		base += "/v4"
	}
	return base + "/carbon-intensity/" + endpoint
}

func (m *ElectricityMaps) emissions() string { return cmp.Or(m.Emissions, usage.Lifecycle) }

func (m *ElectricityMaps) step() time.Duration { return cmp.Or(m.Step, time.Hour) }

// StepOf is the step of a granularity in the API's word; 0: it has no such word.
func StepOf(granularity string) time.Duration { return granularities[granularity] }

// granularityOf is a step in the API's word.
func granularityOf(step time.Duration) string {
	for word, d := range granularities {
		if d == step {
			return word
		}
	}
	return "hourly"
}
