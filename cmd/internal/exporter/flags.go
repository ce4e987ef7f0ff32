// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	webflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
)

type flags struct {
	configFile  string
	configGiven bool
	configCheck bool
	storagePath string
	retention   time.Duration

	retentionMembers time.Duration
	telemetryPath    string
	landing          string
	enableLifecycle  bool
	enableAPI        bool
	workspaces       bool
	web              *web.FlagConfig
	log              promslog.Config
}

// webConfigFile is the file for TLS and authentication; empty: none.
func (f flags) webConfigFile() string {
	if f.web == nil { // a rehearsal has no sockets
		return ""
	}
	return *f.web.WebConfigFile
}

// parse reads the arguments. For --help and --version it returns commandline.ErrAnswered.
func parse(args []string, stdout io.Writer) (f flags, err error) {
	app := kingpin.New("carbon_exporter", "Exports the energy use and carbon emissions of a research cloud, computed from CPU metrics in Prometheus.")
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbon_exporter"))
	app.VersionFlag.Short('V')
	app.Flag("config.file", "Configuration file. Without the flag, a missing file means the defaults.").
		Default("carbon.yml").IsSetByUser(&f.configGiven).StringVar(&f.configFile)
	app.Flag("config.check", "Check the configuration and the files that it names, then exit.").BoolVar(&f.configCheck)
	app.Flag("storage.path", "SQLite database file to store usage in.").Default("data/carbon.db").StringVar(&f.storagePath)
	retention := app.Flag("storage.retention", "How long to keep usage per interval and key (project, machine, user, group). At least 8d, which budgets need; 0 keeps it for ever. Daily and all-time sums by project, machine and user are always kept.").
		Default("0").String()
	members := app.Flag("storage.retention.members", "How long to keep usage per interval of each project, machine and user (table fact_usage). At least 8d; 0 keeps it for ever. With a lake, a day is deleted only once it is published.").
		Default("0").String()
	app.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.landing", "What the landing page shows: full, or state, which leaves out all usage.").
		Default(landingFull).EnumVar(&f.landing, landingFull, landingState)
	app.Flag("web.enable-lifecycle", "Enable reload and shutdown by POST requests to /-/reload and /-/quit.").BoolVar(&f.enableLifecycle)
	app.Flag("web.enable-api", "Enable the read-only HTTP API under /api/v1/. It shows users as /metrics does.").BoolVar(&f.enableAPI)
	app.Flag("collector.workspace", "Expose the energy and emissions of each active workspace since its start.").Default("false").BoolVar(&f.workspaces)
	f.web = webflag.AddFlags(app, ":9977")
	promslogflag.AddFlags(app, &f.log)
	if _, err := commandline.ParseWithManual(app, page(), args, stdout); err != nil {
		return f, err
	}
	keep, err := model.ParseDuration(*retention)
	if err != nil {
		return f, fmt.Errorf("--storage.retention: %w", err)
	}
	f.retention = time.Duration(keep)
	if keep, err = model.ParseDuration(*members); err != nil {
		return f, fmt.Errorf("--storage.retention.members: %w", err)
	}
	f.retentionMembers = time.Duration(keep)
	if err := checkTelemetryPath(f.telemetryPath); err != nil {
		return f, fmt.Errorf("--web.telemetry-path: %w", err)
	}
	return f, nil
}
