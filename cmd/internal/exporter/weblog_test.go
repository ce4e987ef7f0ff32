// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
)

// TestNoValueOfTheWebConfigurationIsShown: not at the start, and not in the log when the
// file goes bad later.
func TestNoValueOfTheWebConfigurationIsShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	const good = "http_server_config: {http2: true}\n"
	write(t, file, good)
	p := start(t, storage(t), "--config.file="+configFile(t, ""), "--web.config.file="+file)
	for _, text := range []string{
		"basic_auth_users: {admin: !!int hunter2}", "basic_auth_users: *hunter2", "basic_auth_users: hunter2",
		"basic_auth_users: {admin: [hunter2]}", "tls_server_config: {key: [hunter2]}", "hunter2", "rate_limit: hunter2",
	} {
		write(t, file, text)
		if err := parts.CheckWebConfig(file); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v", text, err)
		}
		if status, said := ask(t, "GET", p.url+"/metrics"); status != 500 || strings.Contains(said, "hunter") {
			t.Errorf("%s: status %d: %s", text, status, said)
		}
	}
	write(t, file, good)
	p.quit(t)
	if log := p.stderr.String(); strings.Contains(log, "hunter") || !strings.Contains(log, "Unable to parse configuration") {
		t.Errorf("the log: %s", log)
	}
}
