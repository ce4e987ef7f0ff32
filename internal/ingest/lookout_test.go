// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// all is a fleet whose hosts are all refused.
type allRefused struct{ *fleet }

func (a allRefused) Read(ctx context.Context, run []usage.Interval) (usage.Readings, usage.Rejects, error) {
	answer, rejects, err := a.fleet.Read(ctx, run)
	readings := answer.All()
	for i := range readings {
		for _, s := range readings[i].Samples {
			readings[i].Doubts = append(readings[i].Doubts, usage.Doubt{Series: s.Series, State: usage.HostRefused, Reason: usage.DoubtMixed})
		}
		readings[i].Samples = nil
	}
	return usage.ReadingsOf(readings), rejects, err
}

func TestWhileNothingIsFoundItIsSaid(t *testing.T) {
	for _, c := range []struct {
		name   string
		source func(*fleet) Source
		want   string
		notice string
	}{
		{
			"nothing is there", func(f *fleet) Source { return &fleet{now: f.now} },
			`level=WARN msg="Prometheus answers and has no CPU seconds of any host" url=http://p.test ` +
				`why="asked for node_cpu_seconds_total{job=\"nod\"}; the server has it in the job node"`,
			`Prometheus answers and has no CPU seconds of any host: asked for node_cpu_seconds_total{job="nod"}; the server has it in the job node.`,
		},
		{
			"all hosts are refused", func(f *fleet) Source { return allRefused{f} },
			`level=WARN msg="Prometheus has hosts, and all of them are refused: there is no usage" hosts=3 why="3 mixed: several machines are behind one host label; ` +
				`to do: set prometheus.labels.host to a label that is a machine's own, such as exported_instance"`,
			`Prometheus has hosts, and all 3 of them are refused: 3 mixed: several machines are behind one host label; ` +
				`to do: set prometheus.labels.host to a label that is a machine's own, such as exported_instance.`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, f := fleetRig(newRig(t, rereading))
			var lines []string
			set := r.spine.current()
			set.Source, set.Addresses.Prometheus = c.source(f), "http://p.test"
			page := noticed{about: map[usage.Topic]string{}}
			s := New(r.store, page, told(&lines), at{func() time.Time { return r.now }}, set)
			r.use(s)
			warned := func() (n int) {
				for _, line := range lines {
					if strings.Contains(line, "level=WARN msg=\"Prometheus ") {
						n++
					}
				}
				return n
			}
			r.both()
			if warned() != 1 || !strings.Contains(strings.Join(lines, "\n"), c.want) {
				t.Fatalf("%s\nwant %s", strings.Join(lines, "\n"), c.want)
			}
			if page.about[usage.TopicUsage] != c.notice {
				t.Errorf("the page is told %q, want %q", page.about[usage.TopicUsage], c.notice)
			}
			for range 59 {
				r.now = r.now.Add(time.Minute)
				r.both()
			}
			if warned() != 1 {
				t.Errorf("%d warnings in an hour", warned())
			}
			r.now = r.now.Add(time.Minute)
			r.both()
			if warned() != 2 {
				t.Errorf("%d warnings after an hour, want 2", warned())
			}
			set.Source = f // somebody has corrected it
			s.Reload(set)
			r.pass(3)
			if warned() != 2 {
				t.Errorf("%d warnings although there is usage", warned())
			}
			if page.about[usage.TopicUsage] != "" {
				t.Errorf("although there is usage, the page still says %q", page.about[usage.TopicUsage])
			}
		})
	}
}

// lines that begin with a message.
func linesOf(lines []string, message string) (some []string) {
	for _, line := range lines {
		if strings.Contains(line, `msg="`+message) {
			some = append(some, line)
		}
	}
	return some
}

// A start on an interval that has just begun, with nothing to collect for half an hour, is no reason
// to be silent for half an hour.
func TestWhatIsFoundIsSaidBeforeAnythingIsDue(t *testing.T) {
	for _, c := range []struct {
		name  string
		hosts bool
		want  string
	}{
		{"hosts", true, `level=INFO msg="Found machines" hosts=3 cores=12 projects=2 machine_types=2 some="CLF 2, IDAaaS 1"`},
		{"none", false, `level=WARN msg="Prometheus answers and has no CPU seconds of any host"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, f := fleetRig(newRig(t, func(s *Settings) { s.Lookback = time.Minute }))
			if !c.hosts {
				f.hosts = nil
			}
			var lines []string
			s := New(r.store, silent{}, told(&lines), at{func() time.Time { return r.now }}, r.spine.current())
			r.use(s)
			r.both()
			if n := r.summary().States[usage.Empty] + r.summary().States[usage.Missing]; n != 0 || f.reads != 0 {
				t.Fatalf("%d intervals, %d readings: something was due", n, f.reads)
			}
			if len(linesOf(lines, "")) == 0 || !strings.Contains(strings.Join(lines, "\n"), c.want) {
				t.Errorf("got %q, want %s", lines, c.want)
			}
		})
	}
}

func TestAChangeOfTheMachinesIsSaidOnceAnHourAtMost(t *testing.T) {
	r, f := fleetRig(newRig(t))
	all := f.hosts
	var lines []string
	s := New(r.store, silent{}, told(&lines), at{func() time.Time { return r.now }}, r.spine.current())
	r.use(s)
	pass := func(d time.Duration) {
		for end := r.now.Add(d); r.now.Before(end); {
			r.now = r.now.Add(time.Minute)
			r.both()
		}
	}
	r.both()
	pass(3 * time.Hour)
	if found := linesOf(lines, "Found"); len(found) != 1 || !strings.Contains(found[0], `msg="Found machines" hosts=3 cores=12 projects=2 machine_types=2`) {
		t.Fatalf("of what stays the same: %q", found)
	}
	if f.looked != 1 {
		t.Errorf("looked %d times in three hours in which nothing changed", f.looked)
	}
	f.hosts = append(slices.Clone(all), fleetHost{series: usage.Series{Project: "CLF", Machine: "Muon", Host: "dddd:1", User: "eve"}})
	pass(3 * time.Hour)
	if found := linesOf(lines, "Found"); len(found) != 1 {
		t.Errorf("one host more: %q", found[1:])
	}
	f.hosts = append(slices.Clone(all[:2]), fleetHost{series: usage.Series{Project: "LSF", Machine: "Muon", Host: "dddd:1", User: "eve"}})
	pass(2 * time.Hour)
	want := `level=INFO msg="Found other machines than before" hosts=3 cores=12 projects=2 machine_types=2 had_hosts=3`
	if found := linesOf(lines, "Found"); len(found) != 2 || !strings.HasPrefix(found[1], want) ||
		!strings.Contains(found[1], "new_projects=LSF") || !strings.Contains(found[1], "gone_projects=IDAaaS") {
		t.Errorf("another project: %q, want %s", found[1:], want)
	}
	for i := range 8 { // it comes and goes with each interval
		f.hosts = all[:2+i%2]
		pass(30 * time.Minute)
	}
	if found := linesOf(lines, "Found"); len(found) > 2+5 {
		t.Errorf("%d lines in four hours", len(found)-2)
	}
	f.hosts = nil // a job was renamed
	pass(90 * time.Minute)
	if len(linesOf(lines, "Prometheus answers and has no CPU seconds of any host")) == 0 {
		t.Errorf("nothing is found any more, and nothing was said: %q", lines[len(lines)-3:])
	}
	f.hosts = all
	pass(time.Hour)
	if found := linesOf(lines, "Found machines"); len(found) != 2 {
		t.Errorf("that they are back: %q", found)
	}
}

func TestLabelsThatMostHostsLackAreNamed(t *testing.T) {
	series := func(project, machine, user string) []fleetHost {
		var all []fleetHost
		for _, host := range []string{"a:1", "bb:1", "ccc:1"} {
			all = append(all, fleetHost{series: usage.Series{Project: project, Machine: machine, Host: host, User: user}})
		}
		return all
	}
	const unknown = usage.Unknown
	for _, c := range []struct {
		name      string
		hosts     []fleetHost
		directory bool
		want      []string // labels
		page      string
	}{
		{"none", series("CLF", "Muon", "ada"), false, nil, ""},
		{
			"the project", series(unknown, "Muon", "ada"), false,
			[]string{"cloud_project_name"},
			"Most hosts have no label cloud_project_name, so usage is in the project unknown: see prometheus.labels.project. Their labels are cpu, instance, job, mode.",
		},
		{
			"the machine type and the user", series("CLF", unknown, ""), false,
			[]string{"machine_name", "user"},
			"Most hosts have no label machine_name, so usage has the machine type unknown, and the default watts: see prometheus.labels.machine. " +
				"Their labels are cpu, instance, job, mode.",
		},
		{"the user, which many sites do not have", series("CLF", "Muon", ""), false, []string{"user"}, ""},
		{"the user, whom a directory may know", series("CLF", "Muon", ""), true, nil, ""},
		{"the user, on a third of the hosts", append(series("CLF", "Muon", "ada")[:2], series("CLF", "Muon", "")[2]), false, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, f := fleetRig(newRig(t))
			f.hosts = c.hosts
			set := r.spine.current()
			if c.directory {
				(&registry{census: directory.Census{}}).settings(&set)
			}
			var lines []string
			page := noticed{about: map[usage.Topic]string{}}
			r.use(New(r.store, page, told(&lines), at{func() time.Time { return r.now }}, set))
			for range 90 {
				r.both()
				r.now = r.now.Add(time.Minute)
			}
			said := linesOf(lines, "Most hosts lack a label")
			if len(said) != len(c.want) {
				t.Fatalf("%d lines: %q, want %q", len(said), said, c.want)
			}
			for i, label := range c.want {
				if !strings.Contains(said[i], "label="+label+" ") || !strings.Contains(said[i], `they_have="cpu, instance, job, mode"`) {
					t.Errorf("got %s, want the label %s", said[i], label)
				}
			}
			if page.about[usage.TopicLabels] != c.page {
				t.Errorf("the page says %q, want %q", page.about[usage.TopicLabels], c.page)
			}
		})
	}
}

// A server that cannot say what it has is read all the same.
func TestALookThatFailsDelaysNothing(t *testing.T) {
	r, f := fleetRig(newRig(t))
	set := r.spine.current()
	set.Source = blind{f}
	r.spine.Reload(set)
	r.both()
	if n := r.states()[usage.Missing]; n != 0 {
		t.Errorf("%d intervals are missing", n)
	}
}

// blind cannot be looked at.
type blind struct{ *fleet }

func (blind) Look(context.Context, time.Time) (usage.Sight, error) {
	return usage.Sight{}, &usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true}
}

// What a label does not say, a directory may: before it is read, nobody is told of the label.
func TestALabelWaitsForTheDirectory(t *testing.T) {
	for _, c := range []struct {
		name  string
		hosts []directory.Placement
		want  int
	}{
		{"which knows the projects", []directory.Placement{{Host: "a", Project: "CLF"}, {Host: "bb", Project: "CLF"}}, 0},
		{"which knows none", nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, f := fleetRig(newRig(t))
			f.hosts = nil
			for _, host := range []string{"a:1", "bb:1"} {
				f.hosts = append(f.hosts, fleetHost{series: usage.Series{Project: usage.Unknown, Machine: "Muon", Host: host, User: "ada"}})
			}
			g := &registry{}
			set := r.spine.current()
			g.settings(&set)
			var lines []string
			page := noticed{about: map[usage.Topic]string{}}
			r.use(New(r.store, page, told(&lines), at{func() time.Time { return r.now }}, set))
			for range 5 {
				r.both()
				r.now = r.now.Add(time.Minute)
			}
			if said := linesOf(lines, "Most hosts lack a label"); len(said) != 0 || page.about[usage.TopicLabels] != "" {
				t.Fatalf("the directory was not read yet, and %q was said, %q on the page", said, page.about[usage.TopicLabels])
			}
			g.census.Hosts = c.hosts
			if err := r.learn(); err != nil {
				t.Fatal(err)
			}
			r.both()
			if said := linesOf(lines, "Most hosts lack a label"); len(said) != c.want || (page.about[usage.TopicLabels] != "") != (c.want > 0) {
				t.Errorf("%q was said, want %d lines; %q on the page", said, c.want, page.about[usage.TopicLabels])
			}
		})
	}
}

func TestADirectoryOfOtherHostsIsSaid(t *testing.T) {
	r, f := fleetRig(newRig(t))
	f.hosts = nil
	for _, host := range []string{"10.0.0.1:9100", "10.0.0.2:9100"} {
		f.hosts = append(f.hosts, fleetHost{series: usage.Series{Project: "CLF", Machine: "Muon", Host: host, User: ""}})
	}
	g := &registry{}
	set := r.spine.current()
	g.settings(&set)
	var lines []string
	page := noticed{about: map[usage.Topic]string{}}
	r.use(New(r.store, page, told(&lines), at{func() time.Time { return r.now }}, set))
	learn := func(hosts ...string) {
		t.Helper()
		g.census.Workspaces = nil
		for i, host := range hosts {
			g.census.Workspaces = append(g.census.Workspaces, directory.Workspace{Document: fmt.Sprint(i), Host: host, Owner: "ada", Created: start.Add(-72 * time.Hour)})
		}
		if err := r.learn(); err != nil {
			t.Fatal(err)
		}
		r.both()
	}
	r.both()
	learn()
	if page.about[usage.TopicOwners] != "" {
		t.Errorf("of a directory without hosts: %q", page.about[usage.TopicOwners])
	}
	learn("ws-1", "ws-2")
	said := linesOf(lines, "The directory has none of the machines")
	if len(said) != 1 || !strings.Contains(said[0], "machines=2 prometheus_has=10.0.0.2:9100 directory_has=ws-2 key=prometheus.labels.host") {
		t.Errorf("got %q", said)
	}
	if want := "Prometheus has 2, such as 10.0.0.2:9100, and the directory others, such as ws-2: see prometheus.labels.host."; !strings.Contains(page.about[usage.TopicOwners], want) {
		t.Errorf("the page says %q, want %q", page.about[usage.TopicOwners], want)
	}
	learn("ws-1", "10.0.0.1")
	if page.about[usage.TopicOwners] != "" {
		t.Errorf("of a directory with one of the machines: %q", page.about[usage.TopicOwners])
	}
}

func TestADirectoryWithoutOwnersIsSaid(t *testing.T) {
	r, f := fleetRig(newRig(t))
	f.hosts = []fleetHost{{series: usage.Series{Project: "CLF", Machine: "Muon", Host: "a:1"}}}
	g := &registry{census: directory.Census{Table: true, Owners: []directory.Claim{{Of: "a"}}}}
	set := r.spine.current()
	g.settings(&set)
	set.Directory.Source = usage.SourceDirectory
	var lines []string
	page := noticed{about: map[usage.Topic]string{}}
	r.use(New(r.store, page, told(&lines), at{func() time.Time { return r.now }}, set))
	r.both()
	for range 2 {
		if err := r.learn(); err != nil {
			t.Fatal(err)
		}
		r.both()
	}
	const want = "The directory has an owner of none of its machines: usage belongs to whom the labels say, or to nobody"
	if said := linesOf(lines, want); len(said) != 1 || !strings.HasPrefix(page.about[usage.TopicOwners], want) {
		t.Errorf("%q was said, %q on the page", said, page.about[usage.TopicOwners])
	}
	g.census.Owners = []directory.Claim{{Of: "a", Holder: "ada"}}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	if page.about[usage.TopicOwners] != "" {
		t.Errorf("with an owner: %q", page.about[usage.TopicOwners])
	}
}
