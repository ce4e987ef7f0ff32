// Package readfile reads files that an operator has named: regular files only, of
// bounded size, and never waiting for long. A named pipe in the place of a
// password must not stop a reload, and the end of the program even less. It must
// not know what a file holds. Start with All.
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

// patience is how long a file may take. Only a disk or a network file system that
// hangs needs longer.
const patience = 3 * time.Second

// flags don't wait for somebody to write, should a pipe have taken the place of the
// file that was looked at.
const flags = os.O_RDONLY | syscall.O_NONBLOCK

// ErrTooLarge says that a file has more bytes than its reader takes.
var ErrTooLarge = errors.New("is too large")

// errSlow leaves a goroutine with the file: nothing can end a read that hangs in
// the kernel.
var errSlow = fmt.Errorf("did not answer within %s; does its disk hang?", patience)

// All is what a file holds, at most limit bytes. Its error is a *fs.PathError.
func All(name string, limit int64) ([]byte, error) {
	return within(patience, name, func() ([]byte, error) {
		file, _, err := open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		// One byte more tells a file that is too large from one that just fits.
		text, err := io.ReadAll(io.LimitReader(file, limit+1))
		if err == nil && int64(len(text)) > limit {
			err = fault("read", name, ErrTooLarge)
		}
		return text, err
	})
}

// Check opens a file and says how many bytes it has. Its error is a
// *fs.PathError.
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
	// To open a device or a pipe may do something, so look first.
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

// fault names the file and what was attempted once.
func fault(op, name string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// within is what f gives, if it does so in time.
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
