// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// examine asks everything that is configured, and says what is wrong and what to do.
type examine struct {
	site
	upstream bool // called as check upstream
	web      string
	only     string
	format   string
	shards   []string // several configurations to compare in place of one
	files    []string // the rest of them
}

const (
	// wholeExamination bounds all of it, eachQuestion each question: one server that does not
	// answer must not hide what the others say.
	wholeExamination = time.Minute
	eachQuestion     = 15 * time.Second
)

func (x *examine) register(app *kingpin.Application) *kingpin.CmdClause {
	const help = "Ask everything that is configured, and say what is wrong and what to do."
	name, parent := "doctor", (*kingpin.CmdClause)(nil)
	if x.upstream {
		name, parent = "check upstream", group(app, "check", "Check the resources for validity.")
	}
	var c *kingpin.CmdClause
	if parent != nil {
		c = parent.Command("upstream", "The same as doctor: "+strings.ToLower(help[:1])+help[1:])
	} else {
		c = app.Command(name, help)
	}
	c.HelpLong(`
Each line is one check: ok, warning or failure, and what was seen. What to do
stands below it. The areas are

  config            the file, the files that it names, budgets, names
  prometheus        reached, series, labels, scrapes, limits, clock, cost
  power             where watts come from, meters, devices, memory, PUE, zones
  carbon_intensity  every source: the newest half hour and the forecast
  sources           the same, after a table of the sources: what came of each,
                    how good it is, what it counts, whom to credit, its cost
  mongodb           collections, refused records, owners of machines
  directory         the same of another directory
  store             schema, size, intervals by state, free disk
  lake              the bucket and its rights, who publishes, days that wait

Nothing is written anywhere, but a small object to the bucket of the lake, which is
removed again. No secret and no person is shown. It ends within a minute; with
sources within three, as some providers want time between requests.
carbon_exporter may be running. The exit code is 1 if anything is a
failure; warnings leave it at 0. A source of carbon intensity that fails while one
before it in its chain answers is a warning, and with --only a failure. docs/troubleshooting.md has every check.

Example:

    carbontool ` + name + ` --config.file=carbon.yml --only=prometheus,store
    carbontool ` + name + ` --config.file=carbon.yml --only=sources

--shards compares the configurations of several exporters that share a site, in
place of checking one: which machines each of them selects now and at three edges
of the last day, which are in two of them or in none, what must be the same in all
and is not, and what a shard counts alone although it is about the site. Each
file may have =STORE behind it, its --storage.path.

    carbontool ` + name + ` --shards a.yml b.yml c.yml
    carbontool ` + name + ` --shards a.yml=a.db b.yml=b.db
`)
	x.site.register(c)
	c.Flag("web.config.file", "The file that carbon_exporter gets by the flag of that name.").StringVar(&x.web)
	c.Flag("only", "Areas to check, with commas between: "+strings.Join(areaNames(), ", ")+"; or sources. Default: all that are configured.").PlaceHolder("AREAS").StringVar(&x.only)
	c.Flag("shards", "Compare the configurations of several exporters of one site, given here and as arguments.").PlaceHolder("FILE...").StringsVar(&x.shards)
	c.Arg("file", "More files of --shards.").StringsVar(&x.files)
	c.Flag("format", "Output format: text or json.").Default("text").EnumVar(&x.format, "text", "json")
	return c
}

func (x *examine) run(ctx context.Context, s streams) error {
	if len(x.shards) > 0 {
		return x.compare(ctx, s)
	}
	if len(x.files) > 0 {
		return wrongUsef("unexpected %s; several files are given with --shards", x.files[0])
	}
	areas, table, err := x.areas()
	if err != nil {
		return err
	}
	longest := wholeExamination
	if table {
		longest = patientExamination
	}
	limited, done := context.WithTimeout(ctx, longest)
	defer done()
	e, found := x.find(limited, areas)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = e.write(s.out, found, table)
	if n := doctor.Count(found); err == nil && n[doctor.Failure] > 0 {
		return fmt.Errorf("%d of %d checks failed", n[doctor.Failure], len(found))
	}
	return err
}

func areaNames() []string {
	names := make([]string, 0, len(doctor.Areas()))
	for _, a := range doctor.Areas() {
		names = append(names, string(a))
	}
	return names
}

// write writes the findings, after the table of sources if it is asked for.
func (e *examination) write(out io.Writer, found []doctor.Finding, table bool) error {
	if e.format == "json" {
		return doctor.WriteJSON(out, found, e.sources, e.now)
	}
	if table && len(e.sources) > 0 {
		if err := e.writeSources(out); err != nil {
			return err
		}
	}
	return doctor.WriteText(out, found)
}

// areas reads --only, and reports whether it asks for the table of sources.
func (x *examine) areas() (some []doctor.Area, table bool, err error) {
	if x.only == "" {
		return doctor.Areas(), false, nil
	}
	for name := range strings.SplitSeq(x.only, ",") {
		area := doctor.Area(strings.TrimSpace(name))
		if area == sourcesWord {
			area, table = doctor.CarbonIntensity, true
		}
		if !slices.Contains(doctor.Areas(), area) {
			return nil, false, wrongUsef("--only: there is no area %q; the areas are %s, %s", name, strings.Join(areaNames(), ", "), sourcesWord)
		}
		some = append(some, area)
	}
	return some, table, nil
}

// find asks for the areas side by side, and lists the findings in the order of the areas.
func (x *examine) find(ctx context.Context, areas []doctor.Area) (*examination, []doctor.Finding) {
	cfg, bad := x.settings()
	if cfg == nil {
		return &examination{examine: x}, bad
	}
	e := &examination{examine: x, cfg: cfg, now: time.Now(), hosts: make(chan []string, 1), known: make(chan struct{})}
	wants := func(a doctor.Area) bool { return slices.Contains(areas, a) }
	parts := map[doctor.Area]func(context.Context) []doctor.Finding{
		doctor.Prometheus: e.prometheus, doctor.Power: e.power, doctor.CarbonIntensity: e.carbon, doctor.Store: e.store,
	}
	if cfg.Lake != nil {
		parts[doctor.Lake] = e.lake
	}
	if area := e.directoryArea(); area != "" {
		parts[area] = func(ctx context.Context) []doctor.Finding { return e.directory(ctx, area, wants(doctor.Prometheus)) }
	}
	if area := e.directoryArea(); area == "" || !wants(area) {
		close(e.known)
	}
	found := map[doctor.Area][]doctor.Finding{}
	for _, area := range []doctor.Area{doctor.MongoDB, doctor.Directory, doctor.Lake} {
		if x.only != "" && wants(area) && parts[area] == nil {
			found[area] = []doctor.Finding{doctor.NoSection(area)}
		}
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	for area, ask := range parts {
		if !wants(area) {
			continue
		}
		group.Go(func() {
			said := ask(ctx)
			mu.Lock()
			defer mu.Unlock()
			found[area] = said
		})
	}
	group.Wait()
	if wants(doctor.Config) {
		found[doctor.Config] = append(bad, e.config(ctx)...)
	} else if slices.ContainsFunc(bad, func(f doctor.Finding) bool { return f.Level == doctor.Failure }) {
		found[doctor.Config] = bad
	}
	var all []doctor.Finding
	for _, area := range doctor.Areas() {
		all = append(all, found[area]...)
	}
	return e, all
}

// examination is one run, with what the areas tell each other.
type examination struct {
	*examine
	cfg *config.Config
	now time.Time

	hosts    chan []string            // those that Prometheus has; sent once, when they are known or are not going to be
	known    chan struct{}            // closed when placed is there, or is not going to be
	placed   []directory.Placement    // those whose project or machine type the directory names
	machines []doctor.Machine         // of Prometheus; nil: not known
	have     []string                 // labels that series have; nil: not known, or none is missing
	seen     map[usage.Scope][]string // in the store; nil: not known
	sources  []doctor.GridSource      // of carbon intensity; nil: not asked

	once     sync.Once // of what follows, see usage
	readings []usage.Reading
	took     time.Duration
	unread   error
}

// inTime gives a question its time.
func inTime[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	return inTimeOf(ctx, eachQuestion, ask)
}

func inTimeOf[T any](ctx context.Context, longest time.Duration, ask func(context.Context) (T, error)) (T, error) {
	limited, done := context.WithTimeout(ctx, longest)
	defer done()
	got, err := ask(limited)
	if err != nil && limited.Err() == context.DeadlineExceeded && usage.FailureOf(err) == nil {
		return got, &usage.Failure{Reason: usage.ReasonTimeout, Detail: "no answer in the time that this command takes"}
	}
	return got, err
}
