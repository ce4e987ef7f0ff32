// Command carbon_exporter asks a Prometheus for the CPU seconds of virtual
// machines and republishes their energy and emissions. This package turns flags
// into values and values into parts, and runs them; it is the only one that
// knows every other. Start with run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	webflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// Exit codes. A store that is refused has its own: restarting cannot mend it.
const (
	exitDone   = 0
	exitFailed = 1
	exitUse    = 2 // flags or configuration
	exitStore  = 3
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

type flags struct {
	configFile      string
	configGiven     bool
	configCheck     bool
	storagePath     string
	retention       time.Duration
	telemetryPath   string
	enableLifecycle bool
	workspaces      bool
	web             *web.FlagConfig
	log             promslog.Config
}

// errAnswered says that the arguments asked for a text, such as --help, and that
// it is written.
var errAnswered = errors.New("answered")

// parse reads the arguments. Kingpin ends the process behind --help and
// --version; here it comes back, so that run can be called in a test.
func parse(args []string, stdout io.Writer) (f flags, err error) {
	app := kingpin.New("carbon_exporter", "Energy and carbon of a research cloud, from the CPU seconds that Prometheus already has.")
	app.UsageWriter(stdout)
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbon_exporter"))
	app.VersionFlag.Short('V')
	app.Flag("config.file", "Configuration file. Without the flag and the file: defaults.").
		Default("carbon.yml").IsSetByUser(&f.configGiven).StringVar(&f.configFile)
	app.Flag("config.check", "Check the configuration and exit.").BoolVar(&f.configCheck)
	app.Flag("storage.path", "SQLite file of the store.").Default("data/carbon.db").StringVar(&f.storagePath)
	retention := app.Flag("storage.retention", "How long facts at key grain are kept, at least 8d, which budgets need; 0: for ever. Sums by project, machine and user, by day and of all time stay.").
		Default("0").String()
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.enable-lifecycle", "Allow reload and quit by POST to /-/reload and /-/quit.").BoolVar(&f.enableLifecycle)
	app.Flag("collector.workspace", "Metrics of each active workspace: its energy and emissions since it began.").Default("false").BoolVar(&f.workspaces)
	f.web = webflag.AddFlags(app, ":9977")
	promslogflag.AddFlags(app, &f.log)
	app.Terminate(func(int) { panic(errAnswered) })
	defer func() {
		switch reason := recover(); reason {
		case nil:
		case errAnswered:
			err = errAnswered
		default:
			panic(reason)
		}
	}()
	if _, err := app.Parse(args); err != nil {
		return f, err
	}
	keep, err := model.ParseDuration(*retention)
	if err != nil {
		return f, fmt.Errorf("--storage.retention: %w", err)
	}
	f.retention = time.Duration(keep)
	if err := checkTelemetryPath(f.telemetryPath); err != nil {
		return f, fmt.Errorf("--web.telemetry-path: %w", err)
	}
	return f, nil
}

func run(args []string, stdout, stderr io.Writer) int {
	f, err := parse(args, stdout)
	switch {
	case errors.Is(err, errAnswered):
		return exitDone
	case err != nil:
		fmt.Fprintf(stderr, "carbon_exporter: %v; see --help\n", err)
		return exitUse
	}
	cfg, err := load(f)
	if err == nil {
		if err = web.Validate(*f.web.WebConfigFile); err != nil {
			err = fmt.Errorf("--web.config.file: %w", err)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUse
	}
	// From now on the file is one that was asked for: a reload that does not find
	// it must not put the defaults in its place.
	f.configGiven = f.configGiven || !absent(f)
	if f.configCheck {
		said := "ok"
		if absent(f) {
			said = "is not there, the defaults are in force"
		}
		fmt.Fprintf(stdout, "%s: %s\n", f.configFile, said)
		return exitDone
	}
	f.log.Writer = stderr
	log := promslog.New(&f.log)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.Info("Starting carbon_exporter", "version", version.Info(), "build", version.BuildContext())
	if absent(f) {
		log.Info("No configuration file, the defaults are in force", "file", f.configFile)
	}
	if err := serve(ctx, f, cfg, log); err != nil {
		fmt.Fprintf(stderr, "carbon_exporter: %v\n", err)
		var refused storeError
		if errors.As(err, &refused) {
			return exitStore
		}
		return exitFailed
	}
	log.Info("Ended")
	return exitDone
}

// load reads the configuration; without a file that nobody asked for, defaults.
func load(f flags) (*config.Config, error) {
	if absent(f) {
		return config.Parse(f.configFile, nil)
	}
	return config.Load(f.configFile)
}

// absent says that there is no configuration file, and that nobody asked for it.
func absent(f flags) bool {
	_, err := os.Stat(f.configFile)
	return !f.configGiven && errors.Is(err, fs.ErrNotExist)
}

type storeError struct{ error }

func (e storeError) Unwrap() error { return e.error }

// serve opens the store, starts the spine and the web server, and waits for the
// end: of ctx, of the server, or one that was asked for.
func serve(ctx context.Context, f flags, cfg *config.Config, log *slog.Logger) error {
	// From the first moment on: whoever reloads a program that is still opening
	// its store does not mean to end it.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	sayRetention(log, f.retention)
	keeper, err := store.Open(ctx, f.storagePath, store.Options{Exclusive: true, Interval: time.Duration(cfg.Interval), Timezone: cfg.Location()})
	if err != nil {
		if ctx.Err() != nil {
			return nil // told to end while it was opening
		}
		return storeError{err}
	}
	defer func() {
		if err := keeper.Close(); err != nil {
			log.Error("Closing the store failed", "err", err)
		}
	}()
	d, err := newDaemon(ctx, f, cfg, keeper, log)
	if err != nil {
		return err
	}
	return d.run(ctx, hangup)
}

func sayRetention(log *slog.Logger, keep time.Duration) {
	switch {
	case keep == 0:
	case keep < ingest.LeastRetention:
		log.Warn("--storage.retention: budgets look back further, facts at key grain are kept longer",
			"asked", model.Duration(keep), "kept", model.Duration(ingest.LeastRetention))
	default:
		log.Info("Facts at key grain that are older are taken away", "kept", model.Duration(keep))
	}
}
