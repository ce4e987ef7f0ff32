// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"reflect"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestLabelsThatSeriesHave(t *testing.T) {
	all := usage.LabelPresence{Project: true, Machine: true, Host: true, User: true}
	whole := usage.Series{Project: "ISIS", Machine: "Muon", Host: "h", User: "ada"}
	part := func(s usage.Series, project string) usage.Part {
		return usage.Part{Series: s, Key: usage.Key{Project: project, Machine: "Muon", User: "ada"}}
	}
	change := func(do func(*usage.Series)) usage.Series {
		s := whole
		do(&s)
		return s
	}
	nobodys := change(func(s *usage.Series) { s.User = "" })
	for _, c := range []struct {
		name  string
		parts []usage.Part
		want  map[string]usage.LabelPresence
	}{
		{"none", nil, map[string]usage.LabelPresence{}},
		{"all", []usage.Part{part(whole, "ISIS")}, map[string]usage.LabelPresence{"ISIS": all}},
		{
			"one series lacks the machine type",
			[]usage.Part{part(whole, "ISIS"), part(change(func(s *usage.Series) { s.Machine = usage.Unknown }), "ISIS")},
			map[string]usage.LabelPresence{"ISIS": {Project: true, Host: true, User: true}},
		},
		{
			"and the host",
			[]usage.Part{part(change(func(s *usage.Series) { s.Host = usage.Unknown }), "ISIS"), part(whole, "ISIS")},
			map[string]usage.LabelPresence{"ISIS": {Project: true, Machine: true, User: true}},
		},
		{"one is nobody's", []usage.Part{part(nobodys, "ISIS"), part(whole, "ISIS")}, map[string]usage.LabelPresence{"ISIS": all}},
		{"all are", []usage.Part{part(nobodys, "ISIS"), part(nobodys, "ISIS")}, map[string]usage.LabelPresence{"ISIS": {Project: true, Machine: true, Host: true}}},
		{
			"a directory says whose a machine is",
			[]usage.Part{part(change(func(s *usage.Series) { s.Project = usage.Unknown }), "ISIS"), part(whole, "CLF")},
			map[string]usage.LabelPresence{"ISIS": {Machine: true, Host: true, User: true}, "CLF": all},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := labels([]attributed{{parts: c.parts}}); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}
