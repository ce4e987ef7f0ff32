// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package grids

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zone of the lists, wherever tests run
)

// RTE imitates https://odre.opendatasoft.com/ for éCO2mix: a live list in quarters of an hour,
// nothing of the last two hours but rows for the rest of the day, and a later list whose rows of
// quarters have no value. The first begins where the second ends.
type RTE struct {
	Server
	// Later is where the later list ends, and Definitive until when it is definitive.
	Later, Definitive time.Time
	// Blind leaves the doubled hour of autumn out, as the real lists do.
	Blind bool
}

var (
	rtePath = regexp.MustCompile(`^/api/explore/v2\.1/catalog/datasets/(eco2mix-national-tr|eco2mix-national-cons-def)/records$`)
	rteTime = regexp.MustCompile(`date'([^']+)'`)
)

// ServeHTTP answers.
func (s *RTE) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.fails(w, r) {
		return
	}
	list := rtePath.FindStringSubmatch(r.URL.Path)
	q := r.URL.Query()
	bounds := rteTime.FindAllStringSubmatch(q.Get("where"), -1)
	limit, offset := 10, 0
	if q.Has("limit") {
		limit, _ = strconv.Atoi(q.Get("limit")) // not a number is out of range, too
	}
	if q.Has("offset") {
		offset, _ = strconv.Atoi(q.Get("offset"))
	}
	if list == nil || len(bounds) != 2 || limit < 1 || limit > 100 || offset+limit > 10000 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	from, err := time.Parse(time.RFC3339, bounds[0][1])
	to, err2 := time.Parse(time.RFC3339, bounds[1][1])
	if err != nil || err2 != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	rows := s.rows(list[1] == "eco2mix-national-tr", from, to, strings.Contains(q.Get("where"), "taux_co2 is not null"))
	page := rows[min(offset, len(rows)):min(offset+limit, len(rows))]
	answer(w, map[string]any{"total_count": len(rows), "results": page})
}

func (s *RTE) rows(live bool, from, to time.Time, valued bool) []map[string]any {
	const quarter = 15 * time.Minute
	rows := []map[string]any{}
	paris := zone("Europe/Paris")
	for at := from; at.Before(to); at = at.Add(quarter) {
		if at.Before(s.Later) == live || s.Blind && doubled(at.In(paris)) {
			continue
		}
		row := map[string]any{"date_heure": at.In(paris).Format(time.RFC3339), "nature": "Données temps réel", "taux_co2": nil}
		switch {
		case live && !at.Add(2*time.Hour).After(s.Now()):
			row["taux_co2"] = float64(s.mean(at, at.Add(quarter)))
		case !live && at.Minute()%30 == 0:
			row["taux_co2"] = float64(s.mean(at, at.Add(2*quarter)))
		}
		if !live {
			row["nature"] = "Données consolidées"
			if at.Before(s.Definitive) {
				row["nature"] = "Données définitives"
			}
		}
		if !valued || row["taux_co2"] != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// zone is one of the zones that the program brings along.
func zone(name string) *time.Location {
	found, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return found
}

// doubled reports whether a time is the second of two with the same reading.
func doubled(at time.Time) bool {
	return at.Format("15:04") == at.Add(-time.Hour).Format("15:04")
}
