// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package examples holds the files of examples/ to the tools and types that they
// are made for. Those of carbon_exporter itself are loaded by internal/config.
package examples

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

const root = "../../.."

func example(name string) string { return filepath.Join(root, "examples", name) }

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// quiet wants a tool to have nothing to say about its arguments.
func quiet(t *testing.T, cmd *exec.Cmd, success string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil || success != "" && !strings.Contains(string(out), success) || success == "" && len(out) > 0 {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
}

func TestPrometheusTakesTheScrapeConfigurations(t *testing.T) {
	promtool := built.Program(t, "promtool")
	// Beside them lies what the operator has: a password and a certificate.
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example("prometheus"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"carbon_password": []byte("change me\n"), "ca.pem": certificate(t)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"prometheus.yml", "prometheus-secured.yml", "site.yml", "central.yml", "ha.yml"} {
		quiet(t, exec.Command(promtool, "check", "config", "--lint=all", filepath.Join(dir, name)), "SUCCESS")
	}
	quiet(t, exec.Command(promtool, "check", "rules", "--lint=all", filepath.Join(dir, "rules-upstream.yml")), "SUCCESS")
	quiet(t, exec.Command(promtool, "check", "web-config", webConfig(t)), "SUCCESS")
}

func TestSystemdTakesTheUnits(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("there is no systemd-analyze here: the units are only read")
	}
	dir := t.TempDir()
	var units []string
	for _, path := range glob(t, "systemd/*") {
		text := string(read(t, path))
		for _, program := range []string{"carbon_exporter", "carbontool"} {
			text = strings.ReplaceAll(text, "/usr/local/bin/"+program, built.Program(t, program))
		}
		unit := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		units = append(units, unit)
		if !strings.Contains(text, "[Unit]\nDescription=") {
			t.Errorf("%s has no description", path)
		}
	}
	if verify != "" {
		quiet(t, exec.Command(verify, append([]string{"verify", "--man=no"}, units...)...), "")
	}
}

func TestComposeTakesItsFile(t *testing.T) {
	path := example("compose/compose.yml")
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  filepath.Dir(path),
		ConfigFiles: []types.ConfigFile{{Filename: path, Content: read(t, path)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range project.Services {
		if service.Image == "" || strings.HasSuffix(service.Image, ":latest") && service.Build == nil {
			t.Errorf("%s has no pinned image, %q", name, service.Image)
		}
		for _, v := range service.Volumes {
			if v.Type == types.VolumeTypeBind {
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s mounts %v", name, err)
				}
			}
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(example(pattern))
	if err == nil && len(paths) == 0 {
		err = errors.New("none")
	}
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	return paths
}

// webConfig is examples/tls/web.yml with a certificate beside it.
func webConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cert, key := pair(t)
	for name, text := range map[string][]byte{"web.yml": read(t, example("tls/web.yml")), "carbon.pem": cert, "carbon.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "web.yml")
}
