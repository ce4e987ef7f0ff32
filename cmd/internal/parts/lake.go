// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/bucket"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
)

// LakeBucket reads where the bucket of a lake is. It opens nothing.
func LakeBucket(c *config.Lake) (*bucket.Config, error) {
	text, err := readfile.All(c.ObjstoreConfigFile, maxFileBytes)
	if err != nil {
		return nil, err
	}
	return bucket.Parse(text, userAgent())
}

// LakePublisher returns who publishes days. It reads the file of the bucket when it opens it, and
// again after each failure, as that has secrets.
func LakePublisher(cfg *config.Config, store lake.Store, spool string, now func() time.Time, log *slog.Logger) *lake.Publisher {
	c := cfg.Lake
	return &lake.Publisher{
		Store: store, Site: c.Site, Timezone: cfg.Timezone, Spool: spool, Now: now, Log: log,
		Open: func() (objstore.Bucket, string, error) {
			at, err := LakeBucket(c)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, "", fmt.Errorf("lake.objstore_config_file: there is no file %s", c.ObjstoreConfigFile)
			}
			if err != nil {
				return nil, "", fmt.Errorf("lake.objstore_config_file: %s: %w", c.ObjstoreConfigFile, err)
			}
			b, err := at.Open()
			return b, at.Place, err
		},
	}
}
