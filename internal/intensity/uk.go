// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// UK reads the Carbon Intensity API of the National Energy System Operator,
// https://api.carbonintensity.org.uk. With a region or a postcode it reads the intensity of
// that part of the country, for which the API only ever has forecasts.
type UK struct {
	Upstream Doer
	URL      string
	RegionID int    // 1 to 17; 0: not regional
	Postcode string // outward part, such as OX11; used if there is no RegionID
	Name     string // of the provider, for metrics; empty: uk
	GridName string // of the grid, likewise; empty: GB and its part
	Now      func() time.Time
}

// ukTime is the API's format of times, always in UTC.
const ukTime = "2006-01-02T15:04Z"

// Provider returns the provider's name for metrics.
func (u *UK) Provider() string { return cmp.Or(u.Name, "uk") }

// Terms returns what NESO says of its numbers: emissions of power stations while they run,
// imports and losses included.
func (u *UK) Terms() usage.Terms {
	return usage.Terms{
		Basis:     usage.Basis{Signal: usage.Average, Emissions: usage.Direct, Electricity: usage.Consumption},
		Forecasts: true, Longest: maxSpan,
		Licence: "CC BY 4.0",
		Credit:  "National Energy System Operator, Carbon Intensity API",
		Link:    "https://carbonintensity.org.uk",
	}
}

// Grid returns the name that it was given or else GB, or the part of it that the configuration
// names.
func (u *UK) Grid() string {
	switch {
	case u.GridName != "":
		return u.GridName
	case u.RegionID != 0:
		return fmt.Sprintf("GB-region-%d", u.RegionID)
	case u.Postcode != "":
		return "GB-postcode-" + u.Postcode
	}
	return "GB"
}

func (u *UK) regional() bool { return u.RegionID != 0 || u.Postcode != "" }

// Slots returns what the API knows of the slots that begin in [from, to), in order of time.
// Slots without a number are left out. Slots may come together with an error, if only some of
// the requests failed: a span that the API cannot answer does not hide the next one, unless the
// API does not answer at all.
func (u *UK) Slots(ctx context.Context, from, to time.Time) ([]usage.Slot, usage.Rejects, error) {
	var slots []usage.Slot
	rejects := usage.Rejects{}
	var errs []error
	for _, s := range spans(from, to) {
		first, last := s.bounds()
		some, refused, err := u.ask(ctx, s, first.Format(ukTime)+"/"+last.Format(ukTime))
		slots = append(slots, some...)
		rejects.Add(refused)
		if err != nil {
			errs = append(errs, err)
			if ctx.Err() != nil || usage.IsOutage(err) {
				break
			}
		}
	}
	return slots, rejects, errors.Join(errs...)
}

// Requests returns the number of requests that Slots sends for [from, to).
func (u *UK) Requests(from, to time.Time) int { return len(spans(from, to)) }

// Outlook returns the forecasts of the slot that contains from and of the 48 hours after its
// start, as far as the API has them.
func (u *UK) Outlook(ctx context.Context, from time.Time) ([]usage.Slot, usage.Rejects, error) {
	s := span{from: usage.SlotAt(from)}
	s.to = s.from.Add(usage.OutlookLength) // the range of fw48h
	// One minute later, as for any span: see bounds.
	return u.ask(ctx, s, s.from.Add(time.Minute).Format(ukTime)+"/fw48h")
}

// ask sends one request and returns the slots of its span. With an error there are no slots,
// but there may be rejects.
func (u *UK) ask(ctx context.Context, s span, times string) ([]usage.Slot, usage.Rejects, error) {
	slots, rejects, err := u.fetch(ctx, s, u.address(times))
	return slots, rejects, u.Upstream.Failed(fmt.Sprintf("carbon intensity of %s, %s", u.Grid(), times), err)
}

func (u *UK) fetch(ctx context.Context, s span, address string) ([]usage.Slot, usage.Rejects, error) {
	text, err := get(ctx, u.Upstream, address, nil)
	if err != nil {
		return nil, nil, err
	}
	raw, err := u.rawSlots(text)
	if err != nil {
		return nil, nil, err
	}
	slots, rejects, err := choose(raw, s, u.regional())
	if err != nil {
		return nil, rejects, err
	}
	fetchedAt := u.Now()
	for i := range slots {
		slots[i].Provider, slots[i].Grid, slots[i].Basis, slots[i].FetchedAt = u.Provider(), u.Grid(), u.Terms().Basis, fetchedAt
		slots[i].Index = u.Upstream.Text(slots[i].Index)
	}
	return slots, rejects, nil
}

// address is the URL for these times.
func (u *UK) address(times string) string {
	base := strings.TrimRight(u.URL, "/")
	switch {
	case u.RegionID != 0:
		return base + "/regional/intensity/" + times + "/regionid/" + strconv.Itoa(u.RegionID)
	case u.Postcode != "":
		return base + "/regional/intensity/" + times + "/postcode/" + url.PathEscape(u.Postcode)
	}
	return base + "/intensity/" + times
}
