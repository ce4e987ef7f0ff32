// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package built

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Process is a program that runs at most until the end of a test.
type Process struct {
	Cmd            *exec.Cmd // its outcome is in ProcessState once Ended is closed
	Stdout, Stderr Output
	Ended          chan struct{}
}

// Start starts a program. If the test fails, the end of what it said to stderr is logged.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: cmd, Ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.Stdout, &p.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.Ended)
	}()
	t.Cleanup(func() {
		p.End(os.Kill)
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), Tail(p.Stderr.String()))
		}
	})
	return p
}

// End sends a signal, waits for the end, and returns the exit code.
func (p *Process) End(s os.Signal) int {
	_ = p.Cmd.Process.Signal(s) // it may have ended
	<-p.Ended
	return p.Cmd.ProcessState.ExitCode()
}

// Output collects what a program writes, while it is read.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is all of it up to now.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Tail is the end of an output, for a person.
func Tail(s string) string {
	const most = 4000
	if len(s) > most {
		return "..." + s[len(s)-most:]
	}
	return s
}
