// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// prefixes are where the API is on servers that do not have it at the root.
var prefixes = []string{"/prometheus", "/select/0/prometheus", "/api/prom"}

// Instead returns the address, on the same server, at which there is the API, if the configured
// one has a page's path, or lacks a usual prefix; nil: none was found. It tells apart the wrong
// path and a server that is away.
func (a *Asker) Instead(ctx context.Context) *url.URL {
	for _, path := range others(a.URL.Path) {
		other := *a.URL
		other.Path, other.RawPath, other.RawQuery, other.Fragment = path, "", "", ""
		if _, err := a.query(ctx, &other, "time()"); err == nil {
			return &other
		}
	}
	return nil
}

// others are paths to try instead of one, the likely ones first.
func others(path string) []string {
	was := strings.TrimRight(path, "/")
	base, _ := usage.CutPage(was)
	some := []string{base, ""}
	for _, prefix := range prefixes {
		some = append(some, base+prefix)
	}
	var all []string
	for _, p := range some {
		if p != was && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}
