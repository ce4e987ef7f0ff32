package exporter

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// part is a line of the table on the landing page: something the exporter depends on,
// its purpose and its state.
type part struct {
	Name, For, State string
	Bad              bool
}

// state is the summary on the landing page. It sends no requests: everything in it is on
// /metrics, too.
func (d *daemon) state(now time.Time) ([]part, error) {
	gathered, err := d.live.Gather()
	if err != nil {
		return nil, err
	}
	seen := families{}
	for _, f := range gathered {
		seen[f.GetName()] = f
	}
	return []part{
		d.record(), seen.source("Prometheus", "CPU time of machines", usage.SourcePrometheus, now),
		seen.source("Carbon intensity", "gCO2eq per kWh, for each half hour", usage.SourceCarbonIntensity, now),
		d.directory(seen, now), d.writer(seen, now), seen.store(), seen.configuration(now),
	}, nil
}

// record is the state of the stored intervals.
func (d *daemon) record() part {
	p := part{Name: "Intervals", For: "stored usage", State: "none yet"}
	snapshot := d.usage.Snapshot()
	if snapshot == nil {
		return p
	}
	var states []string
	for _, s := range usage.States() {
		states = append(states, fmt.Sprintf("%d %s", snapshot.States[s], s))
	}
	if snapshot.Newest != nil {
		p.State = strings.Join(states, ", ") + "; newest ends " + stamp(snapshot.Newest.Interval.End())
	}
	return p
}

// directory is the state of the directory.
func (d *daemon) directory(seen families, now time.Time) part {
	const name, what = "MongoDB", "owners of workspaces and members of groups"
	if cfg, _ := d.current(); cfg.MongoDB == nil {
		return part{Name: name, For: what, State: "not configured; users come from a label"}
	}
	p := seen.source(name, what, usage.SourceMongoDB, now)
	if asOf, ok := seen.value("carbon_exporter_directory_timestamp_seconds", ""); ok {
		p.State += "; directory read " + ago(now, asOf)
	} else {
		p.State += "; directory never read"
	}
	if refused, _ := seen.value("carbon_exporter_rejected_records_total", ""); refused > 0 {
		p.State += fmt.Sprintf("; %.0f records rejected", refused)
	}
	return p
}

// writer is the state of writing usage to MongoDB.
func (d *daemon) writer(seen families, now time.Time) part {
	const name, what = "MongoDB, usage", "receives the usage of groups and users"
	if cfg, _ := d.current(); cfg.MongoDB == nil || cfg.MongoDB.UsageDatabase == "" {
		return part{Name: name, For: what, State: "not configured"}
	}
	p := seen.source(name, what, usage.SourceUsageWriter, now)
	if n, ok := seen.value("carbon_exporter_usage_writer_pending_intervals", ""); ok {
		p.State += fmt.Sprintf("; %.0f intervals pending", n)
	}
	return p
}

// families are metrics by name.
type families map[string]*dto.MetricFamily

// value adds up the samples of a source, or of all sources if it is "". It is false if
// there are none.
func (f families) value(name, source string) (sum float64, ok bool) {
	for _, m := range f[name].GetMetric() {
		fits := source == ""
		for _, l := range m.GetLabel() {
			fits = fits || l.GetName() == "source" && l.GetValue() == source
		}
		if fits {
			sum, ok = sum+m.GetGauge().GetValue()+m.GetCounter().GetValue(), true
		}
	}
	return sum, ok
}

func (f families) source(name, what, source string, now time.Time) part {
	p := part{Name: name, For: what}
	up, asked := f.value("carbon_exporter_source_up", source)
	last, ever := f.value("carbon_exporter_source_last_success_timestamp_seconds", source)
	switch {
	case !asked:
		p.State = "no request yet"
	case up == 1:
		p.State = "responded " + ago(now, last)
	case ever:
		p.State, p.Bad = "down, last response "+ago(now, last), true
	default:
		p.State, p.Bad = "down", true
	}
	return p
}

func (f families) store() part {
	p := part{Name: "Store", For: "SQLite file with all stored usage", State: "writable"}
	if ok, _ := f.value("carbon_exporter_store_writable", ""); ok != 1 {
		p.State, p.Bad = "not writable", true
	}
	size, _ := f.value("carbon_exporter_store_size_bytes", "")
	p.State += fmt.Sprintf(", %.1f MB", size/1e6)
	return p
}

func (f families) configuration(now time.Time) part {
	loaded, _ := f.value("carbon_exporter_config_last_reload_success_timestamp_seconds", "")
	p := part{Name: "Configuration", For: "settings", State: "loaded " + ago(now, loaded)}
	if ok, _ := f.value("carbon_exporter_config_last_reload_successful", ""); ok != 1 {
		p.State, p.Bad = p.State+"; the last reload failed, see the log", true
	}
	return p
}

// ago returns how long ago a time was, given in Unix seconds.
func ago(now time.Time, at float64) string {
	t := time.UnixMilli(int64(at * 1000))
	return fmt.Sprintf("%s ago (%s)", max(now.Sub(t), 0).Round(time.Second), stamp(t))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

var stateTable = template.Must(template.New("state").Parse(`<table>
<caption>State</caption>
{{range .}}<tr{{if .Bad}} class="bad"{{end}}><th scope="row">{{.Name}}</th><td>{{.For}}</td><td>{{.State}}</td></tr>
{{end}}</table>
`))

const stateCSS = `
h2 { font-size: 1.2rem; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: bold; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-top: 1px solid #ddd; }
th { white-space: nowrap; }
td:nth-child(2) { color: #666; }
.bad td:last-child { color: #b00020; font-weight: bold; }
`
