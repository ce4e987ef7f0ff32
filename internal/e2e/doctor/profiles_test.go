// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// TestEveryProfile: whatever exporter a site has, its machines are found, and nothing that is right
// is called wrong.
func TestEveryProfile(t *testing.T) {
	noon := profiles.Noon
	profiles.Noon = now.Truncate(30 * time.Minute).Add(-2 * time.Hour)
	defer func() { profiles.Noon = noon }()
	for name, made := range map[string]func() *profiles.Site{
		"node_exporter": profiles.NodeExporter, "windows_exporter": profiles.WindowsExporter, "libvirt": profiles.Libvirt,
		"kubernetes": profiles.Kubernetes, "slurm": profiles.Slurm, "proxmox": profiles.Proxmox, "lxd": profiles.LXD,
		"opentelemetry": profiles.OpenTelemetry, "recorded": profiles.Recorded,
	} {
		t.Run(name, func(t *testing.T) {
			site := made()
			e, url := enginetest.Serve(t, engine.Options{})
			if err := site.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			section := ""
			if site.Section != "" {
				section = "  " + strings.ReplaceAll(site.Section, "\n", "\n  ") + "\n"
			}
			r := examine(t, fmt.Sprintf("prometheus:\n  url: %s\n  profile: %s\n%s", url, site.Profile, section), "--only=prometheus")
			r.wants("ok", "newest interval", " 0 interpolated, 0 refused")
			for _, f := range r.Findings {
				// One domain of libvirt's site is in no project, and no site has up.
				if f.Level != "ok" && f.Check != "targets" && !(name == "libvirt" && strings.HasPrefix(f.Check, "label ")) {
					t.Errorf("%s of %s: %s", f.Level, f.Check, f.Seen)
				}
			}
			if r.code != 0 {
				t.Errorf("exit code %d: %s", r.code, r)
			}
		})
	}
}
