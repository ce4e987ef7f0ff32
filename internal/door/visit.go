// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// visit is a request inside or waiting.
type visit struct {
	client client
	let    chan bool // receives one value: whether it was admitted

	// since is when the client was last offered something that it has not read yet, in
	// nanoseconds since the epoch; 0: it has read everything.
	since atomic.Int64

	mu    sync.Mutex // guards the following, and the deadline
	over  bool       // cut off, or answered
	abort func()     // ends the current write; nil: nothing was written yet
}

func (v *visit) orNil(ok bool) *visit {
	if ok {
		return v
	}
	return nil
}

// stalled returns how long the client has read nothing.
func (v *visit) stalled() time.Duration {
	since := v.since.Load()
	if since == 0 {
		return 0
	}
	return time.Since(time.Unix(0, since))
}

var errCut = errors.New("cut off: this client does not read its answer, and others wait")

// offer sets the deadline of the next write.
func (v *visit) offer(control *http.ResponseController, deadline time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return errCut
	}
	v.abort = func() { control.SetWriteDeadline(time.Unix(1, 0)) } //nolint:errcheck // not every writer has one
	v.since.Store(time.Now().UnixNano())
	if err := control.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// cut ends the current write and prevents later ones.
func (v *visit) cut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.over && v.abort != nil {
		v.abort()
	}
	v.over = true
}

// end means that the request is answered: its writer must not be used any more.
func (v *visit) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
}

// pacedWriter writes in pieces, each of which the client must read in time.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	visit   *visit
	limits  Limits
	began   time.Time // of the first write
	written int
}

// pieceBytes is small enough for a piece's deadline to tell a client that reads from one that
// does not.
const pieceBytes = 64 << 10

func (w *pacedWriter) Write(p []byte) (n int, err error) {
	if w.began.IsZero() {
		w.began = time.Now()
	}
	for {
		piece := p[n:min(n+pieceBytes, len(p))]
		if err := w.visit.offer(w.control, w.deadline(len(piece))); err != nil {
			return n, err
		}
		taken, err := w.ResponseWriter.Write(piece)
		w.visit.since.Store(0)
		n, w.written = n+taken, w.written+taken
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// deadline returns when the client must have read so many more bytes.
func (w *pacedWriter) deadline(more int) time.Time {
	size := time.Duration(w.written + more)
	return w.began.Add(w.limits.Grace + size*time.Second/time.Duration(w.limits.BytesPerSecond))
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
