// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"net/http"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

type slotAnswer struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Intensity any    `json:"intensity"`
}

// nationalIntensity writes nulls; regionalIntensity has no actual at all.
type nationalIntensity struct {
	Forecast *usage.GramsPerKWh `json:"forecast"`
	Actual   *usage.GramsPerKWh `json:"actual"`
	Index    string             `json:"index"`
}

type regionalIntensity struct {
	Forecast *usage.GramsPerKWh `json:"forecast"`
	Index    string             `json:"index"`
}

type regionAnswer struct {
	RegionID  int          `json:"regionid"`
	ShortName string       `json:"shortname"`
	Postcode  string       `json:"postcode,omitempty"`
	Data      []slotAnswer `json:"data"`
}

func (u *UKAPI) national(w http.ResponseWriter, r *http.Request) {
	from, to, problem := timeRange(r)
	if problem != "" {
		refuse(w, http.StatusBadRequest, problem)
		return
	}
	grid, now, fault := u.Grid(0), u.now(), u.currentFault()
	answers := []slotAnswer{}
	for _, slot := range slots(from, to, now) {
		forecast := grid.ForecastAt(slot, now)
		intensity := nationalIntensity{Forecast: &forecast, Index: index(forecast)}
		if actual, ok := grid.ActualAt(slot, now); ok {
			intensity.Actual, intensity.Index = &actual, index(actual)
		}
		switch fault {
		case NoValues:
			intensity.Forecast, intensity.Actual = nil, nil
		case NoActuals:
			intensity.Actual = nil
		}
		answers = append(answers, answer(slot, intensity))
	}
	reply(w, http.StatusOK, map[string]any{"data": answers})
}

func (u *UKAPI) regionByID(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("region"))
	if err != nil || id < 1 || id > len(regions) {
		refuse(w, http.StatusBadRequest, "Please enter a valid region ID i.e. 1-17.")
		return
	}
	u.regional(w, r, id, "")
}

func (u *UKAPI) regionByPostcode(w http.ResponseWriter, r *http.Request) {
	postcode := r.PathValue("postcode")
	if len(postcode) < 2 || len(postcode) > 4 {
		refuse(w, http.StatusBadRequest, "Please enter a valid outward postcode i.e. RG10.")
		return
	}
	u.regional(w, r, regionOf(postcode), postcode)
}

// regional answers with an object in data. The API documents an array.
func (u *UKAPI) regional(w http.ResponseWriter, r *http.Request, id int, postcode string) {
	from, to, problem := timeRange(r)
	if problem != "" {
		refuse(w, http.StatusBadRequest, problem)
		return
	}
	grid, now, fault := u.Grid(id), u.now(), u.currentFault()
	region := regionAnswer{RegionID: id, ShortName: regions[id-1], Postcode: postcode, Data: []slotAnswer{}}
	for _, slot := range slots(from, to, now) {
		forecast := grid.ForecastAt(slot, now)
		intensity := regionalIntensity{Forecast: &forecast, Index: index(forecast)}
		if fault == NoValues {
			intensity.Forecast = nil
		}
		region.Data = append(region.Data, answer(slot, intensity))
	}
	reply(w, http.StatusOK, map[string]any{"data": region})
}

func answer(slot time.Time, intensity any) slotAnswer {
	return slotAnswer{From: slot.Format(minute), To: slot.Add(usage.SlotLength).Format(minute), Intensity: intensity}
}

// regions are the API's regions, by id.
var regions = [...]string{
	"North Scotland", "South Scotland", "North West England", "North East England", "Yorkshire",
	"North Wales", "South Wales", "West Midlands", "East Midlands", "East England",
	"South West England", "South England", "London", "South East England",
	"England", "Scotland", "Wales",
}

// regionOf puts a postcode in one of the 14 regions that are not countries. It only matters
// that it is always the same one; OX and RG are right.
func regionOf(postcode string) int {
	if postcode[:2] == "OX" || postcode[:2] == "RG" {
		return 12
	}
	return 1 + int(draw(uint64(postcode[0])<<8|uint64(postcode[1]), aboutRegion)*14)
}
