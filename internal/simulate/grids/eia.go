// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// EIA answers as the API of the Energy Information Administration does when asked for generation
// by fuel: hours, named by their end, with a battery that charges every other hour. An answer has
// at most Rows rows, and says only by its total that there are more.
type EIA struct {
	Server
	Key, Respondent string
	Plants          *Plants       // nil: lifecycle emissions
	Late            time.Duration // how long after its end an hour comes; 0: two hours
	Rows            int           // 0: 5000
	Numbers         bool          // values are numbers, and not strings of digits
}

const eiaHour = "2006-01-02T15"

// ServeHTTP answers /v2/electricity/rto/fuel-type-data/data/.
func (e *EIA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.fails(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	q := r.URL.Query()
	if q.Get("api_key") != e.Key {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"error":{"code":"API_KEY_INVALID","message":"An invalid api_key %s was supplied."}}`, q.Get("api_key"))
		return
	}
	from, err := time.Parse(eiaHour, q.Get("start"))
	to, err2 := time.Parse(eiaHour, q.Get("end"))
	offset, err3 := strconv.Atoi(q.Get("offset"))
	length, err4 := strconv.Atoi(q.Get("length"))
	if err != nil || err2 != nil || err3 != nil || err4 != nil || length > 5000 || q.Get("frequency") != "hourly" || q.Get("data[0]") != "value" || q.Get("sort[0][column]") != "period" {
		fmt.Fprint(w, `{"error":"Invalid parameters.","code":400}`)
		return
	}
	var rows []map[string]any
	if q.Get("facets[respondent][]") == e.Respondent {
		rows = e.rows(from, to)
	}
	page := rows[min(offset, len(rows)):]
	page = page[:min(len(page), length, cmp.Or(e.Rows, 5000))]
	if page == nil {
		page = []map[string]any{}
	}
	answer(w, map[string]any{
		"response": map[string]any{"total": strconv.Itoa(len(rows)), "dateFormat": `YYYY-MM-DD"T"HH24`, "frequency": "hourly", "data": page},
		"request":  map[string]any{"command": r.URL.Path, "params": map[string]any{"api_key": q.Get("api_key")}},
	})
}

// rows lists the hours that end in [from, to].
func (e *EIA) rows(from, to time.Time) (all []map[string]any) {
	p := cmp.Or(e.Plants, &lifecycle)
	for end := from; !end.After(to) && !end.Add(cmp.Or(e.Late, 2*time.Hour)).After(e.Now()); end = end.Add(time.Hour) {
		start := end.Add(-time.Hour)
		coal := p.coal(&e.Server, start, end)
		for _, fuel := range []struct {
			code, name string
			power      float64
		}{
			{"BAT", "Battery storage", float64(400 * (end.Hour()%2*2 - 1))},
			{"COL", "Coal", coal},
			{"NUC", "Nuclear", nuclear(start)},
			{"SUN", "Solar", -3},
			{"WND", "Wind", coalAndWind - coal},
		} {
			var value any = strconv.FormatFloat(fuel.power, 'f', 3, 64)
			if e.Numbers {
				value = fuel.power
			}
			all = append(all, map[string]any{
				"period": end.Format(eiaHour), "respondent": e.Respondent, "respondent-name": "Somewhere", "fueltype": fuel.code,
				"type-name": fuel.name, "value": value, "value-units": "megawatthours",
			})
		}
	}
	return all
}
