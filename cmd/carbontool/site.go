// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// site is the installation that a command works on, given by the same flags and defaults as
// carbon_exporter's.
type site struct {
	configFile  string
	configGiven bool
	storagePath string
}

func (s *site) register(c *kingpin.CmdClause) {
	s.registerConfig(c)
	s.registerStorage(c)
}

// registerFile is for a command that needs only the store. It also accepts the other flag, and
// ignores it, so that all commands can be called alike.
func (s *site) registerFile(c *kingpin.CmdClause) {
	s.registerStorage(c)
	c.Flag("config.file", "").Hidden().StringVar(&s.configFile)
}

func (s *site) registerStorage(c *kingpin.CmdClause) {
	c.Flag("storage.path", "SQLite file of carbon_exporter's store.").Default("data/carbon.db").StringVar(&s.storagePath)
}

// registerConfig is for a command that does not need the store.
func (s *site) registerConfig(c *kingpin.CmdClause) {
	c.Flag("config.file", "Configuration file of carbon_exporter. Without the flag and the file: defaults.").
		Default("carbon.yml").IsSetByUser(&s.configGiven).StringVar(&s.configFile)
}

// config reads the configuration file. If the default file does not exist, it returns the
// defaults.
func (s *site) config() (*config.Config, error) {
	_, err := os.Stat(s.configFile)
	if !s.configGiven && errors.Is(err, fs.ErrNotExist) {
		return config.Parse(s.configFile, nil)
	}
	return config.Load(s.configFile)
}

// open opens the store for writing, even beside a running carbon_exporter. A store that does
// not exist is an error and is never created: for a mistyped path it would be an empty answer.
func (s *site) open(ctx context.Context, c *config.Config) (*store.Store, error) {
	if err := s.there(); err != nil {
		return nil, err
	}
	o := s.options(c)
	o.Interval = time.Duration(c.Interval) // in any case: new intervals get this length
	return store.Open(ctx, s.storagePath, o)
}

// openToRead opens the store for a command that only reads: at once, without a lock, and even
// if nothing can be written. Unless a configuration file was given, the store's own interval
// length and time zone apply.
func (s *site) openToRead(ctx context.Context, c *config.Config) (*store.Store, error) {
	if err := s.there(); err != nil {
		return nil, err
	}
	return store.OpenToRead(ctx, s.storagePath, s.options(c))
}

// options are the settings to compare with the store.
func (s *site) options(c *config.Config) store.Options {
	if !s.configGiven {
		return store.Options{}
	}
	return store.Options{Interval: time.Duration(c.Interval), Timezone: c.Location()}
}

// there checks that a store exists and is not empty.
func (s *site) there() error {
	info, err := os.Stat(s.storagePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open store %s: there is no such file; set --storage.path", s.storagePath)
	case err != nil:
		return fmt.Errorf("open store: %w", err)
	case info.Size() == 0:
		return fmt.Errorf("open store %s: is empty; no carbon_exporter has written to it; check --storage.path", s.storagePath)
	}
	return nil
}

// openOrMake is open for a command that may be run before any other: it creates a store that
// does not exist, if its directory does. In a dry run it creates the store elsewhere, and
// closing deletes it.
func (s *site) openOrMake(ctx context.Context, c *config.Config, dry bool) (st *store.Store, isNew bool, closeStore func() error, err error) {
	if _, err := os.Stat(s.storagePath); !errors.Is(err, fs.ErrNotExist) {
		st, err := s.open(ctx, c)
		if err != nil {
			return nil, false, nil, err
		}
		return st, false, st.Close, nil
	}
	dir, path := filepath.Dir(s.storagePath), s.storagePath
	if _, err := os.Stat(dir); err != nil {
		return nil, false, nil, fmt.Errorf("open store %s: there is no such file, and no directory %s to create it in; check --storage.path", s.storagePath, dir)
	}
	clean := func() error { return nil }
	if dry {
		if dir, err = os.MkdirTemp("", "carbontool"); err != nil {
			return nil, false, nil, err
		}
		path, clean = filepath.Join(dir, "carbon.db"), func() error { return os.RemoveAll(dir) }
	}
	st, err = store.Open(ctx, path, store.Options{Interval: time.Duration(c.Interval), Timezone: c.Location()})
	if err != nil {
		return nil, false, nil, errors.Join(err, clean())
	}
	return st, true, func() error { return errors.Join(st.Close(), clean()) }, nil
}

// from is what answers are made from.
func from(c *config.Config, st *store.Store, now time.Time) answers.From {
	return answers.From{Config: c, Store: st, Now: now, Grids: func() (parts.Grids, error) { return parts.NewGrids(c, time.Now) }}
}
