// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package readfile reads files that an operator has named: only regular files, of bounded size,
// and never waiting for long. A named pipe in place of a password must not block a reload, let
// alone shutdown. It must not know what a file contains. Start with All.
package readfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// patience is how long reading a file may take. Only a hanging disk or network file system
// needs longer.
const patience = 3 * time.Second

// flags prevent waiting for a writer, in case a pipe has replaced the file since it was
// checked.
const flags = os.O_RDONLY | syscall.O_NONBLOCK

// ErrTooLarge means that a file has more bytes than allowed.
var ErrTooLarge = errors.New("is too large")

// errSlow leaves a goroutine with the file: nothing can end a read that hangs in the kernel.
var errSlow = fmt.Errorf("could not be read within %s; is its disk hanging?", patience)

// All returns the content of a file, at most limit bytes. Its error is a *fs.PathError.
func All(name string, limit int64) ([]byte, error) {
	return within(patience, name, func() ([]byte, error) {
		file, _, err := open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		// One more byte than the limit distinguishes a file that is too large from one that
		// fits.
		text, err := io.ReadAll(io.LimitReader(file, limit+1))
		if err == nil && int64(len(text)) > limit {
			err = fault("read", name, ErrTooLarge)
		}
		return text, err
	})
}

// Check opens a file and returns its size in bytes. Its error is a *fs.PathError.
func Check(name string) (size int64, err error) {
	return within(patience, name, func() (int64, error) {
		file, size, err := open(name)
		if err != nil {
			return 0, err
		}
		return size, file.Close()
	})
}

func open(name string) (*os.File, int64, error) {
	// Opening a device or a pipe may have effects, so look first.
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, fault("open", name, err)
	}
	if err := regular(info); err != nil {
		return nil, 0, fault("read", name, err)
	}
	file, err := os.OpenFile(name, flags, 0)
	if err != nil {
		return nil, 0, fault("open", name, err)
	}
	info, err = file.Stat()
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		file.Close()
		return nil, 0, fault("read", name, err)
	}
	return file, info.Size(), nil
}

func regular(info fs.FileInfo) error {
	kind := "a special file"
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return syscall.EISDIR
	case mode&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	return fmt.Errorf("is %s, must be a regular file", kind)
}

// fault returns an error that names the file and what was attempted, once.
func fault(op, name string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// within returns the result of f, or an error if it takes too long.
func within[T any](limit time.Duration, name string, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-timer.C:
		var none T
		return none, fault("read", name, errSlow)
	}
}
