// Demo starts a simulated research cloud and the exporter beside it, as an
// operator would, waits until the history is in, and shows the first numbers.
// Ctrl-C ends all of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type settings struct {
	bin    string // where simcloud and carbon_exporter are
	config string
	data   string // emptied at the start
	once   bool
}

const (
	prometheus = "127.0.0.1:19090"
	grid       = "127.0.0.1:19980"
	mongodb    = "127.0.0.1:19017"
	exporter   = "127.0.0.1:9977"
	// catchUp bounds the wait for three days of history, which take seconds.
	catchUp = 2 * time.Minute
)

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin", "directory of the programs")
	flag.StringVar(&s.config, "config", "examples/demo.yml", "configuration of the exporter")
	flag.StringVar(&s.data, "data", ".demo", "directory for the store; what an earlier demo left there is removed")
	flag.BoolVar(&s.once, "once", false, "end after the first table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, out io.Writer) (err error) {
	store := filepath.Join(s.data, "carbon.db")
	for _, old := range []string{store, store + "-wal", store + "-shm", store + ".lock"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(s.data, 0o750); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.data, "demo.log"))
	if err != nil {
		return err
	}
	defer log.Close()

	fmt.Fprintln(out, "Starting a simulated research cloud with three days of history ...")
	cloud, err := start(log, filepath.Join(s.bin, "simcloud"),
		"--prometheus.listen="+prometheus, "--uk.listen="+grid, "--mongodb.listen="+mongodb, "--days=3")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cloud.end()) }()
	if err := until(ctx, cloud, "http://"+prometheus+"/-/ready"); err != nil {
		return fmt.Errorf("the simulated cloud is not ready: %w", errors.Join(err, lastWords(log.Name())))
	}
	fmt.Fprintf(out, "Starting carbon_exporter --config.file=%s --storage.path=%s ...\n", s.config, store)
	daemon, err := start(log, filepath.Join(s.bin, "carbon_exporter"),
		"--config.file="+s.config, "--storage.path="+store, "--web.listen-address="+exporter)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, daemon.end()) }()
	seen, err := history(ctx, daemon)
	if err != nil {
		return fmt.Errorf("the exporter has not caught up: %w", errors.Join(err, lastWords(log.Name())))
	}
	seen.print(out)
	fmt.Fprintf(out, `
Look at  http://%s/         the exporter
         http://%[1]s/metrics  what Prometheus scrapes
         %s         the store: sqlite3 %[2]s 'SELECT * FROM v_project_totals'
         http://%s/api/v1/query?query=up  the Prometheus it asks
         mongodb://%s/  who had which machine when (database ada), and where the usage of
                                     groups and users is written: mongosh %[4]s/carbon --eval 'db.group_usage.find()'
`, exporter, store, prometheus, mongodb)
	if s.once {
		return nil
	}
	fmt.Fprintln(out, "\nIt goes on by the half hour. Ctrl-C ends it.")
	select {
	case <-ctx.Done():
		return nil
	case err := <-daemon.done:
		return fmt.Errorf("carbon_exporter ended: %w", errors.Join(err, lastWords(log.Name())))
	case err := <-cloud.done:
		return fmt.Errorf("simcloud ended: %w", errors.Join(err, lastWords(log.Name())))
	}
}

// lastWords is the end of a log: most often why.
func lastWords(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("%s ends with: %s", name, lines[len(lines)-1])
}

// child is a program that ends with the demo.
type child struct {
	cmd  *exec.Cmd
	done chan error
}

func start(log io.Writer, name string, args ...string) (*child, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// Ctrl-C reaches the whole terminal; only the demo is to act on it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; `make demo` builds it", err)
	}
	c := &child{cmd: cmd, done: make(chan error, 1)}
	go func() { c.done <- cmd.Wait() }()
	return c, nil
}

// end asks the program to end and, if it does not, ends it.
func (c *child) end() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("%s did not end and was killed: %w", c.cmd.Path, c.cmd.Process.Kill())
	}
}
