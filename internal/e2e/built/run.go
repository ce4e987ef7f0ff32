// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package built

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// Result is how a program ended, and what it wrote.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run runs a program to its end.
func Run(t testing.TB, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

// FreeAddress is one on loopback that nobody listens at. Its port is below those that Linux gives to
// who asks for any: before a program listens there, another test would have taken one of those.
func FreeAddress(t testing.TB) string {
	t.Helper()
	const lowest, highest = 15_000, 32_000
	var err error
	for range 100 {
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest))); err == nil {
			defer listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal(err)
	return ""
}
