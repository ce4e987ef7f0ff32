// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// Prometheus is the server that scrapes node_exporter, and how to query it.
type Prometheus struct {
	// Profile names the exporter that the machines have: its file gives the defaults of the keys
	// below, see Profiles.
	Profile string         `yaml:"profile"`
	URL     config.URL     `yaml:"url"`
	Timeout model.Duration `yaml:"timeout"` // of one query
	Lag     model.Duration `yaml:"lag"`     // wait after an interval's end, for late scrapes
	// RereadAfter is how long after its end an interval is read a second time, for data that
	// arrives late. 0: never. Otherwise it is between Lag and SettleAfter.
	RereadAfter model.Duration `yaml:"reread_after"`
	// MaxSamplesPerQuery is how many samples the server may need for one query; 0: what it allows.
	MaxSamplesPerQuery int `yaml:"max_samples_per_query"`

	Metric     string   `yaml:"metric"`
	Unit       string   `yaml:"unit"`     // of the counters: s, ms, us or ns
	Matchers   string   `yaml:"matchers"` // PromQL without the braces
	Labels     Labels   `yaml:"labels"`
	BusyModes  []string `yaml:"busy_modes"`
	IdleModes  []string `yaml:"idle_modes"`
	OtherModes []string `yaml:"other_modes"` // neither busy nor idle, on purpose
	// BusyQuery replaces the built queries. It is set together with IdleQuery, or with CoresQuery
	// from which idle time follows. CoresQuery may also stand alone, for a metric whose series are
	// not of single cores.
	BusyQuery  string   `yaml:"busy_query"`
	IdleQuery  string   `yaml:"idle_query"`
	CoresQuery string   `yaml:"cores_query"`
	Fallback   Fallback `yaml:"fallback"` // what is asked where Metric has no series
	Info       []Info   `yaml:"info"`     // what other metrics say of each host
	Shares     Shares   `yaml:"shares"`   // who used the CPU time of a machine

	Processors Processors `yaml:"processors"` // what processors hosts have
	Memory     Memory     `yaml:"memory"`     // how much memory they have

	HTTPClientConfig config.HTTPClientConfig `yaml:",inline"`
}

// Fallback are queries for a site where Prometheus.Metric has no series at all. They return CPU
// seconds, as BusyQuery does; an empty BusyQuery is none.
type Fallback struct {
	BusyQuery  string `yaml:"busy_query"`
	IdleQuery  string `yaml:"idle_query"`
	CoresQuery string `yaml:"cores_query"`
	Host       string `yaml:"host"` // the host label of their results; empty: Labels.Host
}

// Info is a query whose labels say more of a host, or of a share, than its own series do.
type Info struct {
	Query  string     `yaml:"query"`  // PromQL; its values are not used
	By     []string   `yaml:"by"`     // the labels that both have in common; none: the host label
	Labels InfoLabels `yaml:"labels"` // where its labels are found; empty: it does not say
}

// InfoLabels names the labels of an Info. What it says wins over the series' own labels.
type InfoLabels struct {
	Project string `yaml:"project"`
	Machine string `yaml:"machine"`
	User    string `yaml:"user"`
	Alias   string `yaml:"alias"` // another name of the host, by which Shares may call it
}

// Shares are counters of what used the CPU time of machines: containers, jobs. The machines' own
// counters say how much there was; what no share used is unattributed.
type Shares struct {
	Metric     string      `yaml:"metric"` // a counter of CPU time; empty: there are none
	Matchers   string      `yaml:"matchers"`
	Unit       string      `yaml:"unit"`
	Labels     ShareLabels `yaml:"labels"`
	Each       []string    `yaml:"each"`        // labels that tell the counters of one share apart, so that copies count once
	CoresQuery string      `yaml:"cores_query"` // cores reserved for each share, which it has idle when it is not busy
	Info       []Info      `yaml:"info"`
}

// ShareLabels names the labels of shares.
type ShareLabels struct {
	Project string   `yaml:"project"`
	User    string   `yaml:"user"`
	Host    []string `yaml:"host"` // any of them may name the machine
}

// Labels names the labels of CPU series: those that identify the parts of a key, and those that
// tell the series of one host apart.
type Labels struct {
	Project string `yaml:"project"`
	Machine string `yaml:"machine"`
	Host    string `yaml:"host"`
	User    string `yaml:"user"`
	CPU     string `yaml:"cpu"`  // the core; empty: series are of all cores
	Mode    string `yaml:"mode"` // what the core did; empty: series count busy time alone
}

// Processors is a query whose labels say the model of a host's processors.
type Processors struct {
	Query  string          `yaml:"query"` // PromQL; its values are not used. Empty: nobody says
	Labels ProcessorLabels `yaml:"labels"`
}

// ProcessorLabels names the labels of Processors.
type ProcessorLabels struct {
	Host    string `yaml:"host"`    // by default Labels.Host
	Model   string `yaml:"model"`   // such as "AMD EPYC 7702P 64-Core Processor"
	Package string `yaml:"package"` // the socket; empty: it does not say
}

// Memory is a query for the bytes of memory of each host.
type Memory struct {
	Query  string       `yaml:"query"` // empty: nobody says
	Labels MemoryLabels `yaml:"labels"`
}

// MemoryLabels names the label of Memory.
type MemoryLabels struct {
	Host string `yaml:"host"` // by default Labels.Host
}
