// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// hostName is directory.HostName without its allocation for labels that are already in that
// spelling: it is called for every sample.
func hostName(label string) string {
	if label == "" || label[len(label)-1] == '.' {
		return directory.HostName(label)
	}
	for i := range len(label) {
		switch c := label[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		default:
			return directory.HostName(label)
		}
	}
	return label
}
