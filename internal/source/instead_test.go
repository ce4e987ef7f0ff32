// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"slices"
	"testing"
)

func TestMetricsInAQuery(t *testing.T) {
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"libvirt_domain_openstack_info", []string{"libvirt_domain_openstack_info"}},
		{`pve_guest_info{template!="1"}`, []string{"pve_guest_info"}},
		{`sum_over_time((max by (id) (a_ratio{id=~"qemu/.*|lxc/.*"}) * on (id) (max by (id) (b_up) == 1))[$__interval:1m]) * 60`, []string{"a_ratio", "b_up"}},
		{"a:b:c offset 5m # not_this\n or 1e3 * job:x:rate5m and a:b:c", []string{"a:b:c", "job:x:rate5m"}},
		{`sum(rate(node_cpu_seconds_total{mode!="idle"}[5m])) by (instance) unless on () inf`, []string{"node_cpu_seconds_total"}},
		{`label_replace(up, "host", "$1", 'instance', "(.+)")`, []string{"up"}},
		{`site:busy:rate5m{job="node"} * $__interval_seconds`, []string{"site:busy:rate5m"}},
		{`{__name__="x"}`, nil},
	} {
		if got := metricsIn(test.query); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.query, got, test.want)
		}
	}
}

func TestProfilesThatReadMetrics(t *testing.T) {
	for _, test := range []struct {
		metrics []string
		want    string
	}{
		{[]string{"node_cpu_seconds_total"}, "node_exporter"},
		{[]string{"windows_cpu_time_total", "node_cpu_seconds_total", "node_cpu"}, "node_exporter or windows_exporter"},
	} {
		if got := readBy(test.metrics); got != test.want {
			t.Errorf("%q: %s, want %s", test.metrics, got, test.want)
		}
	}
}
