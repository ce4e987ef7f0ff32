// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ENTSOE answers as the Transparency Platform does when asked for generation by type (A75): coal
// and wind in quarters of an hour, nuclear in hours, and pumps that take and give. Points that
// repeat are left out. Later types are missing at the end.
type ENTSOE struct {
	Server
	Key, Zone string
	Plants    *Plants       // nil: lifecycle emissions
	LateWind  time.Duration // how much later than an hour the wind comes
	Version   string        // of the format; empty: 3:0
	Refusal   int           // the status of an acknowledgement; 0: 200
}

const entsoeStamp = "2006-01-02T15:04Z"

// ServeHTTP answers /api.
func (e *ENTSOE) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.fails(w, r) {
		return
	}
	q := r.URL.Query()
	if q.Get("securityToken") != e.Key {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, "<html><body>Unauthorized. Missing or invalid security token %s</body></html>", q.Get("securityToken"))
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	from, err := time.Parse("200601021504", q.Get("periodStart"))
	to, err2 := time.Parse("200601021504", q.Get("periodEnd"))
	switch {
	case err != nil || err2 != nil || !from.Before(to) || q.Get("documentType") != "A75" || q.Get("processType") != "A16":
		e.acknowledge(w, http.StatusBadRequest, "The combination of parameters is not valid.")
	case to.Sub(from) > 366*24*time.Hour:
		e.acknowledge(w, http.StatusBadRequest, "Delta between periodStart and periodEnd must not exceed 1 year.")
	case q.Get("in_Domain") != e.Zone || !from.Before(e.measured(0)):
		e.acknowledge(w, cmp.Or(e.Refusal, http.StatusOK), "No matching data found for Data item Aggregated Generation per Type & interval "+from.Format(entsoeStamp)+"/"+to.Format(entsoeStamp)+".")
	default:
		e.document(w, from, to)
	}
}

// measured is until when values are there.
func (e *ENTSOE) measured(later time.Duration) time.Time {
	return e.Now().UTC().Add(-time.Hour - later).Truncate(time.Hour)
}

func (e *ENTSOE) acknowledge(w http.ResponseWriter, status int, why string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:8:1">
	<mRID>9e15b5a4-5f4b-4</mRID>
	<createdDateTime>2026-06-17T11:41:36Z</createdDateTime>
	<sender_MarketParticipant.mRID codingScheme="A01">10X1001A1001A450</sender_MarketParticipant.mRID>
	<sender_MarketParticipant.marketRole.type>A32</sender_MarketParticipant.marketRole.type>
	<receiver_MarketParticipant.mRID codingScheme="A01">10X1001A1001A450</receiver_MarketParticipant.mRID>
	<receiver_MarketParticipant.marketRole.type>A39</receiver_MarketParticipant.marketRole.type>
	<received_MarketDocument.createdDateTime>2026-06-17T11:41:36Z</received_MarketDocument.createdDateTime>
	<Reason>
		<code>999</code>
		<text>`)
	_ = xml.EscapeText(w, []byte(why)) // the client may have gone
	fmt.Fprint(w, "</text>\n\t</Reason>\n</Acknowledgement_MarketDocument>\n")
}

func (e *ENTSOE) document(w http.ResponseWriter, from, to time.Time) {
	p := cmp.Or(e.Plants, &lifecycle)
	coal := func(at time.Time) float64 { return p.coal(&e.Server, at, at.Add(15*time.Minute)) }
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:%s">
<mRID>1</mRID><type>A75</type><process.processType>A16</process.processType><time_Period.timeInterval><start>%s</start><end>%s</end></time_Period.timeInterval>
`, cmp.Or(e.Version, "3:0"), from.Format(entsoeStamp), to.Format(entsoeStamp))
	e.series(w, "in", "B05", from, to, 15, e.measured(0), coal)
	e.series(w, "in", "B10", from, to, 60, e.measured(0), func(time.Time) float64 { return 700 })
	e.series(w, "out", "B10", from, to, 60, e.measured(0), func(time.Time) float64 { return 900 })
	e.series(w, "in", "B14", from, to, 60, e.measured(0), nuclear)
	e.series(w, "in", "B19", from, to, 15, e.measured(e.LateWind), func(at time.Time) float64 { return coalAndWind - coal(at) })
	fmt.Fprint(w, "</GL_MarketDocument>")
}

// series writes a type from the start of its first step on.
func (e *ENTSOE) series(w http.ResponseWriter, way, code string, from, to time.Time, minutes int, until time.Time, power func(time.Time) float64) {
	step := time.Duration(minutes) * time.Minute
	from, to = from.Truncate(step), to.Add(step-1).Truncate(step)
	if to.After(until) {
		to = until
	}
	if !from.Before(to) {
		return
	}
	var points strings.Builder
	last := ""
	for at := from; at.Before(to); at = at.Add(step) {
		if value := fmt.Sprintf("%.3f", power(at)); value != last {
			fmt.Fprintf(&points, "<Point><position>%d</position><quantity>%s</quantity></Point>", at.Sub(from)/step+1, value)
			last = value
		}
	}
	fmt.Fprintf(w, `<TimeSeries><mRID>1</mRID><businessType>A01</businessType><objectAggregation>A08</objectAggregation>
<%[1]sBiddingZone_Domain.mRID codingScheme="A01">%[2]s</%[1]sBiddingZone_Domain.mRID><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>
<curveType>A03</curveType><MktPSRType><psrType>%[3]s</psrType></MktPSRType>
<Period><timeInterval><start>%[4]s</start><end>%[5]s</end></timeInterval><resolution>PT%[6]dM</resolution>%[7]s</Period></TimeSeries>
`, way, e.Zone, code, from.Format(entsoeStamp), to.Format(entsoeStamp), minutes, points.String())
}
