// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package child runs programs that end together with the one that started them. It knows
// processes and how to wait for one of their pages; it must not know what they do. Start with
// Start.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Child is a running program.
type Child struct {
	cmd  *exec.Cmd
	log  string // name of the log file; empty if the log is no file
	done chan error
}

// Start starts a program that writes to log.
func Start(log io.Writer, name string, args ...string) (*Child, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// Ctrl-C reaches every process of the terminal; only the parent must act on it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a program that make must build first: %w", err)
	}
	c := &Child{cmd: cmd, done: make(chan error, 1)}
	if f, ok := log.(*os.File); ok {
		c.log = f.Name()
	}
	go func() { c.done <- cmd.Wait() }()
	return c, nil
}

// Done receives the program's result once it has ended.
func (c *Child) Done() <-chan error { return c.done }

// End asks the program to end, and kills it if it does not.
func (c *Child) End() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-c.done: //nolint:errcheck // any result will do after SIGTERM
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("%s did not end and was killed: %w", c.cmd.Path, c.cmd.Process.Kill())
	}
}

// Until waits for a page to answer 200; an error includes the program's last log lines.
func (c *Child) Until(ctx context.Context, url string) error {
	return c.Poll(ctx, func() (bool, error) {
		resp, err := http.Get(url)
		if err != nil {
			return false, nil //nolint:nilerr // not listening yet
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

// Poll calls ready until it returns true or an error, the program ends or ctx does.
func (c *Child) Poll(ctx context.Context, ready func() (bool, error)) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := ready(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return c.Said(ctx.Err())
		case err := <-c.done:
			c.done <- err // for End
			return c.Said(errors.Join(errors.New("it has ended"), err))
		case <-tick.C:
		}
	}
}

// Said adds the last lines of the program's log, which mostly say why, to an error.
func (c *Child) Said(err error) error {
	if c.log == "" {
		return err
	}
	text, _ := os.ReadFile(c.log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return errors.Join(err, fmt.Errorf("last lines of %s: %s", c.log, last))
	}
	return err
}
