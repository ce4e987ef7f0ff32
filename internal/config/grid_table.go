// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "strings"

// Table is the yearly intensity of a country, from the table that ships with the program. Whether
// it has the zone is not known here.
type Table struct {
	Zone string `yaml:"zone"` // the code of a country, EU or WORLD
}

func (t *Table) validate(f *faults, path string) {
	if strings.TrimSpace(t.Zone) == "" {
		f.key(path+".zone", "must be the code of a country, such as FR, or EU, or WORLD")
	}
}

func (t *Table) grid() string { return strings.ToUpper(strings.TrimSpace(t.Zone)) }
