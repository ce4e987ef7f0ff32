// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// acknowledged is the name of the document that comes in place of values.
const acknowledged = "Acknowledgement_MarketDocument"

// longestPeriod is more than the API ever answers with, a year.
const longestPeriod = 400 * 24 * time.Hour

// entsoeSeries is one type of generation. The namespaces change with each version of the format,
// and are not looked at.
type entsoeSeries struct {
	Zone string `xml:"inBiddingZone_Domain.mRID"`
	// Consumer is there in place of Zone if the numbers are what the type took from the grid,
	// such as pumps.
	Consumer *string        `xml:"outBiddingZone_Domain.mRID"`
	Type     string         `xml:"MktPSRType>psrType"`
	Unit     string         `xml:"quantity_Measure_Unit.name"`
	Curve    string         `xml:"curveType"`
	Periods  []entsoePeriod `xml:"Period"`
}

// entsoePeriod is a stretch of time with points of one length.
type entsoePeriod struct {
	Start      string `xml:"timeInterval>start"`
	End        string `xml:"timeInterval>end"`
	Resolution string `xml:"resolution"`
	Points     []struct {
		Position string `xml:"position"`
		Quantity string `xml:"quantity"`
	} `xml:"Point"`
}

// decodeENTSOE reads an answer for a zone and a time.
func decodeENTSOE(text []byte, zone string, from, to time.Time, emissions string) (Answer, error) {
	m := newMix(from, to, entsoeKinds)
	found := false
	err := eachSeries(text, func(s entsoeSeries) error {
		found = true
		if s.Consumer != nil {
			return nil
		}
		if got := strings.TrimSpace(s.Zone); got != "" && got != zone {
			return &usage.Failure{
				Reason: usage.ReasonMalformed, Detail: "asked for the zone " + zone + " and got " + got,
				Cause: "the answer is of another zone than was asked for: check zone and url",
			}
		}
		return s.addTo(m)
	})
	if err != nil {
		return Answer{Rejects: m.rejects}, err
	}
	if !found {
		return Answer{}, malformed(nil, "the document has no time series")
	}
	return m.answer(emissions)
}

// eachSeries calls f with every time series of a document, which must be whole: half of one lacks
// half of the types.
func eachSeries(text []byte, f func(entsoeSeries) error) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	root := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && root != "" {
			return nil
		}
		if err != nil {
			return malformed(err, "the answer is not a whole XML document")
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case start.Name.Local == acknowledged:
			return acknowledgement(d, start)
		case root == "" && start.Name.Local != "GL_MarketDocument":
			return malformed(nil, "the answer is a document of another kind: %s", start.Name.Local)
		case root == "":
			root = start.Name.Local
		case start.Name.Local == "TimeSeries":
			var s entsoeSeries
			if err := d.DecodeElement(&s, &start); err != nil {
				return malformed(err, "the answer is not a whole XML document")
			}
			if err := f(s); err != nil {
				return err
			}
		default:
			if err := d.Skip(); err != nil {
				return malformed(err, "the answer is not a whole XML document")
			}
		}
	}
}

// acknowledgement is why there are no values.
func acknowledgement(d *xml.Decoder, start xml.StartElement) error {
	var a struct {
		Reasons []struct {
			Text string `xml:"text"`
		} `xml:"Reason"`
	}
	if err := d.DecodeElement(&a, &start); err != nil {
		return malformed(err, "the answer is not a whole XML document")
	}
	var reasons []string
	for _, r := range a.Reasons {
		reasons = append(reasons, strings.TrimSpace(r.Text))
	}
	return noData(cmp.Or(strings.Join(reasons, "; "), "and no reason for that"))
}

// addTo adds a series to a mix.
func (s entsoeSeries) addTo(m *mix) error {
	code := strings.TrimSpace(s.Type)
	if !typeCode.MatchString(code) {
		m.rejects[RejectValue]++
		for _, p := range s.Periods {
			if start, end, _, reason := p.times(); reason == "" {
				m.spoil(start, end)
			}
		}
		return nil
	}
	if err := m.has(code); err != nil {
		return err
	}
	// Nobody knows what a number of another unit means.
	unit := strings.TrimSpace(s.Unit)
	readable := unit == "" || unit == "MAW" || unit == "MW"
	carried := strings.TrimSpace(s.Curve) == "A03"
	for _, p := range s.Periods {
		start, end, step, reason := p.times()
		if reason == "" && !readable {
			reason = RejectValue
			m.unknown(code, start, end)
		}
		if reason != "" {
			m.rejects[reason]++
			continue
		}
		p.addTo(m, code, start, end, step, carried)
	}
	return nil
}

// times returns what a period covers and how long its points are, or why it is refused.
func (p entsoePeriod) times() (start, end time.Time, step time.Duration, reason string) {
	start, err := minuteOf(p.Start)
	if err == nil {
		end, err = minuteOf(p.End)
	}
	if err != nil || !start.Before(end) || end.Sub(start) > longestPeriod {
		return start, end, 0, RejectTime
	}
	if step = resolution(p.Resolution); step == 0 {
		return start, end, 0, RejectSlotLength
	}
	return start, end, step, ""
}

// addTo adds a period to a mix. With a carried curve a point stands until the next: those that
// would repeat it are left out. A point that cannot be read stands for nothing as long.
func (p entsoePeriod) addTo(m *mix, code string, start, end time.Time, step time.Duration, carried bool) {
	points, sound := p.sorted(start, end, step)
	if !sound { // nobody knows which points are missing
		m.rejects[RejectTime]++
		m.unknown(code, start, end)
		return
	}
	for i, q := range points {
		until := usage.Earlier(end, q.from.Add(step))
		if i+1 < len(points) && points[i+1].from.Equal(q.from) {
			m.rejects[RejectDuplicate]++
			continue
		}
		if carried {
			until = end
			if i+1 < len(points) {
				until = points[i+1].from
			}
		}
		if m.known(code, q.from, until) {
			m.rejects[RejectDuplicate]++
		}
		m.set(code, q.from, until, q.megawatts)
	}
}

// point is a number with the time from which it counts.
type point struct {
	from      time.Time
	megawatts float64 // not a number: it cannot be read
}

// sorted returns the points in order of time; false: the place of one cannot be read.
func (p entsoePeriod) sorted(start, end time.Time, step time.Duration) ([]point, bool) {
	most := int64((end.Sub(start) + step - 1) / step)
	points := make([]point, 0, len(p.Points))
	for _, q := range p.Points {
		position, err := strconv.ParseInt(strings.TrimSpace(q.Position), 10, 64)
		if err != nil || position < 1 || position > most {
			return nil, false
		}
		megawatts, err := strconv.ParseFloat(strings.TrimSpace(q.Quantity), 64)
		if err != nil {
			megawatts = math.NaN()
		}
		points = append(points, point{from: start.Add(time.Duration(position-1) * step), megawatts: megawatts})
	}
	slices.SortStableFunc(points, func(a, b point) int { return a.from.Compare(b.from) })
	return points, true
}

// minuteOf reads a time, which has a zone and is of a whole minute.
func minuteOf(text string) (time.Time, error) {
	t, err := readZoned(strings.TrimSpace(text))
	if err == nil && !t.Equal(t.Truncate(time.Minute)) {
		err = errors.New("the time has seconds")
	}
	return t, err
}

// resolution reads a length such as PT15M or PT1H: whole minutes, at most the longest value. 0: it
// is none.
func resolution(text string) time.Duration {
	text, ok := strings.CutPrefix(strings.TrimSpace(text), "PT")
	if !ok || len(text) < 2 || len(text) > 3 {
		return 0
	}
	unit := map[byte]time.Duration{'M': time.Minute, 'H': time.Hour}[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 8)
	if d := time.Duration(n) * unit; err == nil && d <= longestValue {
		return d
	}
	return 0
}
