// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestSCIThatIsWrongUse(t *testing.T) {
	s := newSCISite(t, bothMachines, usage.Settled, usage.Settled)
	for _, c := range []struct{ name, args, answer, want string }{
		{"nothing to divide by", "", "", "--sci: add --per, what the emissions are divided by: a number, or PromQL such as 'sum(increase(jobs_total[$__range]))'"},
		{"a negative number", "--per=-3", "", "--per: must be a number that is not negative, or PromQL, is -3"},
		{"no finite number", "--per=inf", "", "--per: must be a number that is not negative, or PromQL, is inf"},
		{"another variable", "--per=rate(x[$__rate_interval])", "", "--per: of the variables of Grafana, $__range and $__range_seconds are replaced, and no other"},
		{"a day is not the range", "--per=1 --by=day", "", "--by: cannot be combined with --sci, whose R is of the whole range"},
		{"kilometres by car", "--per=1 --equivalents", "", "--equivalents: cannot be combined with --sci"},
		{"a project twice", "--per=jobs", vector("project", "ISIS:1", "ISIS:2"), `--per: the answer has several series for project "ISIS"; write sum by (project) (...)`},
		{"series of something else", "--per=jobs", vector("queue", "a:1", "b:2"), "--per: the answer has 2 series without a label cloud_project_name or project; write sum(...), or sum by (cloud_project_name) (...)"},
		{"several of the site", "--per=jobs --scope=site", vector("queue", "a:1", "b:2"), "--per: the answer has 2 series; write sum(...)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.answer = c.answer
			want := called{exitUsage, "", "carbontool report: " + c.want + "; see carbontool report --help\n"}
			if got := s.report(strings.Fields(c.args)...); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	for _, args := range []string{"--per=3", "--per-unit=jobs"} {
		flag, _, _ := strings.Cut(args, "=")
		want := called{exitUsage, "", "carbontool report: " + flag + ": add --sci; see carbontool report --help\n"}
		if got := call("report", "--config.file", s.file, "--storage.path", s.store, args); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestSCIWhenPrometheusFails(t *testing.T) {
	s := newSCISite(t, bothMachines, usage.Settled, usage.Settled)
	s.code = http.StatusBadRequest
	if got := s.report("--per=sum("); got.code != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, "carbontool report: --per: Prometheus rejects the query sum(: ") {
		t.Errorf("got %+v", got)
	}
	s.code = http.StatusInternalServerError
	if got := s.report("--per=sum(x)"); got.code != exitFailed || got.stdout != "" || !strings.Contains(got.stderr, "query sum(x)") {
		t.Errorf("got %+v", got)
	}
}
