// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "regexp"

// Lake is where settled days are published as Parquet.
type Lake struct {
	ObjstoreConfigFile string `yaml:"objstore_config_file"` // as Thanos reads it: type, config, prefix
	Site               string `yaml:"site"`                 // the name of this store in the bucket
}

// siteForm is as internal/lake has it: the name is part of paths.
var siteForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func (l *Lake) validate(f *faults) {
	if l.ObjstoreConfigFile == "" {
		f.key("lake.objstore_config_file", "must be given: the file that says where the bucket is, as Thanos reads it")
	}
	switch {
	case l.Site == "":
		f.key("lake.site", "must be given: the name of this site in the bucket; no other exporter may have the same")
	case !siteForm.MatchString(l.Site):
		f.key("lake.site", "must have up to 63 letters, digits, '.', '_' and '-', and begin with a letter or digit, is %q", l.Site)
	}
}
