// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
)

// parameter is one that a question has. It has the name of the tool's flag.
type parameter struct {
	name     string
	values   []string // that it may have; nil: any
	required bool
	repeats  bool
	set      func(string) error // its error says what the value must be
}

func text(name string, to *string, given *bool) parameter {
	return parameter{name: name, set: func(v string) error {
		*to, *given = v, true
		return nil
	}}
}

func oneOf(name string, values []string, to *string) parameter {
	return parameter{name: name, values: values, set: func(v string) error {
		*to = v
		return nil
	}}
}

func several(name string, values []string, to *[]string) parameter {
	return parameter{name: name, values: values, repeats: true, set: func(v string) error {
		*to = append(*to, v)
		return nil
	}}
}

func yes(name string, to *bool) parameter {
	return parameter{name: name, values: []string{"true", "false"}, set: func(v string) error {
		*to = v == "true"
		return nil
	}}
}

func number(name string, to *int, given *bool) parameter {
	return parameter{name: name, set: func(v string) (err error) {
		*given = true
		if *to, err = strconv.Atoi(v); err != nil {
			return fmt.Errorf("must be a whole number, is %q", v)
		}
		return nil
	}}
}

func required(p parameter) parameter {
	p.required = true
	return p
}

// parse sets the parameters of a query. What it does not know it refuses: a mistyped parameter that
// is ignored would be a wrong answer.
func parse(all []parameter, page, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return commandline.Wrongf("the query cannot be read: %w", err)
	}
	for name := range values {
		if !slices.ContainsFunc(all, func(p parameter) bool { return p.name == name }) {
			return commandline.Wrongf("%s", unknown(all, page, name))
		}
	}
	for _, p := range all {
		given := values[p.name]
		switch {
		case len(given) == 0 && p.required:
			return commandline.Wrongf("%s: must be given", p.name)
		case len(given) > 1 && !p.repeats:
			return commandline.Wrongf("%s: can be given only once", p.name)
		}
		for _, v := range given {
			if p.values != nil && !slices.Contains(p.values, v) {
				return commandline.Wrongf("%s: must be %s, is %q", p.name, orOf(p.values), v)
			}
			if err := p.set(v); err != nil {
				return commandline.Wrongf("%s: %w", p.name, err)
			}
		}
	}
	return nil
}

func unknown(all []parameter, page, name string) string {
	if name == "names" {
		return "names: the API shows no names of people; carbontool report can"
	}
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	return fmt.Sprintf("%q: is not a parameter of %s; it has %s", name, page, strings.Join(names, ", "))
}

// orOf lists words.
func orOf(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
