// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "strings"

// pages are ends of addresses that people copy from a browser, or of the API itself, which the
// address of a Prometheus must not have. The longest come first.
var pages = []string{
	"/api/v1/query_range", "/api/v1/query", "/api/v1", "/api", "/classic/graph", "/graph", "/query", "/targets", "/alerts", "/rules",
	"/status", "/config", "/flags", "/tsdb-status", "/service-discovery", "/stores", "/vmui", "/metrics", "/-/ready", "/-/healthy", "/classic",
}

// CutPage cuts the name of a page off the path of a server's address: /prometheus/classic/graph is
// a page of /prometheus. page is "" if there is none.
func CutPage(path string) (base, page string) {
	path = strings.TrimRight(path, "/")
	for _, end := range pages {
		if rest, ok := strings.CutSuffix(path, end); ok {
			base, page = CutPage(rest)
			return base, page + end
		}
	}
	return path, ""
}
