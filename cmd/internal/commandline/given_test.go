// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package commandline

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

func TestGiven(t *testing.T) {
	app := kingpin.New("tool", "")
	app.Flag("server", "").String()
	c := app.Command("report", "")
	c.Flag("from", "").Default("today").Envar("REPORT_FROM").String()
	c.Flag("names", "").Default("true").Bool()
	c.Flag("state", "").Strings()
	for _, test := range []struct {
		name, args string
		want       url.Values
	}{
		{"nothing", "report", url.Values{}},
		{"values, with = and without", "report --from=-1h --state a --state=b", url.Values{"from": {"-1h"}, "state": {"a", "b"}}},
		{"a time in the past, without =", "report --from -1h", url.Values{"from": {"-1h"}}},
		{"a switch", "report --names", url.Values{"names": {"true"}}},
		{"a switch that is off", "report --no-names", url.Values{"names": {"false"}}},
		{"flags of the program, before and after", "--server=a report --from=b", url.Values{"from": {"b"}}},
		{"flags of the program after the command", "report --server a --from=b", url.Values{"from": {"b"}}},
		{"no command", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Given(app, strings.Fields(test.args)); !reflect.DeepEqual(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
