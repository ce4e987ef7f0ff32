// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// cpuMetrics are the names under which exporters give CPU seconds, and the profiles that read them.
var cpuMetrics = map[string]string{
	"node_cpu_seconds_total": "node_exporter", "node_cpu": "node_exporter",
	"windows_cpu_time_total": "windows_exporter", "wmi_cpu_time_total": "windows_exporter",
	"libvirt_domain_info_cpu_time_seconds_total": "libvirt",
	"container_cpu_usage_seconds_total":          "kubernetes",
	"slurm_job_core_usage_total":                 "slurm",
	"pve_cpu_usage_ratio":                        "proxmox",
	"lxd_cpu_seconds_total":                      "lxd", "incus_cpu_seconds_total": "lxd",
	"system.cpu.time": "opentelemetry", "system.cpu.time_seconds_total": "opentelemetry",
	"system_cpu_time_seconds_total": "opentelemetry", "system_cpu_time": "opentelemetry",
	"carbon:cpu_seconds:sum": "recorded",
}

// readBy names the profiles that read some metrics.
func readBy(metrics []string) string {
	var profiles []string
	for _, m := range metrics {
		if p := cpuMetrics[m]; p != "" && !slices.Contains(profiles, p) {
			profiles = append(profiles, p)
		}
	}
	slices.Sort(profiles)
	return strings.Join(profiles, " or ")
}

// Instead says in one sentence, for when nothing was found, what was asked for, what the
// server has instead, and which key of the configuration to see to.
func (c *Client) Instead(ctx context.Context) string {
	if c.Query.given() {
		return c.insteadOfGiven(ctx)
	}
	asked := "asked for " + c.Query.selector(c.Query.oneMode(), nil)
	instead, err := c.instead(ctx)
	if err != nil {
		return fmt.Sprintf("%s; asking what the server has instead failed: %s", asked, usage.Cause(err))
	}
	return asked + "; " + instead
}

// instead looks from the most to the least that is right: the modes, the matchers, the metric.
func (c *Client) instead(ctx context.Context) (string, error) {
	q := c.Query
	all := selectorOf(q.Metric)
	jobs, err := c.counts(ctx, fmt.Sprintf("count by (job) (%s)", all), "job")
	if err != nil {
		return "", err
	}
	if len(jobs) == 0 {
		return c.insteadOfMetric(ctx)
	}
	matched := q.selector("", nil)
	if matched != all {
		matching, err := c.counts(ctx, fmt.Sprintf("count by (job) (%s)", matched), "job")
		if err != nil {
			return "", err
		}
		if len(matching) == 0 {
			if down, err := c.down(ctx, q.Matchers); err != nil || down {
				return "all targets with these matchers are down: see why on the page /targets of the server", err
			}
			return fmt.Sprintf("the server has %s in job %s: see prometheus.matchers", q.Metric, some(jobs)), nil
		}
	}
	return c.insteadOfMode(ctx, matched)
}

// insteadOfMode is for series that are there in other modes only.
func (c *Client) insteadOfMode(ctx context.Context, matched string) (string, error) {
	label := c.Query.Labels.Mode
	if label == "" {
		return "the server has it, but not for the last minutes", nil
	}
	modes, err := c.counts(ctx, fmt.Sprintf("count by (%s) (%s)", listed(label), matched), label)
	if err != nil {
		return "", err
	}
	modes = slices.DeleteFunc(modes, func(m string) bool { return m == "" })
	if len(modes) == 0 {
		have, err := c.labelNames(ctx, matched)
		return fmt.Sprintf("the server has %s without the label %s; its labels are %s: see prometheus.labels.mode", c.Query.Metric, label, some(have)), err
	}
	return fmt.Sprintf("the server has %s in other modes, %s: see prometheus.idle_modes and prometheus.busy_modes", c.Query.Metric, some(modes)), nil
}

// insteadOfMetric is for a server without the metric.
func (c *Client) insteadOfMetric(ctx context.Context) (string, error) {
	metric := c.Query.Metric
	others, err := c.names(ctx)
	if err != nil {
		return "", err
	}
	others = slices.DeleteFunc(others, func(n string) bool { return n == metric }) // of which nothing is left but the name
	recorded := ""
	if strings.Contains(metric, ":") {
		recorded = ", which is the name of a recording rule: load the rule into that server, and see that it has evaluated it"
	}
	if len(others) > 0 {
		return fmt.Sprintf("the server has no %s%s, but %s: see prometheus.metric, and prometheus.profile: %s", metric, recorded, some(others), readBy(others)), nil
	}
	jobs, err := c.counts(ctx, "count by (job) (up)", "job")
	if err != nil {
		return "", err
	}
	down, err := c.down(ctx, "")
	if err != nil || down {
		return fmt.Sprintf("all its targets are down, in job %s: see why on its page /targets", some(jobs)), err
	}
	if len(jobs) > 0 {
		return fmt.Sprintf("the server has no %s%s, nor CPU seconds of another known name; it scrapes job %s", metric, recorded, some(jobs)), nil
	}
	anything, err := c.metrics(ctx, url.Values{"limit": {"1"}})
	if err != nil || len(anything) > 0 {
		return fmt.Sprintf("the server has no %s%s, nor CPU seconds of another known name, and scrapes no targets itself: see prometheus.url", metric, recorded), err
	}
	return "the server is empty, it has no series at all: see prometheus.url", nil
}

// insteadOfGiven names the metrics of a query of the operator that the server does not have.
func (c *Client) insteadOfGiven(ctx context.Context) string {
	said := fmt.Sprintf("prometheus.busy_query gives no series: %.200s", c.Query.BusyQuery)
	var absent []string
	for _, name := range metricsIn(c.Query.BusyQuery) {
		there, err := c.counts(ctx, fmt.Sprintf("count by (job) (%s)", selectorOf(name)), "job")
		if err != nil {
			return fmt.Sprintf("%s; asking what the server has instead failed: %s", said, usage.Cause(err))
		}
		if len(there) == 0 {
			absent = append(absent, name)
		}
	}
	if len(absent) == 0 {
		return said + "; the server has each of its metrics, so see its matchers and labels"
	}
	said = fmt.Sprintf("%s; the server has no %s", said, some(absent))
	if slices.ContainsFunc(absent, func(n string) bool { return strings.Contains(n, ":") }) {
		said += ", which is the name of a recording rule: load the rule into that server, and see that it has evaluated it"
	}
	others, err := c.names(ctx)
	others = slices.DeleteFunc(others, func(n string) bool { return slices.Contains(metricsIn(c.Query.BusyQuery), n) })
	if err != nil || len(others) == 0 {
		return said
	}
	return fmt.Sprintf("%s; it has %s: see prometheus.profile: %s", said, some(others), readBy(others))
}

// down reports whether the server has targets with some matchers, and all of them are down.
func (c *Client) down(ctx context.Context, matchers string) (bool, error) {
	targets := selectorOf("up", matchers)
	all, err := c.counts(ctx, fmt.Sprintf("count by (job) (%s)", targets), "job")
	if err != nil || len(all) == 0 {
		return false, err
	}
	up, err := c.counts(ctx, fmt.Sprintf("count by (job) (%s == 1)", targets), "job")
	return len(up) == 0, err
}

// What a query has beside names of metrics: strings, and labels by which something is grouped or
// matched. What is left in braces after that are matchers.
var (
	quotedText = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`")
	labelLists = regexp.MustCompile(`(?i)\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\{[^}]*\}|\[[^\]]*\]|#[^\n]*|\$[a-zA-Z_]+`)
	nameIn     = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*(\s*\()?|[0-9.]+[a-zA-Z]*[-+]?[0-9]*`)
)

// operators are words of PromQL that are no metrics.
var operators = []string{"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan", "start", "end", "atan2", "default"}

// metricsIn lists the metrics that a query most likely names, each once.
func metricsIn(query string) (names []string) {
	query = labelLists.ReplaceAllString(quotedText.ReplaceAllString(query, `""`), " ")
	for _, name := range nameIn.FindAllString(query, -1) {
		word := strings.ToLower(name)
		if strings.HasSuffix(name, "(") || word[0] >= '0' && word[0] <= '9' || word[0] == '.' || slices.Contains(operators, word) {
			continue
		}
		if !slices.Contains(names, name) && len(names) < 8 {
			names = append(names, name)
		}
	}
	return names
}

// lacksModes says, where there are idle hosts, that none of them has a busy mode; empty: some have.
func (c *Client) lacksModes(ctx context.Context) string {
	q := c.Query
	if q.given() || q.Labels.Mode == "" {
		return ""
	}
	matched := q.selector(q.everyCore(), nil)
	busy, err := c.counts(ctx, fmt.Sprintf("count by (%s) (%s)", listed(q.Labels.Mode), q.selector(q.anyOf(q.BusyModes), nil)), q.Labels.Mode)
	if err != nil || len(busy) > 0 {
		return ""
	}
	instead, err := c.insteadOfMode(ctx, matched)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("asked for the modes %s; %s", some(q.BusyModes), instead)
}

// counts returns the values of a label in the answer to a query of now.
func (c *Client) counts(ctx context.Context, query, label string) ([]string, error) {
	s := &valueSink{}
	body, err := c.send(ctx, "api/v1/query", url.Values{"query": {"(" + query + ")[1m:1m]"}})
	if err == nil {
		err = decode(body, []string{label}, s)
		body.Close()
	}
	return s.values, c.Upstream.Failed("query "+query, err)
}

// names lists which of cpuMetrics the server has.
func (c *Client) names(ctx context.Context) ([]string, error) {
	return c.metrics(ctx, url.Values{"match[]": {"{" + exactly("__name__", slices.Sorted(maps.Keys(cpuMetrics))) + "}"}})
}

func (c *Client) metrics(ctx context.Context, which url.Values) ([]string, error) {
	u := c.URL.JoinPath("api/v1/label/__name__/values")
	u.RawQuery = which.Encode()
	names, err := c.listed(ctx, u)
	return names, c.Upstream.Failed("list metrics", err)
}

// some writes some values for a person.
func some(values []string) string {
	const most = 5
	slices.Sort(values)
	quoted := make([]string, 0, most)
	for _, v := range values[:min(most, len(values))] {
		quoted = append(quoted, fmt.Sprintf("%.60q", v))
	}
	if len(values) > most {
		quoted = append(quoted, fmt.Sprintf("and %d more", len(values)-most))
	}
	return strings.Join(quoted, ", ")
}

// valueSink receives the values of one label.
type valueSink struct{ values []string }

// Series implements sink.
func (s *valueSink) Series(labels []string) error {
	if v := usage.Name(labels[0]); len(s.values) < 1000 && !slices.Contains(s.values, v) {
		s.values = append(s.values, v)
	}
	return nil
}

// Point implements sink.
func (s *valueSink) Point(float64, float64) {}

// Odd implements sink.
func (s *valueSink) Odd(float64) {}

// Histogram implements sink.
func (s *valueSink) Histogram() {}
