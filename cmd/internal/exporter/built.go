// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"runtime/debug"
	"time"

	"github.com/prometheus/common/version"
)

// built returns when the source of this program was committed, or the program built; zero if
// neither is known.
func built() time.Time {
	for _, stamp := range []string{version.BuildDate, vcsTime()} {
		for _, layout := range []string{"20060102-15:04:05", time.RFC3339} {
			if t, err := time.Parse(layout, stamp); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

func vcsTime() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			return s.Value
		}
	}
	return ""
}
