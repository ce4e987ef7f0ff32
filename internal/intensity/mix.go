// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// maxTypes bounds the types of generation of an answer. ENTSO-E has 21, EIA 16.
	maxTypes = 64
	// lookBack is how much more than is asked for is asked of a provider. All that generated in it is
	// expected: else the newest half hours, asked for alone, would look whole without the types
	// that are late.
	lookBack = 24 * time.Hour
	// oftenMissing is in how much of an answer a type must be missing to be told of. At the end
	// of an answer some types are always late.
	oftenMissing = 24 * time.Hour
	// maxPower is more than the whole world generates, in MW.
	maxPower = 1e7
	// mostNamed is how many types a sentence names.
	mostNamed = 5
)

// typeCode is how codes of types look; nothing else is shown or counted.
var typeCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,16}$`)

// mix is what generated in a time, by type and minute: so any grain folds into half hours, and an
// answer of any size takes the same memory.
type mix struct {
	from    time.Time
	minutes int
	kinds   map[string]string    // the kind in factors.csv of each code that the provider documents
	power   map[string][]float64 // MW by the code of the type; not a number: not known
	spoiled []bool               // somebody generated, and nobody can read what
	rejects usage.Rejects
}

// newMix returns the mix of [from, to), of which nothing is known.
func newMix(from, to time.Time, kinds map[string]string) *mix {
	n := max(0, int(to.Sub(from)/time.Minute))
	return &mix{from: from, minutes: n, kinds: kinds, power: map[string][]float64{}, spoiled: make([]bool, n), rejects: usage.Rejects{}}
}

// has notes that a type is in the answer, whatever comes of its numbers.
func (m *mix) has(code string) error {
	if m.power[code] != nil {
		return nil
	}
	if len(m.power) == maxTypes {
		return malformed(nil, "the answer has more than %d types of generation", maxTypes)
	}
	power := make([]float64, m.minutes)
	for i := range power {
		power[i] = math.NaN()
	}
	m.power[code] = power
	return nil
}

// unknown takes back what was said of a type in a time.
func (m *mix) unknown(code string, from, to time.Time) {
	first, last := m.span(from, to)
	for i := first; i < last; i++ {
		m.power[code][i] = math.NaN()
	}
}

// set says what a type generated in a time of whole minutes. What was said before does not count.
// Less than 0 is what plants use themselves, and is not generation. Not a number is not known; nor is
// what is more than any grid has, in either direction, which counts as refused.
func (m *mix) set(code string, from, to time.Time, megawatts float64) {
	if !(math.Abs(megawatts) <= maxPower) {
		megawatts = math.NaN()
		m.rejects[RejectValue]++
	}
	first, last := m.span(from, to)
	for i := first; i < last; i++ {
		m.power[code][i] = max(0, megawatts) // not a number stays so
	}
}

// known reports whether something was said of a type in all of a time.
func (m *mix) known(code string, from, to time.Time) bool {
	first, last := m.span(from, to)
	for i := first; i < last; i++ {
		if math.IsNaN(m.power[code][i]) {
			return false
		}
	}
	return first < last
}

// spoil leaves a time without a value.
func (m *mix) spoil(from, to time.Time) {
	first, last := m.span(from, to)
	for i := first; i < last; i++ {
		m.spoiled[i] = true
	}
}

// span cuts a time to the minutes of the mix.
func (m *mix) span(from, to time.Time) (first, last int) {
	end := m.from.Add(time.Duration(m.minutes) * time.Minute)
	from, to = usage.Later(from, m.from), usage.Earlier(to, end)
	return int(from.Sub(m.from) / time.Minute), int(to.Sub(m.from) / time.Minute)
}

// answer makes an intensity of each half hour of which all types are known: what each generated
// times its factor. A type that the whole answer lacks is one that this grid does not have. One
// that only a half hour lacks is late, and without it the half hour would look like a change of
// the mix.
func (m *mix) answer(emissions string) (Answer, error) {
	a := Answer{Rejects: m.rejects}
	codes := slices.Sorted(maps.Keys(m.power))
	codes = slices.DeleteFunc(codes, func(code string) bool { return m.kinds[code] == kindStorage })
	if len(codes) == 0 {
		return a, &usage.Failure{Reason: usage.ReasonPartial, Detail: "the answer has nothing that generates"}
	}
	missing := map[string]time.Duration{} // while others are known
	step := int(usage.SlotLength / time.Minute)
	for first := 0; first+step <= m.minutes; first += step {
		v, lacking := m.halfHour(codes, first, first+step, emissions)
		for _, code := range lacking {
			if len(lacking) < len(codes) {
				missing[code] += usage.SlotLength
			}
		}
		idle := math.IsNaN(float64(v.Intensity)) // no intensity is the mean of nothing
		if len(lacking) == 0 && !idle && !slices.Contains(m.spoiled[first:first+step], true) {
			a.Values = append(a.Values, v)
		}
	}
	a.Nothing = len(a.Values) == 0
	a.Remarks = m.remarks(codes, missing)
	return a, nil
}

// halfHour is the intensity of some minutes; not a number if nothing generated. The types that are
// not known in all of them are lacking, unless none is.
func (m *mix) halfHour(codes []string, first, last int, emissions string) (v Value, lacking []string) {
	var energy, grams usage.Sum
	for _, code := range codes {
		var sum usage.Sum
		for _, megawatts := range m.power[code][first:last] {
			if math.IsNaN(megawatts) {
				lacking = append(lacking, code)
				break
			}
			sum.Add(megawatts)
		}
		energy.AddSum(sum)
		grams.Add(sum.Float64() * float64(m.factor(code).of(emissions)))
	}
	from := m.from.Add(time.Duration(first) * time.Minute)
	return Value{
		From: from, To: m.from.Add(time.Duration(last) * time.Minute), Kind: usage.Actual,
		Intensity: usage.GramsPerKWh(grams.Float64() / energy.Float64()),
	}, lacking
}

func (m *mix) factor(code string) factor {
	if kind, ok := m.kinds[code]; ok {
		return factors()[kind]
	}
	return factors()[kindOther]
}

// remarks say what the operator should know of the mix.
func (m *mix) remarks(codes []string, missing map[string]time.Duration) (all []string) {
	unheard := slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return m.kinds[code] != "" })
	if len(unheard) > 0 {
		all = append(all, "Some types of generation have no emission factor, and count as other: "+m.names(unheard))
	}
	often := slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return missing[code] < oftenMissing })
	if len(often) > 0 {
		all = append(all, "Some types of generation are known for a part of the time only, and the rest has no intensity: "+m.names(often))
	}
	return all
}

// names lists some types in words.
func (m *mix) names(codes []string) string {
	var words []string
	for _, code := range codes[:min(len(codes), mostNamed)] {
		if kind := m.kinds[code]; kind != "" {
			code = fmt.Sprintf("%s (%s)", kind, code)
		}
		words = append(words, code)
	}
	if more := len(codes) - mostNamed; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}
