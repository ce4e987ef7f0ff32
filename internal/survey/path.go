package survey

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// pages are the ends of addresses that people copy from a browser, and of the API itself.
var pages = []string{
	"/graph", "/query", "/targets", "/alerts", "/rules", "/status", "/config", "/flags", "/tsdb-status", "/service-discovery",
	"/stores", "/vmui", "/metrics", "/-/ready", "/-/healthy", "/api/v1/query_range", "/api/v1/query", "/api/v1", "/api", "/classic",
}

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
	base := withoutPages(was)
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

// withoutPages cuts the names of pages off a path: /prometheus/classic/graph is a page of
// /prometheus.
func withoutPages(path string) string {
	for _, page := range pages {
		if base, ok := strings.CutSuffix(path, page); ok {
			return withoutPages(base)
		}
	}
	return path
}
