// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path"
	"strings"
)

// change is one difference between a unit of examples/systemd and that of the packages.
type change struct{ from, to string }

// changes of each unit. A package has its programs in /usr/bin, and a user of its own that owns
// the store, so that an operator can let others read it; the examples need no user.
var changes = map[string][]change{
	"carbon_exporter.service": {
		{"/usr/local/bin/", "/usr/bin/"},
		{"--storage.path=${STATE_DIRECTORY}/carbon.db\n", "--storage.path=${STATE_DIRECTORY}/carbon.db $ARGS\n"},
		{"Type=exec\n", "Type=exec\nEnvironmentFile=-/etc/default/carbon_exporter\n"},
		{"DynamicUser=yes\n", "User=carbon_exporter\nGroup=carbon_exporter\n"},
		{"ConfigurationDirectory=carbon_exporter\n", "ConfigurationDirectory=carbon_exporter\nConfigurationDirectoryMode=0750\n"},
		{"Documentation=", "Documentation=man:carbon_exporter(1) "},
	},
	"carbon_exporter-backup.service": {
		{"/usr/local/bin/", "/usr/bin/"},
		{"ReadWritePaths=/var/lib/private/carbon_exporter\n", "ReadWritePaths=/var/lib/carbon_exporter\n"},
		{"Documentation=", "Documentation=man:carbontool(1) "},
	},
	"carbon_exporter-backup.timer": nil,
}

// unit is a unit of examples/systemd as a package has it. A change that no longer applies is an
// error: the example has changed, and the change must, too.
func unit(name string, text []byte) ([]byte, error) {
	all, ok := changes[path.Base(name)]
	if !ok {
		return nil, fmt.Errorf("%s: what a package changes in it is not said", name)
	}
	out := string(text)
	for _, c := range all {
		if strings.Count(out, c.from) != 1 {
			return nil, fmt.Errorf("%s: %q is in it %d times, must be once", name, c.from, strings.Count(out, c.from))
		}
		out = strings.Replace(out, c.from, c.to, 1)
	}
	return []byte(out), nil
}
