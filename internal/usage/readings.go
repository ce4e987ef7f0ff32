// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// Readings are those of a run of pieces, in order. Each is made when it is asked for, so that a run
// takes little more memory than one piece of it. The zero value has none.
type Readings struct {
	n    int
	most int
	at   func(i int) Reading
}

// ReadingsOf returns readings that are there already.
func ReadingsOf(all []Reading) Readings {
	most := 0
	for i := range all {
		most = max(most, len(all[i].Samples))
	}
	return Readings{len(all), most, func(i int) Reading { return all[i] }}
}

// NewReadings returns n readings with about most samples each, which at makes. It is called with
// one index at a time, any number of times.
func NewReadings(n, most int, at func(i int) Reading) Readings { return Readings{n, most, at} }

// Len is how many there are.
func (r Readings) Len() int { return r.n }

// Most is about how many samples the largest has.
func (r Readings) Most() int { return r.most }

// At makes one of them.
func (r Readings) At(i int) Reading { return r.at(i) }

// From returns those from one on.
func (r Readings) From(first int) Readings {
	return Readings{r.n - first, r.most, func(i int) Reading { return r.at(first + i) }}
}

// With returns readings that are changed as they are made.
func (r Readings) With(change func(Reading) Reading) Readings {
	return Readings{r.n, r.most, func(i int) Reading { return change(r.at(i)) }}
}

// All makes all of them; nil if there are none.
func (r Readings) All() []Reading {
	if r.n == 0 {
		return nil
	}
	all := make([]Reading, r.n)
	for i := range all {
		all[i] = r.at(i)
	}
	return all
}
