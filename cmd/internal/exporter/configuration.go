// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// load reads the configuration file. empty means that it sets no key, so that the defaults
// apply, as they do if the default file does not exist.
func load(f flags) (cfg *config.Config, empty bool, err error) {
	var text []byte
	if !absent(f) {
		if text, err = config.Read(f.configFile); err != nil {
			return nil, false, err
		}
	}
	cfg, err = config.Parse(f.configFile, text)
	return cfg, err == nil && config.IsEmpty(text), err
}

// absent reports whether the configuration file is the default one and does not exist.
func absent(f flags) bool {
	_, err := os.Stat(f.configFile)
	return !f.configGiven && errors.Is(err, fs.ErrNotExist)
}

// checkFiles checks the files that a configuration names. Each line of its error begins with
// the configuration's own name.
func checkFiles(f flags, cfg *config.Config) error {
	if err := parts.Check(cfg); err != nil {
		return errors.New(f.configFile + ": " + strings.ReplaceAll(err.Error(), "\n", "\n"+f.configFile+": "))
	}
	return nil
}
