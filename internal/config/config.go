// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads one strict YAML file into values. It knows every key of that file, its
// default and its valid values; it must not know what other packages do with a value, nor open
// an upstream or a secret's file. Start with Config and Default; Parse is the entry point, and
// each section has its own validate_*.go.
package config

import (
	"time"
	_ "time/tzdata" // a container often has no zone files, and every budget needs a zone

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// Config is the whole file. A Config from Load or Parse is valid; a key that is not in the file
// has the value that Default sets.
type Config struct {
	Interval    model.Duration `yaml:"interval"`     // length of an interval; divides 24h
	Lookback    model.Duration `yaml:"lookback"`     // how long before now an empty store starts
	SettleAfter model.Duration `yaml:"settle_after"` // an intensity this old is final

	Prometheus      Prometheus      `yaml:"prometheus"`
	Power           Power           `yaml:"power"`
	Embodied        Embodied        `yaml:"embodied"`
	CarbonIntensity CarbonIntensity `yaml:"carbon_intensity"`
	Attribution     Attribution     `yaml:"attribution"`
	MongoDB         *MongoDB        `yaml:"mongodb,omitempty"`   // nil: none
	Directory       *Directory      `yaml:"directory,omitempty"` // nil: none; never both
	Lake            *Lake           `yaml:"lake,omitempty"`      // nil: none
	Budgets         []Budget        `yaml:"budgets"`
	Timezone        string          `yaml:"timezone"` // of budget periods and reports
	Metrics         Metrics         `yaml:"metrics"`
}

// The values of Attribution.GroupBy.
const (
	GroupByProject        = "project"
	GroupByProjectMachine = "project_machine"
	GroupByDirectory      = "directory"
)

// The values of Attribution.UserLabel.
const (
	UserLabelID        = "id"
	UserLabelPseudonym = "pseudonym"
	UserLabelNone      = "none"
)

// Attribution determines the group of usage, and how users appear on /metrics.
type Attribution struct {
	GroupBy          string  `yaml:"group_by"`
	Groups           []Group `yaml:"groups"`                       // for GroupByProject; a project in no group is its own group
	UserLabel        string  `yaml:"user_label"`                   // the platform's id, a keyed hash of it, or none
	PseudonymKeyFile string  `yaml:"pseudonym_key_file,omitempty"` // for UserLabelPseudonym
	MaxUsers         int     `yaml:"max_users"`                    // how many users are named, the others are added up; 0: all
}

// Group is several projects under one name.
type Group struct {
	Name     string   `yaml:"name"`
	Projects []string `yaml:"projects"`
}

// MongoDB is the database of workspaces, users and groups. Exactly one of URI and URIFile is
// set.
type MongoDB struct {
	URI           config.Secret  `yaml:"uri,omitempty"`
	URIFile       string         `yaml:"uri_file,omitempty"`
	Database      string         `yaml:"database"`
	Collections   Collections    `yaml:"collections"`
	Fields        Fields         `yaml:"fields"`
	Refresh       model.Duration `yaml:"refresh"`        // how often it is read
	Timeout       model.Duration `yaml:"timeout"`        // of one operation
	UsageDatabase string         `yaml:"usage_database"` // where group and user usage is written; empty: nowhere
}

// Collections names the collections of MongoDB.Database.
type Collections struct {
	Workspaces string `yaml:"workspaces"`
	Users      string `yaml:"users"`
	Groups     string `yaml:"groups"`
	Hosts      string `yaml:"hosts"`
}

// Fields names the fields of the collections' documents; a nested field is written with dots.
type Fields struct {
	Workspaces WorkspaceFields `yaml:"workspaces"`
	Users      UserFields      `yaml:"users"`
	Groups     GroupFields     `yaml:"groups"`
	Hosts      HostFields      `yaml:"hosts"`
}

// WorkspaceFields names the fields of a workspace.
type WorkspaceFields struct {
	Hostname     string `yaml:"hostname"`
	Owner        string `yaml:"owner"`
	CreatedTime  string `yaml:"created_time"`
	AcquiredTime string `yaml:"acquired_time"`
	DeletedTime  string `yaml:"deleted_time"`
}

// UserFields names the fields of a user.
type UserFields struct {
	PlatformName string `yaml:"platform_name"`
	Name         string `yaml:"name"`
}

// GroupFields names the fields of a group.
type GroupFields struct {
	Name    string `yaml:"name"`
	Members string `yaml:"members"`
}

// HostFields names the fields of a host.
type HostFields struct {
	Hostname string `yaml:"hostname"`
	Project  string `yaml:"cloud_project_name"`
	Machine  string `yaml:"machine_name"`
}

// Budget is a limit of emissions or of energy for one scope member, in each calendar Period or
// once in the days [From, To), such as 2026-01-01. Exactly one of its amounts is set, see Limit.
type Budget struct {
	Name    string   `yaml:"name"`
	Scope   string   `yaml:"scope"`            // see usage.ScopeOf
	Target  string   `yaml:"target,omitempty"` // empty only for the whole site
	Period  string   `yaml:"period,omitempty"`
	From    string   `yaml:"from,omitempty"`
	To      string   `yaml:"to,omitempty"`
	GCO2eq  *float64 `yaml:"gco2eq,omitempty"`
	KgCO2eq *float64 `yaml:"kgco2eq,omitempty"`
	TCO2eq  *float64 `yaml:"tco2eq,omitempty"`
	KWh     *float64 `yaml:"kwh,omitempty"`
	MWh     *float64 `yaml:"mwh,omitempty"`
}

// amount is a limit in one of its units.
type amount struct {
	key    string
	value  *float64 // nil: not set
	of     float64  // one of the unit, in gCO2eq or in kWh
	energy bool
}

func (b Budget) amounts() []amount {
	return []amount{
		{"gco2eq", b.GCO2eq, 1, false},
		{"kgco2eq", b.KgCO2eq, 1e3, false},
		{"tco2eq", b.TCO2eq, 1e6, false},
		{"kwh", b.KWh, 1, true},
		{"mwh", b.MWh, 1e3, true},
	}
}

// Limit returns the amount of a valid budget, in kWh or else in gCO2eq.
func (b Budget) Limit() (limit float64, inKWh bool) {
	for _, a := range b.amounts() {
		if a.value != nil {
			return *a.value * a.of, a.energy
		}
	}
	return 0, false
}

// Location is the time zone named Timezone. Parse refuses an unknown name, so only a Config
// that was built by hand can get UTC here.
func (c *Config) Location() *time.Location {
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}
