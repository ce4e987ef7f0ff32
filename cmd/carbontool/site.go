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

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// site is the installation that a command works on, named by the flags of
// carbon_exporter with their defaults.
type site struct {
	configFile  string
	configGiven bool
	storagePath string
}

func (s *site) register(c *kingpin.CmdClause) {
	s.registerConfig(c)
	s.registerStorage(c)
}

// registerFile is for a command that needs the file alone. It takes the other flag
// all the same, so that all commands can be called alike, and reads nothing there.
func (s *site) registerFile(c *kingpin.CmdClause) {
	s.registerStorage(c)
	c.Flag("config.file", "").Hidden().StringVar(&s.configFile)
}

func (s *site) registerStorage(c *kingpin.CmdClause) {
	c.Flag("storage.path", "SQLite file of carbon_exporter's store.").Default("data/carbon.db").StringVar(&s.storagePath)
}

// registerConfig is for a command that has no use for the store.
func (s *site) registerConfig(c *kingpin.CmdClause) {
	c.Flag("config.file", "Configuration file of carbon_exporter. Without the flag and the file: defaults.").
		Default("carbon.yml").IsSetByUser(&s.configGiven).StringVar(&s.configFile)
}

// config reads the configuration; without a file that nobody asked for, defaults.
func (s *site) config() (*config.Config, error) {
	_, err := os.Stat(s.configFile)
	if !s.configGiven && errors.Is(err, fs.ErrNotExist) {
		return config.Parse(s.configFile, nil)
	}
	return config.Load(s.configFile)
}

// open opens the store, also beside a carbon_exporter that uses it. One that is
// not there is an error and is never made: it would be an empty answer to a
// mistyped path.
func (s *site) open(ctx context.Context, c *config.Config) (*store.Store, error) {
	if err := s.there(); err != nil {
		return nil, err
	}
	o := store.Options{Interval: time.Duration(c.Interval)}
	if s.configGiven {
		o.Timezone = c.Location() // without a file it is what the store has
	}
	return store.Open(ctx, s.storagePath, o)
}

// openToRead is open for a command that changes no usage. Unless a configuration was
// named, the store's own intervals and days go.
func (s *site) openToRead(ctx context.Context, c *config.Config) (*store.Store, error) {
	if s.configGiven {
		return s.open(ctx, c)
	}
	if err := s.there(); err != nil {
		return nil, err
	}
	return store.Open(ctx, s.storagePath, store.Options{})
}

// there wants a store to be there that somebody has written.
func (s *site) there() error {
	info, err := os.Stat(s.storagePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open store %s: there is none; --storage.path names it", s.storagePath)
	case err != nil:
		return fmt.Errorf("open store: %w", err)
	case info.Size() == 0:
		return fmt.Errorf("open store %s: is empty, no carbon_exporter has written it; --storage.path names another", s.storagePath)
	}
	return nil
}

// openOrMake is open for a command that may be the first of a newcomer: a store
// that is not there is made, if its directory is. In a dry run it is made elsewhere
// and gone when it is closed.
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
		return nil, false, nil, fmt.Errorf("open store %s: there is none, and no directory %s to make it in; --storage.path names it", s.storagePath, dir)
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
