// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"log"
	"log/slog"
	"strings"
)

// StandardLog sends the lines of the standard logger to l, until restore is called. The HTTP
// clients of net/http write there, and nowhere else, when a server breaks the protocol on an
// idle connection. Such a line quotes the server, so it is cut where the quote begins.
func StandardLog(l *slog.Logger) (restore func()) {
	flags, before := log.Flags(), log.Writer()
	log.SetFlags(0)
	log.SetOutput(lines{l})
	return func() {
		log.SetFlags(flags)
		log.SetOutput(before)
	}
}

type lines struct{ log *slog.Logger }

func (w lines) Write(line []byte) (int, error) {
	text, _, _ := strings.Cut(string(line), `"`)
	w.log.Warn("A server or client broke the HTTP protocol", "reason", new(Scrubber).Text(text))
	return len(line), nil
}
