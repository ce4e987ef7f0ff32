// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile/readfiletest"
)

func TestArguments(t *testing.T) {
	t.Chdir(t.TempDir()) // where there is no carbon.yml
	good := configFile(t, "")
	bad := configFile(t, "power: {busy_watts: -3}\n")
	garbled := configFile(t, "power: [\n")
	webConfig := filepath.Join(t.TempDir(), "web.yml")
	write(t, webConfig, "basic_auth_users: [\n")
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := readfiletest.Pipe(pipe); err != nil {
		t.Fatal(err)
	}
	named := configFile(t, "")
	write(t, named, "prometheus: {basic_auth: {username: u, password_file: "+pipe+"}}\n")
	mongo := configFile(t, "mongodb: {uri: 'postgres://carbon:hunter2@localhost'}\n")
	for _, test := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // how they begin
	}{
		{"help", []string{"--help"}, exitDone, "usage: carbon_exporter [<flags>]", ""},
		{"version", []string{"--version"}, exitDone, "carbon_exporter, version ", ""},
		{"version wins over a check", []string{"--version", "--config.check"}, exitDone, "carbon_exporter, version ", ""},
		{"unknown flag", []string{"--quiet"}, exitUse, "", "carbon_exporter: unknown long flag '--quiet'; see --help\n"},
		{"a flag without its value", []string{"--config.file"}, exitUse, "", "carbon_exporter: expected argument for flag '--config.file'"},
		{"a word too many", []string{"now"}, exitUse, "", "carbon_exporter: unexpected argument \"now\"; see --help\n"},
		{"unknown log level", []string{"--log.level=loud"}, exitUse, "", "carbon_exporter: --log.level: "},
		{"retention that is no duration", []string{"--storage.retention=long"}, exitUse, "", "carbon_exporter: --storage.retention: "},

		{"check a good file", []string{"--config.check", "--config.file=" + good}, exitDone, good + ": ok\n", ""},
		{"check a bad file", []string{"--config.check", "--config.file=" + bad}, exitUse, "", bad + ":3: power.busy_watts: must be positive, is -3\n"},
		{"check a file that is no YAML", []string{"--config.check", "--config.file=" + garbled}, exitUse, "", garbled + ":"},
		{"check without a file", []string{"--config.check"}, exitDone, "carbon.yml: does not exist; the defaults apply\n", ""},
		{"check a file that is not there", []string{"--config.check", "--config.file=none.yml"}, exitUse, "", "none.yml: open: no such file or directory\n"},
		{"check the default file by name", []string{"--config.check", "--config.file=carbon.yml"}, exitUse, "", "carbon.yml: open: no such file or directory\n"},
		{"a directory", []string{"--config.check", "--config.file=."}, exitUse, "", ".: read: is a directory\n"},
		{"start with a file that is not there", []string{"--config.file=none.yml"}, exitUse, "", "none.yml: open: no such file or directory\n"},
		{"start with a bad file", []string{"--config.file=" + bad}, exitUse, "", bad + ":3: "},
		{"a web configuration that is not there", []string{"--web.config.file=none.yml"}, exitUse, "", "--web.config.file: open none.yml: no such file or directory\n"},
		{"a bad web configuration", []string{"--config.check", "--web.config.file=" + webConfig}, exitUse, "", "--web.config.file: yaml: "},

		{"a pipe", []string{"--config.check", "--config.file=" + pipe}, exitUse, "", pipe + ": read: is a pipe, must be a regular file\n"},
		{"a device", []string{"--config.check", "--config.file=/dev/zero"}, exitUse, "", "/dev/zero: read: is a device, must be a regular file\n"},
		{"start with a pipe", []string{"--config.file=" + pipe}, exitUse, "", pipe + ": read: is a pipe, must be a regular file\n"},
		{"a web configuration that is a pipe", []string{"--web.config.file=" + pipe}, exitUse, "", "--web.config.file: read " + pipe + ": is a pipe, must be a regular file\n"},
		{"check files that the configuration names", []string{"--config.check", "--config.file=" + named}, exitUse, "", named + ": prometheus.basic_auth.password_file: " + pipe + ": read: is a pipe, must be a regular file\n"},
		{"start with a pipe for a password", []string{storage(t), "--log.level=error", "--config.file=" + named}, exitUse, "", "carbon_exporter: " + named + ": prometheus.basic_auth.password_file: " + pipe + ": read: is a pipe"},
		{"check a bad address of MongoDB", []string{"--config.check", "--config.file=" + mongo}, exitUse, "", mongo + ": mongodb.uri: the address is not a valid mongodb://"},
		{"start with a bad address of MongoDB", []string{storage(t), "--log.level=error", "--config.file=" + mongo}, exitUse, "", "carbon_exporter: " + mongo + ": mongodb: the address is not a valid mongodb://"},

		{"metrics at no path", []string{"--web.telemetry-path="}, exitUse, "", `carbon_exporter: --web.telemetry-path: must start with / and name a page, is ""; see --help` + "\n"},
		{"metrics at the root", []string{"--web.telemetry-path=/"}, exitUse, "", "carbon_exporter: --web.telemetry-path: must start with / and name a page"},
		{"metrics without a slash", []string{"--web.telemetry-path=metrics"}, exitUse, "", "carbon_exporter: --web.telemetry-path: must start with / and name a page"},
		{"metrics at a pattern", []string{"--web.telemetry-path=/{x}"}, exitUse, "", "carbon_exporter: --web.telemetry-path: must be a plain path"},
		{"metrics at half a pattern", []string{"--web.telemetry-path=/m{"}, exitUse, "", "carbon_exporter: --web.telemetry-path: must be a plain path"},
		{"metrics with a query", []string{"--web.telemetry-path=/m?x=1"}, exitUse, "", "carbon_exporter: --web.telemetry-path: must be a plain path"},
		{"metrics where nobody gets", []string{"--web.telemetry-path=/a/../m"}, exitUse, "", "carbon_exporter: --web.telemetry-path: must be a plain path"},
		{"metrics in place of the configuration", []string{"--web.telemetry-path=/config"}, exitUse, "", "carbon_exporter: --web.telemetry-path: /config is used by another page"},
		{"metrics in place of quit", []string{"--web.telemetry-path=/-/quit"}, exitUse, "", "carbon_exporter: --web.telemetry-path: /-/quit is used by another page"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := Run(test.args, &stdout, &stderr); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, out := range []struct{ name, got, want string }{
				{"stdout", stdout.String(), test.stdout}, {"stderr", stderr.String(), test.stderr},
			} {
				if !strings.HasPrefix(out.got, out.want) || out.want == "" && out.got != "" {
					t.Errorf("%s is %q, want it to begin with %q", out.name, out.got, out.want)
				}
			}
			if n := strings.Count(stderr.String(), "\n"); test.code != exitDone && n != 1 {
				t.Errorf("%d lines on stderr: %s", n, &stderr)
			}
		})
	}
}

// TestHelpNamesEveryFlag holds the flags that users rely on.
func TestHelpNamesEveryFlag(t *testing.T) {
	var help bytes.Buffer
	if code := Run([]string{"--help"}, &help, &help); code != exitDone {
		t.Fatalf("exit code %d", code)
	}
	for _, flag := range []string{
		`--config.file="carbon.yml"`, "--[no-]config.check", `--storage.path="data/carbon.db"`, `--storage.retention="0"`,
		"--web.listen-address=:9977", `--web.telemetry-path="/metrics"`, `--web.config.file=""`, "--[no-]web.enable-lifecycle",
		"--[no-]collector.workspace", "--log.level=info", "--log.format=logfmt", "--[no-]version", "--[no-]help",
	} {
		if !strings.Contains(help.String(), flag) {
			t.Errorf("--help does not have %s:\n%s", flag, &help)
		}
	}
}
