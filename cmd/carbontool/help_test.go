// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

// TestHelp holds every command to a help that a newcomer can use.
func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	all := call("--help")
	for _, c := range commands() {
		name := c.register(kingpin.New("", "")).FullCommand()
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(all.stdout, "\n"+name+" ") {
				t.Error("it is not in the help of the program")
			}
			help := call(append(strings.Fields(name), "--help")...)
			if help.code != exitDone || help.stderr != "" {
				t.Errorf("exit code %d, stderr %q", help.code, help.stderr)
			}
			if !strings.HasPrefix(help.stdout, "usage: carbontool "+name+" ") {
				t.Errorf("begins with %.40q", help.stdout)
			}
			if !strings.Contains(help.stdout, "\nExample:\n\n  carbontool "+name+" ") {
				t.Error("there is no example")
			}
			for line := range strings.Lines(help.stdout) {
				if len(line) > 81 {
					t.Errorf("wider than 80: %s", line)
				}
			}
		})
	}
}

func TestHelpOfACommand(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	called{stdout: `usage: carbontool forget-user [<flags>] <ID>

Remove a person from the store. All totals stay the same.


Flags:
  -h, --[no-]help     Show context-sensitive help (also try --help-long and
                      --help-man).
  -V, --[no-]version  Show application version.
      --config.file="carbon.yml"  
                      Configuration file of carbon_exporter. Without the flag
                      and the file: defaults.
      --storage.path="data/carbon.db"  
                      SQLite file of carbon_exporter's store.
      --[no-]yes      Do not ask for confirmation.

Args:
  <ID>  Id of the user, as in the label user and the table dim_user.

The person's past usage is kept under a random alias, their name and workspaces
are deleted, and their future usage is "unattributed". The file is rewritten
so that its free pages hold no trace; this takes as long as copying the file
and temporarily needs as much free space again. carbon_exporter may run at
the same time. This cannot be undone, so the command first says what there
is of the person, and asks. An id that the store does not know is an error,
before anything is asked or changed.

Example:

  carbontool forget-user alice --storage.path=/var/lib/carbon_exporter/carbon.db
`}.by(t, "forget-user", "--help")
}
