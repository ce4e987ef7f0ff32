// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ENTSOE reads what generated in a zone of Europe from the Transparency Platform of ENTSO-E,
// https://web-api.tp.entsoe.eu/api, and makes an intensity of it by the factors of factors.csv:
// what each type generated times its factor, over all that was generated there. Imports are not
// counted. The answers are XML, in MW by type and quarter, half or whole hour, each type as it
// likes. They come about an hour late, some types later than others, and are corrected silently.
type ENTSOE struct {
	URL       string
	Zone      string // see ZoneEIC
	Token     func() (string, error)
	Emissions string // usage.Lifecycle, or usage.Direct; empty: the first
}

const (
	// entsoeTime is the API's format of times in a request, always in UTC.
	entsoeTime = "200601021504"
	// entsoeSpan is what one request asks for, beside lookBack. The API allows a year. Ten days of
	// quarter hours are less than the thousand values of a type after which it has cut answers
	// off, and where a type of generation begins or ends for good, no more days than these are
	// without a value.
	entsoeSpan = 10*24*time.Hour - lookBack
)

// entsoeKinds are the kinds in factors.csv of ENTSO-E's types of generation (psrType). Gas that is
// made of coal has the carbon of coal.
var entsoeKinds = map[string]string{
	"B01": "biomass", "B02": "lignite", "B03": "coal", "B04": "gas", "B05": "coal", "B06": "oil", "B07": "oil_shale",
	"B08": "peat", "B09": "geothermal", "B10": kindStorage, "B11": "hydro", "B12": "hydro", "B13": "marine",
	"B14": "nuclear", "B15": "other_renewable", "B16": "solar", "B17": "waste", "B18": "wind_offshore",
	"B19": "wind_onshore", "B20": kindOther, "B25": kindStorage,
}

// Terms returns what is known of the platform. There are no forecasts of actual generation.
func (e *ENTSOE) Terms() usage.Terms {
	return usage.Terms{
		Basis: mixBasis(e.Emissions), Every: 15 * time.Minute, Longest: entsoeSpan,
		Licence: "Terms and conditions of the ENTSO-E Transparency Platform",
		Credit:  "ENTSO-E Transparency Platform",
		Link:    "https://transparency.entsoe.eu",
	}
}

// Values asks for actual generation per type (A75, realised: A16).
func (e *ENTSOE) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	zone, err := ZoneEIC(e.Zone)
	if err != nil {
		return Answer{}, &usage.Failure{Reason: usage.ReasonBadRequest, Permanent: true, Detail: "zone: " + err.Error()}
	}
	key, err := keyOf(e.Token)
	if err != nil {
		return Answer{}, err
	}
	question := url.Values{
		"securityToken": {key}, "documentType": {"A75"}, "processType": {"A16"}, "in_Domain": {zone},
		"periodStart": {from.Add(-lookBack).UTC().Format(entsoeTime)}, "periodEnd": {to.UTC().Format(entsoeTime)},
	}
	text, err := get(ctx, withQuery(e.address(), question), http.Header{"Accept": {"application/xml, text/xml"}})
	if err != nil {
		return Answer{}, refusedKey(noMatch(err))
	}
	return decodeENTSOE(text, zone, from, to, e.Emissions)
}

// address is where the API is: without a path, where the platform has it.
func (e *ENTSOE) address() string {
	if u, err := url.Parse(e.URL); err == nil && strings.Trim(u.Path, "/") == "" {
		return u.JoinPath("api").String()
	}
	return e.URL
}

// Outlook has nothing.
func (*ENTSOE) Outlook(context.Context, Get, time.Time, time.Time) (Answer, error) {
	return Answer{}, nil
}

// noMatch makes of a status of 400 with an acknowledgement what the same acknowledgement is with a
// status of 200: there is nothing, and there may be something later.
func noMatch(err error) error {
	f := usage.FailureOf(err)
	if f == nil || f.Status != http.StatusBadRequest {
		return err
	}
	if _, reason, ok := strings.Cut(f.Detail, acknowledged+": "); ok {
		return noData(reason)
	}
	return err
}

// noData is the failure for an acknowledgement, which comes in place of values.
func noData(reason string) error {
	return &usage.Failure{Reason: usage.ReasonPartial, Detail: "no data: " + reason}
}
