// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package simulate is an imaginary research cloud: its hosts, their load, the records of who
// has them and the grid that supplies them, each a pure function of a seed and a time; and the
// truth about them, computed from the same rates by simple sums. It must not know Prometheus,
// PromQL, MongoDB or any code of the exporter, or its truth would be an echo. Start with Cloud:
// Host.Counter is its CPU time, Records says who had what; UKAPI is the grid.
package simulate

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Config describes a cloud. The same Config gives the same cloud on any machine.
type Config struct {
	Seed  uint64
	Hosts int       // addresses; the hosts that come and go at one address count once
	Start time.Time // start of the history, on a half hour; some hosts are older
	End   time.Time // no host lives longer; a year after Start if zero
	Odd   Odd
	// Directory hands hosts out to people as Records says, at any second, and only few hosts
	// have a user label.
	Directory bool
}

// Odd are options for property tests under which Prometheus' increase() is no longer exact,
// because it only sees scrapes and extrapolates. Truth stays what the cores did, so compare
// with a tolerance: for each core, two scrape intervals at each border or reboot in the window,
// and the whole of a gap.
type Odd struct {
	Lifetimes bool // hosts begin and end at any second, not only on half hours
	Reboots   bool // counters fall back to 0 in the middle of a life
	Gaps      bool // some scrapes are missing: see Host.Scraped
}

// Cloud is a fixed set of hosts.
type Cloud struct {
	config Config
	hosts  []*Host
}

// New draws the hosts of a cloud.
func New(config Config) (*Cloud, error) {
	if config.Hosts < 1 || config.Hosts > maxAddresses {
		return nil, fmt.Errorf("simulate: hosts must be 1 to %d, is %d", maxAddresses, config.Hosts)
	}
	if !config.Start.Equal(usage.SlotAt(config.Start)) {
		return nil, fmt.Errorf("simulate: start %s is not on a half hour", config.Start.Format(time.RFC3339))
	}
	config.Start = config.Start.UTC()
	if config.End.IsZero() {
		config.End = config.Start.AddDate(1, 0, 0)
	}
	c := &Cloud{config: config}
	for n := range config.Hosts {
		c.hosts = append(c.hosts, census(config, address(config.Seed, n))...)
	}
	return c, nil
}

// Hosts returns every host that ever lives, those of one address in order of time.
func (c *Cloud) Hosts() []*Host { return c.hosts }
