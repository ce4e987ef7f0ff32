package profiles

import (
	"fmt"
	"strconv"
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
