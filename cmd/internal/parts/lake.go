// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"github.com/carbon-exporter/carbon_exporter/internal/config"
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
