// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"strings"
	"time"
)

// change puts other series in the place of each of a site's; none leaves it out.
func (s *Site) change(as func(Series) []Series) *Site {
	var all []Series
	for _, one := range s.Series {
		all = append(all, as(one)...)
	}
	s.Series = all
	return s
}

// until is a series up to a time, and from that time on.
func (s Series) until(t time.Duration) (before, after []Series) {
	shown := s.Shown
	if shown == (Span{}) {
		shown = always
	}
	if one := s; shown.From < t {
		one.Shown = Span{shown.From, min(t, shown.To)}
		before = append(before, one)
	}
	if one := s; shown.To > t {
		one.Shown = Span{max(t, shown.From), shown.To}
		after = append(after, one)
	}
	return before, after
}

// labelled gives series more labels.
func labelled(all []Series, pairs ...string) []Series {
	for i := range all {
		all[i].Labels = with(all[i].Labels, pairs...)
	}
	return all
}

// Young is a site whose Prometheus, or one of the jobs that it scrapes, was started at a time.
func Young(site *Site, since time.Duration, job string) *Site {
	return site.change(func(s Series) []Series {
		if job != "" && s.Labels["job"] != job {
			return []Series{s}
		}
		_, after := s.until(since)
		return after
	})
}

// Without is a site that lacks a metric.
func Without(site *Site, metric string) *Site {
	return site.change(func(s Series) []Series {
		if s.Labels["__name__"] == metric {
			return nil
		}
		return []Series{s}
	})
}

// Twice is two sites of the same names in one Prometheus. Their counters differ.
func Twice(made func() *Site, label string) *Site {
	one, other := made(), made()
	one.change(func(s Series) []Series { return labelled([]Series{s}, label, "one-"+s.Labels[label]) })
	other.change(func(s Series) []Series {
		const ran = 54321
		if name, value := s.Labels["__name__"], s.Value; strings.Contains(name, "seconds") && s.Shown == (Span{}) {
			s.Value = func(at time.Duration) float64 { return value(at) + ran }
		}
		return labelled([]Series{s}, label, "other-"+s.Labels[label])
	})
	for _, w := range one.Work {
		if label == "project" {
			w.Key.Project = "one-" + w.Key.Project
		}
	}
	for _, w := range other.Work {
		if label == "project" {
			w.Key.Project = "other-" + w.Key.Project
		}
	}
	one.Series, one.Work, one.Rest = append(one.Series, other.Series...), append(one.Work, other.Work...), append(one.Rest, other.Rest...)
	return one
}

// KubernetesExported is a cluster whose Prometheus does not honor the labels of kube-state-metrics:
// its own pod's are in their place.
func KubernetesExported() *Site {
	return Kubernetes().change(func(s Series) []Series {
		if s.Labels["job"] != "kube-state-metrics" {
			return []Series{s}
		}
		for name, own := range map[string]string{"namespace": "monitoring", "pod": "kube-state-metrics-7f5-x", "container": "kube-state-metrics"} {
			s = labelled([]Series{s}, "exported_"+name, s.Labels[name], name, own)[0]
		}
		return []Series{s}
	})
}

// KubernetesRelabelled is a cluster whose containers get one more label at a time.
func KubernetesRelabelled() *Site {
	return Kubernetes().change(func(s Series) []Series {
		if s.Labels["job"] != "kubelet" {
			return []Series{s}
		}
		before, after := s.until(at(60))
		return append(before, labelled(after, "service", "another")...)
	})
}

// KubernetesReplica is a cluster that a second Prometheus begins to scrape at a time.
func KubernetesReplica() *Site {
	return Kubernetes().change(func(s Series) []Series {
		_, after := s.until(at(50))
		return append(labelled([]Series{s}, "replica", "a"), labelled(after, "replica", "b")...)
	})
}

// KubernetesNodesRenamed is a cluster whose node_exporter is called otherwise from a time on.
func KubernetesNodesRenamed() *Site {
	site := Kubernetes().change(func(s Series) []Series {
		if s.Labels["job"] != "node-exporter" {
			return []Series{s}
		}
		before, after := s.until(at(60))
		return append(before, labelled(after, "instance", s.Labels["node"]+"a."+s.Labels["instance"])...)
	})
	for _, r := range site.Rest {
		r.Of.Slacks = append(r.Of.Slacks, at(60))
	}
	return site
}

// KubernetesSandboxes is a cluster whose cAdvisor knows pods and no containers.
func KubernetesSandboxes() *Site {
	return Kubernetes().change(func(s Series) []Series {
		if s.Labels["__name__"] == "container_cpu_usage_seconds_total" && s.Labels["container"] != "" {
			return nil
		}
		return []Series{s}
	})
}

// SlurmDomains is a cluster whose job exporters are called by names with a domain.
func SlurmDomains() *Site {
	return Slurm().change(func(s Series) []Series {
		if s.Labels["job"] == "slurm-job-exporter" {
			s.Labels = with(s.Labels, "instance", strings.Replace(s.Labels["instance"], ":", ".cluster.local:", 1))
		}
		return []Series{s}
	})
}

// SlurmTwice is a cluster with two job exporters on each node.
func SlurmTwice() *Site {
	return Slurm().change(func(s Series) []Series {
		if s.Labels["job"] != "slurm-job-exporter" {
			return []Series{s}
		}
		return append([]Series{s}, labelled([]Series{s}, "instance", strings.Replace(s.Labels["instance"], "9798", "9799", 1))...)
	})
}

// Away is a site of which a job, or all, is not scraped for a time.
func Away(site *Site, job string, from, to float64) *Site {
	site.HoleOf, site.Holes = job, []Span{span(from, to)}
	return site
}
