// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import "time"

// Facts is what CPU time a server has series of, as far as a configuration depends on it.
type Facts struct {
	// Exporters are those that were recognised, in the order of the catalogue. None: nothing that
	// is known.
	Exporters []Exporter
	// Processors are the models of processors that node_exporter names, by machines.
	Processors []Count
	// Meters are the well-known metrics of measured power that the server has, see Meters.
	Meters []string
	// Jobs are all jobs with targets, by targets, and Likely the metrics whose names look like CPU
	// time. They are asked for only where no exporter can be read.
	Jobs   []Count
	Likely []string
	// Unasked says which questions the server did not answer, and why.
	Unasked []string
}

// Exporter is one source of CPU time.
type Exporter struct {
	Profile string // of the configuration
	Metric  string
	Joined  bool   // whose usage it is comes from other metrics, not from the labels of these series
	Unread  string // what to do instead if no profile reads this metric as it is; empty: one does
	Series  int    // of one mode
	// CPU and Mode are the labels of the core and of the mode; empty: there is none that is known.
	CPU, Mode string
	// Host is the label whose values are the machines, or what stands for them; empty: there is
	// none. Machines is how many values it has, and Cores how many cores the series are of; 0: not known.
	Host     string
	Machines int
	Cores    int
	Jobs     []Count // machines by job; a machine may have several
	Labels   []Label
	Scrape   time.Duration // how often it is scraped, as measured; 0: not known
}

// Label is a label of an exporter's series.
type Label struct {
	Name     string
	Info     string   // the metric that has it for each instance; empty: the exporter's own series
	Values   int      // how many different ones, beside the empty one
	Examples []string // the most frequent
	Series   int      // how many series have it
	Machines int      // how many machines have it
	Jobs     []Count  // how many machines have it, by job; only if there are several jobs
}

// Count is how often there is something.
type Count struct {
	Name string
	N    int
}

// Label returns the label of a name; nil: the series do not have it.
func (e *Exporter) Label(name string) *Label {
	for i := range e.Labels {
		if e.Labels[i].Name == name {
			return &e.Labels[i]
		}
	}
	return nil
}

// Copied reports whether machines are there several times: in several jobs.
func (e *Exporter) Copied() bool {
	sum := 0
	for _, j := range e.Jobs {
		sum += j.N
	}
	return sum > e.Machines
}
