// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"net/http"
	"strings"
	"time"
)

// OpenElectricity imitates https://api.openelectricity.org.au/: energy and emissions, five minutes
// at a time, in the time of the network, which has no summer time. Nothing is known of the last ten
// minutes.
type OpenElectricity struct {
	Server
	Key   string
	Split bool // give coal and wind on their own
	Naive bool // write times without their offset
	// Unknown and Idle are the times without emissions, and without any energy.
	Unknown, Idle time.Time
}

// ServeHTTP answers.
func (o *OpenElectricity) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o.fails(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+o.Key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	network := strings.TrimPrefix(r.URL.Path, "/v4/data/network/")
	zone := map[string]*time.Location{"NEM": time.FixedZone("", 10*60*60), "WEM": time.FixedZone("", 8*60*60)}[network]
	q := r.URL.Query()
	if zone == nil || q.Get("interval") != "5m" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	const naive = "2006-01-02T15:04:05"
	from, err := time.ParseInLocation(naive, q.Get("date_start"), zone)
	to, err2 := time.ParseInLocation(naive, q.Get("date_end"), zone)
	if err != nil || err2 != nil || to.Sub(from) >= 9*24*time.Hour {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	data := []map[string]any{}
	for _, metric := range q["metrics"] {
		data = append(data, map[string]any{
			"network_code": network, "metric": metric, "interval": "5m", "network_timezone_offset": from.Format("-07:00"),
			"unit": map[string]string{"energy": "MWh", "emissions": "t"}[metric], "results": o.parts(metric, q.Get("network_region"), from, to),
		})
	}
	answer(w, map[string]any{"success": true, "data": data})
}

// parts are those of a metric: coal emits all there is, and wind is a quarter of the energy.
func (o *OpenElectricity) parts(metric, region string, from, to time.Time) []map[string]any {
	layout := time.RFC3339
	if o.Naive {
		layout = "2006-01-02T15:04:05"
	}
	var coal, wind [][]any
	for at := from; !at.After(to) && !at.After(o.Now().Add(-10*time.Minute)); at = at.Add(5 * time.Minute) {
		energy := float64(1000 + at.Minute())
		if at.Equal(o.Idle) {
			energy = 0
		}
		ofCoal, ofWind := any(energy*3/4), any(energy/4)
		if metric == "emissions" {
			ofCoal, ofWind = energy*float64(o.Truth(at))/1000, 0.0
			if at.Equal(o.Unknown) {
				ofCoal = nil
			}
		}
		if !o.Split && ofCoal != nil {
			ofCoal = ofCoal.(float64) + ofWind.(float64)
		}
		coal, wind = append(coal, []any{at.Format(layout), ofCoal}), append(wind, []any{at.Format(layout), ofWind})
	}
	columns := map[string]any{}
	if region != "" {
		columns["region"] = region
	}
	parts := []map[string]any{{"name": metric + "_coal", "columns": columns, "data": coal}}
	if o.Split {
		parts = append(parts, map[string]any{"name": metric + "_wind", "columns": columns, "data": wind})
	}
	return parts
}
