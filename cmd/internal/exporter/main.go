// Package exporter is the program carbon_exporter. It turns flags into values, values into
// parts, and runs them; it is the only package that knows all others. It must not know how
// anything is computed. Start with Run.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	webflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
)

// Exit codes. A store that is refused has its own code: a restart cannot help.
const (
	exitDone   = 0
	exitFailed = 1
	exitUse    = 2 // flags or configuration
	exitStore  = 3
)

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

// webConfigFile is the file of TLS and authentication; empty: none.
func (f flags) webConfigFile() string {
	if f.web == nil { // a rehearsal has no sockets
		return ""
	}
	return *f.web.WebConfigFile
}

// errAnswered means that the arguments requested a text, such as --help, which has been
// written.
var errAnswered = errors.New("answered")

// parse reads the arguments. Kingpin would end the process after --help and --version; here it
// returns instead, so that tests can call Run.
func parse(args []string, stdout io.Writer) (f flags, err error) {
	app := kingpin.New("carbon_exporter", "Exports the energy use and carbon emissions of a research cloud, computed from CPU metrics in Prometheus.")
	app.UsageWriter(stdout)
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbon_exporter"))
	app.VersionFlag.Short('V')
	app.Flag("config.file", "Configuration file. Without the flag, a missing file means the defaults.").
		Default("carbon.yml").IsSetByUser(&f.configGiven).StringVar(&f.configFile)
	app.Flag("config.check", "Check the configuration and the files that it names, then exit.").BoolVar(&f.configCheck)
	app.Flag("storage.path", "SQLite database file to store usage in.").Default("data/carbon.db").StringVar(&f.storagePath)
	retention := app.Flag("storage.retention", "How long to keep usage per interval and key (project, machine, user, group). At least 8d, which budgets need; 0 keeps it for ever. Daily and all-time sums by project, machine and user are always kept.").
		Default("0").String()
	app.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").StringVar(&f.telemetryPath)
	app.Flag("web.enable-lifecycle", "Enable reload and shutdown by POST requests to /-/reload and /-/quit.").BoolVar(&f.enableLifecycle)
	app.Flag("collector.workspace", "Expose the energy and emissions of each active workspace since its start.").Default("false").BoolVar(&f.workspaces)
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

// Run runs the whole program and returns its exit code.
func Run(args []string, stdout, stderr io.Writer) int {
	f, err := parse(args, stdout)
	switch {
	case errors.Is(err, errAnswered):
		return exitDone
	case err != nil:
		fmt.Fprintf(stderr, "carbon_exporter: %v; see --help\n", err)
		return exitUse
	}
	cfg, empty, err := load(f)
	if err == nil {
		err = checkWebConfig(f.webConfigFile())
	}
	if err == nil && f.configCheck {
		err = checkFiles(f, cfg)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUse
	}
	if f.configCheck {
		said := "ok"
		if absent(f) {
			said = "does not exist; the defaults apply"
		}
		fmt.Fprintf(stdout, "%s: %s\n", f.configFile, said)
		return exitDone
	}
	f.log.Writer = stderr
	log := promslog.New(&f.log)
	defer upstream.StandardLog(log)()
	log.Info("Starting carbon_exporter", "version", version.Info(), "build", version.BuildContext())
	switch {
	case absent(f):
		log.Info("No configuration file; using the defaults", "file", f.configFile)
	case empty:
		log.Warn("The configuration file sets no key; using the defaults", "file", f.configFile)
	}
	// The file exists now: if it disappears, a reload must not go back to the defaults.
	f.configGiven = f.configGiven || !absent(f)
	err = untilEnd(func(ctx context.Context, stop func()) error { return serve(ctx, stop, f, cfg, log) })
	if err != nil {
		fmt.Fprintf(stderr, "carbon_exporter: %v\n", err)
		return exitCode(err)
	}
	log.Info("Stopped")
	return exitDone
}

// checkFiles checks the files that a configuration names. Each line of its error begins with
// the configuration's own name.
func checkFiles(f flags, cfg *config.Config) error {
	if err := parts.Check(cfg); err != nil {
		return errors.New(f.configFile + ": " + strings.ReplaceAll(err.Error(), "\n", "\n"+f.configFile+": "))
	}
	return nil
}

// endTimeout is how long shutdown may take at most, whatever hangs.
const endTimeout = 9 * time.Second

// untilEnd calls f with a context that a signal or stop ends. Whatever hangs then, such as a
// disk or a name server, is abandoned: the store is consistent at any moment.
func untilEnd(f func(ctx context.Context, stop func()) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- f(ctx, stop) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(endTimeout)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		return fmt.Errorf("shutdown did not finish within %s; exiting anyway", endTimeout)
	}
}

// load reads the configuration file. empty means that it sets no key, so that the defaults
// apply, as they do if the default file does not exist.
func load(f flags) (cfg *config.Config, empty bool, err error) {
	var text []byte
	if !absent(f) {
		if text, err = config.Read(f.configFile); err != nil {
			return nil, false, err
		}
	}
	cfg, err = config.Parse(f.configFile, text)
	return cfg, err == nil && config.IsEmpty(text), err
}

// absent reports whether the configuration file is the default one and does not exist.
func absent(f flags) bool {
	_, err := os.Stat(f.configFile)
	return !f.configGiven && errors.Is(err, fs.ErrNotExist)
}

// configError is a fault of the configuration that only shows when its parts are made.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

type storeError struct{ error }

func (e storeError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var refused storeError
	var wrong configError
	switch {
	case errors.As(err, &refused), errors.Is(err, sqlite.ErrGone):
		return exitStore
	case errors.As(err, &wrong):
		return exitUse
	}
	return exitFailed
}

// serve opens the store, starts the spine and the web server, and waits until ctx ends, the
// server fails, the store's file is gone or a client requests shutdown. It then calls stop.
func serve(ctx context.Context, stop func(), f flags, cfg *config.Config, log *slog.Logger) (err error) {
	// From the first moment: a SIGHUP while the store is being opened must not end the program.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	sayRetention(log, f.retention)
	keeper, err := store.Open(ctx, f.storagePath, store.Options{Exclusive: true, Interval: time.Duration(cfg.Interval), Timezone: cfg.Location()})
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to end while opening
		}
		if errors.Is(err, sqlite.ErrDiskFull) {
			return err // not an error of the store
		}
		return storeError{err}
	}
	defer func() {
		closed := keeper.Close()
		switch {
		case closed == nil:
		case errors.Is(closed, sqlite.ErrGone) && err == nil:
			err = storeError{fmt.Errorf("store %w", closed)}
		case !errors.Is(closed, sqlite.ErrGone): // else it would be reported twice
			log.Error("Closing the store failed", "err", closed)
		}
	}()
	d, err := newDaemon(ctx, f, cfg, keeper, log, clock.Real{})
	if err != nil && ctx.Err() != nil {
		return nil // asked to end while reading the store
	}
	if err != nil {
		return err
	}
	d.spine.Built = built()
	return d.run(ctx, stop, hangup)
}

// built returns when the source of this program was committed, or the program built; zero if
// neither is known.
func built() time.Time {
	for _, stamp := range []string{version.BuildDate, vcsTime()} {
		for _, layout := range []string{"20060102-15:04:05", time.RFC3339} {
			if t, err := time.Parse(layout, stamp); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

func vcsTime() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			return s.Value
		}
	}
	return ""
}

func sayRetention(log *slog.Logger, keep time.Duration) {
	switch {
	case keep == 0:
	case keep < ingest.LeastRetention:
		log.Warn("Budgets need more than --storage.retention; keeping per-key usage longer",
			"asked", model.Duration(keep), "kept", model.Duration(ingest.LeastRetention))
	default:
		log.Info("Deleting per-key usage older than the retention period", "kept", model.Duration(keep))
	}
}
