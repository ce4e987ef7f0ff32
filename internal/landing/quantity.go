// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"math"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// unknown stands for a number that is not known, which is not 0.
const unknown = "not known yet"

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

func energyText(v usage.KWh) string        { return scaled(float64(v)*1000, "Wh", "kWh", "MWh", "GWh", "TWh") }
func powerText(v usage.Watts) string       { return scaled(float64(v), "W", "kW", "MW", "GW") }
func massText(v usage.Grams) string        { return scaled(float64(v), "g", "kg", "t", "kt", "Mt") }
func rateText(gramsPerHour float64) string { return massText(usage.Grams(gramsPerHour)) + "/h" }

// intensityText is as fine as what providers publish.
func intensityText(v usage.GramsPerKWh) string {
	places := 0
	if v > 0 && v < 9.95 {
		places = 1
	}
	return strconv.FormatFloat(float64(v), 'f', places, 64) + nbsp + "g/kWh"
}

// short leaves out zeros after the point, of a number that somebody has chosen.
func short(text string) string {
	number, unit, _ := strings.Cut(text, nbsp)
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number + nbsp + unit
}

// or is the text of a value, or that it is not known.
func or[T any](v *T, text func(T) string) string {
	if v == nil {
		return unknown
	}
	return text(*v)
}

// scaled writes a value with three significant digits in the unit that suits it. Each unit is a
// thousand of the one before.
func scaled(v float64, units ...string) string {
	n := 0
	for n < len(units)-1 && math.Abs(rounded(v)) >= 1000 {
		v /= 1000
		n++
	}
	return digits(v) + nbsp + units[n]
}

// rounded keeps three significant digits.
func rounded(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// digits writes three significant digits, but nothing finer than a thousandth and no digit
// before the point as 0.
func digits(v float64) string {
	switch r := math.Abs(rounded(v)); {
	case r == 0:
		return "0"
	case r < 0.001:
		return "less than 0.001"
	case r < 0.1:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case r < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case r < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return grouped(int64(math.Round(rounded(v))))
	}
}

// percent writes a share for a person.
func percent(share float64) string {
	v := 100 * share
	switch {
	case v == 0:
		return "0" + nbsp + "%"
	case v < 0.1:
		return "under 0.1" + nbsp + "%"
	case v < 9.95:
		return strconv.FormatFloat(v, 'f', 1, 64) + nbsp + "%"
	}
	return grouped(int64(math.Round(v))) + nbsp + "%"
}

// grouped writes a count with a comma between thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// count writes a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1" + nbsp + one
	}
	return grouped(int64(n)) + nbsp + many
}

// listed names a few of many.
func listed(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + grouped(int64(len(names)-most)) + " more"
}
