// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"
)

func TestWhereToLook(t *testing.T) {
	said := places("examples/stack", ".stack/carbon.db", time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC))
	for _, line := range []string{
		"http://127.0.0.1:9093/          Alertmanager",
		"http://127.0.0.1:9977/          carbon_exporter",
		"http://127.0.0.1:9100/metrics   node_exporter",
		"its Prometheus is http://127.0.0.1:9090\n",
		"--config.file=examples/stack/carbon.yml --storage.path=.stack/carbon.db --scope group --month 2026-11\n",
	} {
		if !strings.Contains(said, line) {
			t.Errorf("%q is not in %s", line, said)
		}
	}
}
