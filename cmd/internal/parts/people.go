// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
)

// newAttribution makes the rules for a directory. A directory that was never read knows nobody.
func newAttribution(c config.Attribution) func(directory.Directory) ingest.Attribution {
	rules := attribution.Rules{GroupBy: attribution.GroupBy(c.GroupBy), Groups: map[string]string{}}
	for _, g := range c.Groups {
		for _, p := range g.Projects {
			rules.Groups[p] = g.Name
		}
	}
	return func(d directory.Directory) ingest.Attribution {
		by := rules
		if !d.AsOf.IsZero() {
			by.Directory = attribution.NewIndex(d)
		}
		return by
	}
}

// minKeyBytes is the shortest key for pseudonyms: with a shorter one, somebody who
// knows the users' ids could try all keys.
const minKeyBytes = 16

// Labels returns how users appear outside the store. It reads the key's file.
func Labels(c config.Attribution) (privacy.Labels, error) {
	l := privacy.Labels{Mode: privacy.Mode(c.UserLabel), MaxUsers: c.MaxUsers}
	if l.Mode != privacy.Pseudonym {
		return l, nil
	}
	key, err := readfile.All(c.PseudonymKeyFile, maxFileBytes)
	if err != nil {
		return l, fmt.Errorf("pseudonym_key_file: %w", err)
	}
	if len(key) < minKeyBytes {
		return l, fmt.Errorf("pseudonym_key_file: %s has %d bytes, but needs at least %d; create one with: head -c 32 /dev/urandom", c.PseudonymKeyFile, len(key), minKeyBytes)
	}
	l.Key = key
	return l, nil
}
