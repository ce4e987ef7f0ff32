// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// perSubnet is the number of addresses that end in .10 to .254 without .50, see instance.
const (
	perSubnet    = 244
	maxAddresses = 2 + 100*perSubnet
)

var (
	projects     = []string{"IDAaaS", "TDAaaS", "CLF", "ISIS-Muon"}
	machineTypes = []string{"Muon", "SANS", "Excitations", "Laue", "Reflectometry"}
	// Mostly small machines, as in real clouds.
	coreCounts = []int{2, 2, 2, 2, 4, 4, 4, 8, 8, 16}
)

// Address is a place in the cloud. Its properties are those of every host that lives there.
type Address struct {
	Instance string // label instance, 172.16.100.5:9100
	Project  string
	Machine  string
	Cores    int

	seed  uint64
	habit habit
}

func address(cloud uint64, n int) Address {
	seed := mix(cloud, aboutAddress, uint64(n))
	return Address{
		Instance: instance(n),
		Project:  projects[n%len(projects)],
		Machine:  machineTypes[n%len(machineTypes)],
		Cores:    coreCounts[int(draw(seed, 1)*float64(len(coreCounts)))],
		seed:     seed,
		habit:    habits[int(draw(seed, 2)*float64(len(habits)))],
	}
}

// census draws the hosts of one address. Most addresses have one host, older than the history;
// at the others hosts appear, live for hours and go, each with its own user, like virtual
// machines handed out from a pool.
func census(config Config, at Address) []*Host {
	if draw(at.seed, 3) < 0.6 {
		age := halfHours(48 + draw(at.seed, 4)*40*48)
		return []*Host{at.host(config, config.Start.Add(-age), config.End)}
	}
	var hosts []*Host
	for visit, free := uint64(0), config.Start; ; visit++ {
		begin := free.Add(halfHours(1 + draw(at.seed, aboutLife, visit, 1)*12))
		end := begin.Add(halfHours(2 + draw(at.seed, aboutLife, visit, 2)*60))
		if config.Odd.Lifetimes {
			begin = begin.Add(-wholeSeconds(draw(at.seed, aboutLife, visit, 3) * 1700))
			end = end.Add(-wholeSeconds(draw(at.seed, aboutLife, visit, 4) * 1700))
		}
		if end.After(config.End) {
			return hosts
		}
		hosts = append(hosts, at.host(config, begin, end))
		free = end
	}
}

func (a Address) host(config Config, begin, end time.Time) *Host {
	seed := mix(a.seed, aboutLife, uint64(begin.Unix()))
	h := &Host{Address: a, User: user(seed), Begin: begin, End: end, seed: seed, odd: config.Odd}
	if config.Directory {
		h.handOut()
	}
	return h
}

// instance names an address. The first two are 172.16.100.5 and 172.16.100.50, which an
// unescaped or unanchored matcher confuses.
func instance(n int) string {
	switch n {
	case 0:
		return "172.16.100.5:9100"
	case 1:
		return "172.16.100.50:9100"
	}
	n -= 2
	last := 10 + n%perSubnet
	if last >= 50 {
		last++
	}
	return fmt.Sprintf("172.16.%d.%d:9100", 100+n/perSubnet, last)
}

// user returns one of forty people, or "" for a host that waits in a pool.
func user(seed uint64) string {
	if draw(seed, 5) < 0.2 {
		return ""
	}
	return fmt.Sprintf("user-%02d", 1+int(draw(seed, 6)*40))
}

func halfHours(n float64) time.Duration { return time.Duration(int(n)) * usage.SlotLength }

func wholeSeconds(n float64) time.Duration { return time.Duration(int(n)) * time.Second }
