// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The sources of a Rating, beside stored averages that were not learned, which have their own.
const (
	RatedCalibrated = "calibrated" // learned from measured power
	RatedConfig     = "config"
	RatedProcessor  = "processor" // from the processors that the hosts say they have
	RatedDefault    = "default"
)

// Rated is where the watts of machine types come from.
type Rated struct {
	Types    int
	BySource map[string]int
	Guessed  []Guess // the machine types at the default, by name
}

// Guess is a machine type of which nothing is known, so that it has the default watts.
type Guess struct {
	Machine string
	// Models are the processors that its hosts name and that nobody knows; empty: they name none.
	Models []string
}

// Unrated is why hosts name no processor, and what to do, in words for a person.
type Unrated struct{ Why, Do string }

// RatedOf says where ratings come from. models are the processors of the machine types.
func RatedOf(ratings []Rating, models map[string][]ModelShare) Rated {
	r := Rated{Types: len(ratings), BySource: map[string]int{}}
	for _, one := range ratings {
		r.BySource[one.Source]++
		if one.Source != RatedDefault {
			continue
		}
		g := Guess{Machine: one.Machine}
		for _, m := range models[one.Machine] {
			if m.Model != "" && !slices.Contains(g.Models, m.Model) {
				g.Models = append(g.Models, m.Model)
			}
		}
		slices.Sort(g.Models)
		r.Guessed = append(r.Guessed, g)
	}
	slices.SortFunc(r.Guessed, func(a, b Guess) int { return cmp.Compare(a.Machine, b.Machine) })
	return r
}

// Sources counts the machine types of each source, in words: "2 by configuration, 1 by default".
// The surest come first.
func (r Rated) Sources() string {
	order := map[string]int{RatedCalibrated: -3, RatedConfig: -2, RatedProcessor: 1, RatedDefault: 2} // others, by name, between
	sources := slices.SortedFunc(maps.Keys(r.BySource), func(a, b string) int {
		return cmp.Or(cmp.Compare(order[a], order[b]), cmp.Compare(a, b))
	})
	var words []string
	for _, source := range sources {
		words = append(words, fmt.Sprintf("%d by %s", r.BySource[source], sourceWords(source)))
	}
	return strings.Join(words, ", ")
}

func sourceWords(source string) string {
	switch source {
	case RatedCalibrated:
		return "measured average"
	case RatedConfig:
		return "configuration"
	case RatedProcessor, RatedDefault:
		return source
	}
	return "stored average (" + source + ")"
}

// Silent names the machine types at the default whose hosts name no processor, and Unknown those
// whose hosts name only some that nobody knows.
func (r Rated) Silent() (machines []string) {
	for _, g := range r.Guessed {
		if len(g.Models) == 0 {
			machines = append(machines, g.Machine)
		}
	}
	return machines
}

// Unknown is what Silent says.
func (r Rated) Unknown() (machines, models []string) {
	for _, g := range r.Guessed {
		if len(g.Models) > 0 {
			machines, models = append(machines, g.Machine), append(models, g.Models...)
		}
	}
	slices.Sort(models)
	return machines, slices.Compact(models)
}
