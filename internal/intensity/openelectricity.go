// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// OpenElectricity is a network of Australia, or one of its regions, at
// https://api.openelectricity.org.au/: t of CO2 and MWh of what generates, five minutes at a time,
// so that 1 t/MWh is 1000 g/kWh. It counts what plants burn, and neither imports nor exports.
//
// Times are those of the network, which has no summer time, in the question and in the answer.
type OpenElectricity struct {
	URL     string
	Network string // NEM, of the east, or WEM, of the west
	Region  string // of the network, such as NSW1; empty: all of it
	Token   func() (string, error)
}

const (
	openElectricityTime = "2006-01-02T15:04:05"
	openElectricityStep = 5 * time.Minute
)

// Terms implements API. The free plan has 500 requests a day, two a second, and eight days a
// request.
func (o *OpenElectricity) Terms() usage.Terms {
	return usage.Terms{
		Basis:   usage.Basis{Signal: usage.Average, Emissions: usage.Direct, Electricity: usage.Production},
		Longest: 7 * 24 * time.Hour,
		Gap:     500 * time.Millisecond,
		Licence: "CC BY-NC 4.0",
		Credit:  "Open Electricity",
		Link:    "https://openelectricity.org.au/",
	}
}

// Values implements API.
func (o *OpenElectricity) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	key, err := o.Token()
	if err == nil && key == "" {
		err = errNoKey
	}
	if err != nil {
		return Answer{}, &usage.Failure{
			Reason: usage.ReasonAuth, Permanent: true, Detail: "no key of the API", Err: err,
			Cause: "OpenElectricity needs a key; put it into the file that openelectricity.token_file names, or set openelectricity.token",
		}
	}
	text, err := get(ctx, o.address(from, to), http.Header{"Authorization": {"Bearer " + key}})
	if err != nil {
		return Answer{}, err
	}
	return decodeOpenElectricity(text, o.Network, o.Region)
}

// Outlook implements API.
func (o *OpenElectricity) Outlook(context.Context, Get, time.Time, time.Time) (Answer, error) {
	return Answer{Nothing: true}, nil
}

func (o *OpenElectricity) address(from, to time.Time) string {
	zone := zoneOf(o.Network)
	q := url.Values{
		"metrics":    {"energy", "emissions"},
		"interval":   {"5m"},
		"date_start": {from.In(zone).Format(openElectricityTime)},
		"date_end":   {to.In(zone).Format(openElectricityTime)},
	}
	if o.Region != "" {
		q.Set("network_region", o.Region)
	}
	return rootOf(o.URL, "/v4") + "/v4/data/network/" + url.PathEscape(o.Network) + "?" + q.Encode()
}

// zoneOf is the zone of a network. It has no summer time, whatever its towns have.
func zoneOf(network string) *time.Location {
	if network == "WEM" {
		return time.FixedZone("AWST", 8*60*60)
	}
	return time.FixedZone("AEST", 10*60*60)
}
