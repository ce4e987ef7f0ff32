// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// WattTime reads version 3 of the API of WattTime, https://api.watttime.org, in lbs/MWh of what
// plants emit while they run, every five minutes. A token for half an hour is fetched with the
// account of the HTTP client (basic_auth) and held in memory only. A new model of WattTime's
// rewrites all of the past.
type WattTime struct {
	URL    string
	Region string
	Signal string // WattTimeAverage or WattTimeMarginal; empty: the average

	login sync.Mutex // one at a time
	token string     // the one that login guards

	mu        sync.Mutex
	model     string // the date of the last answer's model
	noOutlook bool   // the API has no forecasts of this signal
}

// The signals of WattTime that are emissions of a kWh.
const (
	WattTimeAverage  = "co2_aoer" // of all plants; may go into a total
	WattTimeMarginal = "co2_moer" // of one more kWh; never into a total
)

// Terms returns what WattTime says of its numbers.
func (w *WattTime) Terms() usage.Terms {
	signal := usage.Average
	if w.signal() == WattTimeMarginal {
		signal = usage.Marginal
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return usage.Terms{
		Basis:     usage.Basis{Signal: signal, Emissions: usage.Direct},
		Forecasts: !w.noOutlook,
		Longest:   31 * day, // the API allows 32
		Licence:   "proprietary: the terms of WattTime; one region is free",
		Credit:    "WattTime",
		Link:      "https://watttime.org",
	}
}

// Values returns what was, as the newest model has it.
func (w *WattTime) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	text, err := w.ask(ctx, get, "historical", url.Values{
		"start": {from.UTC().Format(time.RFC3339)}, "end": {to.UTC().Format(time.RFC3339)},
	})
	if err != nil {
		return Answer{}, err
	}
	answer, model, err := decodeWattTime(text, w.Region, w.signal(), usage.Actual)
	if err != nil {
		return answer, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.model != "" && model != "" && model != w.model {
		answer.Remarks = append(answer.Remarks, fmt.Sprintf("WattTime has a new model, of %s, which changes its values of the past: carbontool backfill --restate brings those of old intervals", model))
	}
	w.model = cmp.Or(model, w.model)
	return answer, nil
}

// Outlook returns the forecasts from now on. WattTime has had none of the average: if it refuses
// them, they are not asked for again.
func (w *WattTime) Outlook(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	text, err := w.ask(ctx, get, "forecast", url.Values{"horizon_hours": {fmt.Sprint(int(to.Sub(from) / time.Hour))}})
	if f := usage.FailureOf(err); f != nil && w.signal() == WattTimeAverage && (f.Reason == usage.ReasonBadRequest || f.Reason == usage.ReasonTooLarge) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.noOutlook = true
		return Answer{Nothing: true}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	answer, _, err := decodeWattTime(text, w.Region, w.signal(), usage.Forecast)
	return answer, err
}

// ask sends a request with the token. A token that is no longer accepted is renewed, once.
func (w *WattTime) ask(ctx context.Context, get Get, endpoint string, query url.Values) ([]byte, error) {
	query.Set("region", w.Region)
	query.Set("signal_type", w.signal())
	address := w.base() + "/v3/" + endpoint + "?" + query.Encode()
	token, fresh, err := w.tokenOr(ctx, get, "")
	if err != nil {
		return nil, err
	}
	text, err := get(ctx, address, bearer(token))
	if f := usage.FailureOf(err); f != nil && f.Status == http.StatusUnauthorized && !fresh {
		if token, _, err = w.tokenOr(ctx, get, token); err != nil {
			return nil, err
		}
		text, err = get(ctx, address, bearer(token))
	}
	return text, w.refused(err)
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// tokenOr returns the token in memory, or a fresh one if that is none or the expired one.
func (w *WattTime) tokenOr(ctx context.Context, get Get, expired string) (token string, fresh bool, err error) {
	w.login.Lock()
	defer w.login.Unlock()
	if w.token != expired {
		return w.token, false, nil
	}
	w.token = ""
	// Without a header of ours the client adds the account.
	text, err := get(ctx, w.base()+"/login", nil)
	if err != nil {
		return "", false, noLogin(err)
	}
	w.token, err = decodeWattTimeLogin(text)
	return w.token, true, err
}

func noLogin(err error) error {
	f := usage.FailureOf(err)
	if f == nil || f.Reason != usage.ReasonAuth {
		return err
	}
	clean := *f
	clean.Cause = "WattTime does not take the account: correct basic_auth"
	return &clean
}

// refused says what it means that a token which is accepted may not have this.
func (w *WattTime) refused(err error) error {
	f := usage.FailureOf(err)
	if f == nil || f.Reason != usage.ReasonAuth {
		return err
	}
	clean := *f
	clean.Cause = fmt.Sprintf("WattTime gives the account a token, but not %s of region %s: its plan must hold them; free ones hold CAISO_NORTH only", w.signal(), w.Region)
	return &clean
}

// base is the address that the endpoints begin with. The version is not part of it: the login has
// none.
func (w *WattTime) base() string {
	return rootOf(w.URL, "/v3")
}

func (w *WattTime) signal() string { return cmp.Or(w.Signal, WattTimeAverage) }
