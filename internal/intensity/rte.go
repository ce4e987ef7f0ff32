// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// RTE is France, as its grid operator publishes it (éCO2mix, at https://odre.opendatasoft.com/): g
// of CO2 per kWh that is generated in France, of what its plants burn.
//
// There are two lists. The live one has quarters of an hour, from about two hours ago on, and goes
// back some weeks. The other one has half hours: consolidated in the course of the next month, and
// definitive after a year. Which to ask is told from the age of a time, with weeks in which both
// are asked, because nobody says when a month moves; the later list counts. On the night that has
// an hour twice one of the two is missing, and stays without a value.
type RTE struct {
	URL string
	Now func() time.Time
}

const (
	rteLive  = "eco2mix-national-tr"
	rteLater = "eco2mix-national-cons-def"

	// A month is consolidated two weeks after its end at the earliest, and the live list has it
	// for three months at the most.
	rteLaterAfter = 14 * 24 * time.Hour
	rteLiveUntil  = 100 * 24 * time.Hour

	rtePage = 100 // the most rows that one request gets
)

// Terms implements API.
func (r *RTE) Terms() usage.Terms {
	return usage.Terms{
		Basis:   usage.Basis{Signal: usage.Average, Emissions: usage.Direct, Electricity: usage.Production},
		Every:   15 * time.Minute,
		Longest: 14 * 24 * time.Hour,
		Licence: "Licence Ouverte 2.0",
		Credit:  "RTE, éCO2mix",
		Link:    "https://odre.opendatasoft.com/explore/dataset/eco2mix-national-tr/",
	}
}

// Values implements API.
func (r *RTE) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	now := r.Now()
	whole := Answer{Rejects: usage.Rejects{}}
	var later []Value
	if from.Before(now.Add(-rteLaterAfter)) {
		a, err := r.ask(ctx, get, rteLater, from, to)
		if err != nil {
			return a, err
		}
		later = a.Values
		whole.join(a)
	}
	if to.After(now.Add(-rteLiveUntil)) {
		a, err := r.ask(ctx, get, rteLive, from, to)
		if err != nil {
			return a, err
		}
		a.Values = notYetIn(later, a.Values)
		whole.join(a)
	}
	whole.Nothing = len(whole.Values) == 0
	return whole, nil
}

// Outlook implements API.
func (r *RTE) Outlook(context.Context, Get, time.Time, time.Time) (Answer, error) {
	return Answer{Nothing: true}, nil
}

// join adds what another answer has.
func (a *Answer) join(o Answer) {
	a.Values = append(a.Values, o.Values...)
	a.Rejects.Add(o.Rejects)
	a.Remarks = append(a.Remarks, o.Remarks...)
}

// notYetIn leaves out live values of times that the later list has: they are of finer steps, and
// would count before it.
func notYetIn(later, live []Value) (kept []Value) {
	const tick = 15 * time.Minute
	has := map[time.Time]bool{}
	for _, v := range later {
		for at := v.From.Truncate(tick); at.Before(v.To); at = at.Add(tick) {
			has[at] = true
		}
	}
	for _, v := range live {
		if !has[v.From.Truncate(tick)] {
			kept = append(kept, v)
		}
	}
	return kept
}

func (r *RTE) ask(ctx context.Context, get Get, list string, from, to time.Time) (Answer, error) {
	rows, whole, err := allPages(ctx, get, rtePage, func(offset int) string { return r.address(list, from, to, offset) }, readRTEPage)
	if err != nil {
		return Answer{}, err
	}
	length := 30 * time.Minute
	if list == rteLive {
		length = 15 * time.Minute
	}
	a := decodeRTE(rows, length)
	if !whole {
		a.Remarks = append(a.Remarks, "The list "+list+" of RTE has more rows of a time than it gave.")
	}
	return a, nil
}

// address asks for a page of the rows of [from, to) that have a value.
func (r *RTE) address(list string, from, to time.Time, offset int) string {
	q := url.Values{
		"select":   {"date_heure,nature,taux_co2"},
		"where":    {fmt.Sprintf("date_heure >= date'%s' and date_heure < date'%s' and taux_co2 is not null", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))},
		"order_by": {"date_heure"},
		"limit":    {strconv.Itoa(rtePage)},
	}
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	return rootOf(r.URL, "/api/explore/v2.1") + "/api/explore/v2.1/catalog/datasets/" + list + "/records?" + q.Encode()
}
