// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// TestFewerLabels: a reload leaves labels out and brings them back, the page goes on to name who may
// be named, and each change is said.
func TestFewerLabels(t *testing.T) {
	file := configFile(t, "attribution: {user_label: id}\n")
	d, url := used(t, "--config.file="+file)
	var said bytes.Buffer
	d.log = slog.New(slog.NewTextHandler(&said, nil))
	series := func() string {
		_, text := ask(t, http.MethodGet, url+"/metrics")
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "carbon_settled_energy_kwh_total{") || strings.HasPrefix(line, "carbon_energy_kwh{") {
				return line[strings.Index(line, "{"):strings.LastIndex(line, " ")]
			}
		}
		return ""
	}
	for _, c := range []struct{ more, want, page, log string }{
		{"", `{group="CLF",machine="Laser",mode="busy",project="CLF",user="1042"}`, "samples", ""},
		{"metrics: {by: [project, group]}\n", `{group="CLF",mode="busy",project="CLF"}`, "without the labels machine, user (metrics.by)", `lacking="machine, user"`},
		{"metrics: {by: []}\n", `{mode="busy"}`, "without the labels project, machine, user, group (metrics.by)", `lacking="project, machine, user, group"`},
		{"metrics: {by: [user]}\n", `{mode="busy",user="1042"}`, "without the labels project, machine, group", "key=metrics.by"},
	} {
		write(t, file, configText("attribution: {user_label: id}\n"+c.more))
		said.Reset()
		if err := d.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := series(); got != c.want {
			t.Errorf("%q: %s, want %s", c.more, got, c.want)
		}
		saysAll(t, read(t, url), c.page, "1042", "IDAaaS")
		if !strings.Contains(said.String(), c.log) {
			t.Errorf("%q: the log says %s", c.more, said.String())
		}
	}
}

// TestManySamples: it is said once when they become many, as long as they are, and nothing is left out.
func TestManySamples(t *testing.T) {
	file := configFile(t, "")
	d, url := used(t, "--config.file="+file)
	var said bytes.Buffer
	d.log = slog.New(slog.NewTextHandler(&said, nil))
	const warning = "nearly as many samples as metrics.max_samples"
	whole := metric(t, url, "carbon_exporter_exposition_samples")
	if whole == "0" || metric(t, url, "carbon_exporter_exposition_max_samples") != "500000" || metric(t, url, "carbon_exporter_exposition_bytes") == "absent" {
		t.Errorf("%s samples", whole)
	}
	for _, c := range []struct {
		more        string
		limit       string
		many, again bool
	}{
		{"metrics: {max_samples: 10}\n", "10", true, false},
		{"metrics: {max_samples: 11}\n", "11", true, true},
		{"metrics: {max_samples: 0}\n", "absent", false, false},
		{"metrics: {max_samples: 10, by: [project]}\n", "10", true, false},
	} {
		write(t, file, configText(c.more))
		said.Reset()
		if err := d.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := metric(t, url, "carbon_exporter_exposition_max_samples"); got != c.limit {
			t.Errorf("%q: the limit is %s", c.more, got)
		}
		if got := strings.Contains(said.String(), warning); got != (c.many && !c.again) {
			t.Errorf("%q: the log says %s", c.more, said.String())
		}
		if got := strings.Contains(read(t, url), "metrics.max_samples is"); got != c.many {
			t.Errorf("%q: the page says so: %v", c.more, got)
		}
		if got := metric(t, url, "carbon_exporter_exposition_samples"); !strings.Contains(c.more, "by") && got != whole {
			t.Errorf("%q: %s samples, there were %s", c.more, got, whole)
		}
	}
}
