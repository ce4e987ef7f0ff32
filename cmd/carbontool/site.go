package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	info, err := os.Stat(s.storagePath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open store %s: there is none; --storage.path names it", s.storagePath)
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	case info.Size() == 0:
		return nil, fmt.Errorf("open store %s: is empty, no carbon_exporter has written it; --storage.path names another", s.storagePath)
	}
	o := store.Options{Interval: time.Duration(c.Interval)}
	if s.configGiven {
		o.Timezone = c.Location() // without a file it is what the store has
	}
	return store.Open(ctx, s.storagePath, o)
}
