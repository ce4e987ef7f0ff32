package source

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// cpuMetrics are the names under which exporters give CPU seconds.
var cpuMetrics = []string{
	"node_cpu_seconds_total", "node_cpu", "windows_cpu_time_total", "wmi_cpu_time_total", "system_cpu_time_seconds_total",
	"libvirt_domain_info_cpu_time_seconds_total", "container_cpu_usage_seconds_total", "pve_cpu_usage_ratio", "lxd_cpu_seconds_total",
}

// Instead says in one sentence, for when nothing was found, what was asked for and what the
// server has instead.
func (c *Client) Instead(ctx context.Context) string {
	q := c.Query
	if q.given() {
		return fmt.Sprintf("busy_query gives no series: %s", q.BusyQuery)
	}
	asked := "asked for " + q.selector("", nil)
	jobs, err := c.counts(ctx, fmt.Sprintf(`count by (job) (%s)`, q.Metric), "job")
	if err == nil && len(jobs) > 0 {
		return fmt.Sprintf("%s; the server has %s in job %s: see prometheus.matchers", asked, q.Metric, some(jobs))
	}
	if err == nil {
		var others []string
		if others, err = c.names(ctx); err == nil && len(others) > 0 {
			return fmt.Sprintf("%s; the server has no %s, but %s: see prometheus.metric", asked, q.Metric, some(others))
		}
	}
	if err == nil {
		jobs, err = c.counts(ctx, "count by (job) (up)", "job")
	}
	switch {
	case err != nil:
		return fmt.Sprintf("%s; asking what the server has instead failed: %v", asked, err)
	case len(jobs) == 0:
		return asked + "; the server has no targets at all: see prometheus.url"
	}
	return fmt.Sprintf("%s; the server has CPU seconds of no known name; it scrapes job %s", asked, some(jobs))
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
	u := c.URL.JoinPath("api/v1/label/__name__/values")
	u.RawQuery = url.Values{"match[]": {fmt.Sprintf("{__name__=~%q}", alternatives(cpuMetrics))}}.Encode()
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
