// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package answers answers the questions that carbontool and the HTTP API share, so that their
// numbers cannot differ: one file for each question. A question has the names of the tool's flags,
// and an answer writes itself in every format. The package must not know flags, requests or files.
// Start with Report.Answer.
package answers

import (
	"fmt"
	"io"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// From is what answers are made from.
type From struct {
	Config *config.Config
	Store  *store.Store
	Now    time.Time
	// Grids are the sources of carbon intensity of the configuration.
	Grids func() (parts.Grids, error)
	// Users are how people are shown; nil: by id, all of them.
	Users Users
}

// Zone is the time zone of the store, which is the one of every answer.
func (f From) Zone() *time.Location { return f.Store.Timezone() }

// TooMuch is an answer that would be larger than who asks allows.
type TooMuch struct{ error }

func tooMuchf(format string, args ...any) error { return TooMuch{fmt.Errorf(format, args...)} }

// Answer is the answer to a question, in the format that was asked for.
type Answer interface {
	// Write writes it. The function makes a cell of CSV from a text.
	Write(out io.Writer, cell func(string) string) error
}

// The formats of answers; each question lists its own.
const (
	Table = "table"
	Text  = "text"
	CSV   = "csv"
	JSON  = "json"
)

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
