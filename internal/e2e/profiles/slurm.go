// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"fmt"
	"strconv"
	"time"
)

// job is what Slurm ran on some nodes.
type job struct {
	id            string
	account, user string
	nodes         []string
	cores         []int // of each node
	busy          float64
	life          Span // always, if it is empty
}

const slurmCores = 8

func slurmJobs() []job {
	return []job{
		{id: "1001", account: "def-smith", user: "alice", nodes: []string{"node001", "node002"}, cores: []int{0, 1, 2, 3}, busy: 3.6},
		{id: "1002", account: "def-jones", user: "alice", nodes: []string{"node001"}, cores: []int{4, 5}, busy: 1, life: Span{at(30), at(90)}},
		// It begins and ends within an interval.
		{id: "1003", account: "def-jones", user: "bob", nodes: []string{"node003"}, cores: []int{6, 7}, busy: 2, life: span(66, 81)},
		// It ends in the middle of one and another begins on its cores.
		{id: "1004", account: "def-smith", user: "carol", nodes: []string{"node002"}, cores: []int{4, 5, 6}, busy: 2, life: Span{always.From, at(40)}},
		{id: "1005", account: "def-smith", user: "carol", nodes: []string{"node002"}, cores: []int{4, 5, 6}, busy: 2, life: Span{at(42), always.To}},
	}
}

// Slurm is a cluster with slurm-job-exporter and node_exporter on its nodes. One is idle.
func Slurm() *Site {
	site := &Site{Profile: "slurm"}
	for _, node := range []string{"node001", "node002", "node003", "node004"} {
		rest := Rest{Key: Key{Unattributed, "compute", Unattributed}, Of: &Work{Cores: slurmCores, Busy: busy(0.16)}}
		for _, j := range slurmJobs() {
			for _, on := range j.nodes {
				if on != node {
					continue
				}
				w := &Work{Key: Key{j.account, "compute", j.user}, Cores: float64(len(j.cores)), Busy: busy(j.busy)}
				life := always
				if j.life != (Span{}) {
					life = j.life
					w.Life = []Span{life}
				}
				rest.Shares = append(rest.Shares, w)
				rest.Of.Busy = append(rest.Of.Busy, Pace{life, j.busy})
				site.Series = append(site.Series, j.series(node)...)
			}
		}
		site.Work = append(site.Work, rest.Shares...)
		site.Rest = append(site.Rest, rest)
		site.Series = append(site.Series, slurmNode(node, rest.Of)...)
	}
	return site
}

// series are the counters of a job's cores on a node, in nanoseconds.
func (j job) series(node string) (all []Series) {
	life := always
	if j.life != (Span{}) {
		life = j.life
	}
	for _, core := range j.cores {
		l := labels("slurm_job_core_usage_total", "job", "slurm-job-exporter", "instance", node+":9798",
			"user", j.user, "account", j.account, "slurmjobid", j.id, "core", strconv.Itoa(core))
		all = append(all, Series{Labels: l, Shown: j.life, Value: counter(life.From, busy(1e9*j.busy/float64(len(j.cores)))...)})
	}
	return append(all, Series{Labels: labels("slurm_job_process_count", "job", "slurm-job-exporter", "instance", node+":9798",
		"user", j.user, "account", j.account, "slurmjobid", j.id), Shown: j.life, Value: constant(3)})
}

// slurmNode is what node_exporter says of a node.
func slurmNode(node string, all *Work) []Series {
	return nodeOf(all, slurmCores, []string{"job", "node", "instance", fmt.Sprintf("%s:9100", node), "cluster", "hpc", "machine_name", "compute"})
}

// SlurmController is the same cluster as an exporter of the controller sees it: how many cores
// each account has, and how many nobody has. There is no profile for it, but these queries.
func SlurmController() *Site {
	site := &Site{Profile: "node_exporter", Section: controllerSection}
	given := map[string][]Pace{}
	for _, j := range slurmJobs() {
		life := always
		if j.life != (Span{}) {
			life = j.life
		}
		given[j.account] = append(given[j.account], Pace{life, float64(len(j.nodes) * len(j.cores))})
	}
	total := 4.0 * slurmCores
	var all []Pace
	for account, paces := range given {
		// The exporter shows an account while it has jobs.
		v := sumOf(paces)
		shown := always
		if account == "def-jones" {
			shown = Span{at(30), at(90)}
		}
		site.Series = append(site.Series, Series{Labels: labels("slurm_account_cpus_running", "job", "slurm", "instance", "head:8080", "account", account), Shown: shown, Value: v})
		site.Work = append(site.Work, &Work{Key: Key{account, Unknown, Unattributed}, Busy: paces})
		all = append(all, paces...)
	}
	used := sumOf(all)
	site.Series = append(site.Series,
		Series{Labels: labels("slurm_cpus_total", "job", "slurm", "instance", "head:8080"), Value: constant(total)},
		Series{Labels: labels("slurm_cpus_idle", "job", "slurm", "instance", "head:8080"), Value: func(at time.Duration) float64 { return total - used(at) }})
	// What is given is not idle: the rest of all cores is.
	site.Rest = []Rest{{Key: Key{Unattributed, Unknown, Unattributed}, Of: &Work{Cores: total, Busy: all}, Shares: site.Work}}
	return site
}

// sumOf is a gauge of all that goes on at a time.
func sumOf(paces []Pace) func(time.Duration) float64 {
	return func(at time.Duration) (sum float64) {
		for _, p := range paces {
			if p.holds(at) {
				sum += p.Rate
			}
		}
		return sum
	}
}

// controllerSection is that of the documentation.
const controllerSection = `labels: {project: account, machine: partition, host: host, user: user}
# All cores that an account was given count as busy; those that nobody was given are idle.
busy_query: >-
  sum_over_time((
  label_replace(max by (account) (slurm_account_cpus_running), "host", "account $1", "account", "(.+)")
  or label_replace(label_replace(0 * max(slurm_cpus_idle), "host", "nobody", "", ""), "account", "unattributed", "", "")
  )[$__interval:1m]) * 60
idle_query: >-
  sum_over_time((
  label_replace(0 * max by (account) (slurm_account_cpus_running), "host", "account $1", "account", "(.+)")
  or label_replace(label_replace(max(slurm_cpus_idle), "host", "nobody", "", ""), "account", "unattributed", "", "")
  )[$__interval:1m]) * 60`
