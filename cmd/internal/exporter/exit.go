// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Exit codes. A store that is refused has its own code: a restart cannot help.
const (
	exitDone   = 0
	exitFailed = 1
	exitUse    = 2 // flags or configuration
	exitStore  = 3
)

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
