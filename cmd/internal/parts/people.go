package parts

import (
	"fmt"
	"os"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// newAttribution makes rules by a directory; one that was never read knows
// nobody.
func newAttribution(c config.Attribution) func(usage.Directory) ingest.Attribution {
	rules := attribution.Rules{GroupBy: attribution.GroupBy(c.GroupBy), Groups: map[string]string{}}
	for _, g := range c.Groups {
		for _, p := range g.Projects {
			rules.Groups[p] = g.Name
		}
	}
	return func(d usage.Directory) ingest.Attribution {
		by := rules
		if !d.AsOf.IsZero() {
			by.Directory = attribution.NewIndex(d)
		}
		return by
	}
}

// minKeyBytes is the least that a key of pseudonyms must have: with less,
// somebody who knows the users' ids could try all keys.
const minKeyBytes = 16

// Labels says how users appear outside the store. The file of the key is read.
func Labels(c config.Attribution) (privacy.Labels, error) {
	l := privacy.Labels{Mode: privacy.Mode(c.UserLabel), MaxUsers: c.MaxUsers}
	if l.Mode != privacy.Pseudonym {
		return l, nil
	}
	key, err := os.ReadFile(c.PseudonymKeyFile)
	if err != nil {
		return l, fmt.Errorf("pseudonym_key_file: %w", err)
	}
	if len(key) < minKeyBytes {
		return l, fmt.Errorf("pseudonym_key_file: %s holds %d bytes, must be at least %d; make one with: head -c 32 /dev/urandom", c.PseudonymKeyFile, len(key), minKeyBytes)
	}
	l.Key = key
	return l, nil
}
