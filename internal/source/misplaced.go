package source

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// pages are ends of addresses that people copy from a browser, or of the API itself, which the
// url must not have. The longest come first.
var pages = []string{
	"/api/v1/query_range", "/api/v1/query", "/api/v1", "/api", "/classic/graph", "/graph", "/query", "/targets", "/alerts", "/rules",
	"/status", "/config", "/flags", "/tsdb-status", "/service-discovery", "/stores", "/vmui", "/metrics", "/-/ready", "/-/healthy",
}

// misplaced says more of a failure that comes from a url with the path of a page, or of another
// service.
func misplaced(configured *url.URL, err error) error {
	f := usage.FailureOf(err)
	if f == nil {
		return err
	}
	gone := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotAcceptable}
	if !slices.Contains(gone, f.Status) && f.Reason != usage.ReasonMalformed && f.Reason != usage.ReasonRedirect {
		return err
	}
	path := strings.TrimRight(configured.Path, "/")
	for _, page := range pages {
		if base, ok := strings.CutSuffix(path, page); ok {
			right := url.URL{Scheme: configured.Scheme, Host: configured.Host, Path: base}
			f.Cause = fmt.Sprintf("prometheus.url ends with %s, which is a page and not where the API is: remove it, so that the url is %s", page, right.String())
			return err
		}
	}
	if f.Status == http.StatusNotFound || f.Status == http.StatusMethodNotAllowed {
		f.Cause = fmt.Sprintf("%s answers and has no API of Prometheus under %s/api/v1: check the host, the port and the path of prometheus.url, such as /prometheus", configured.Host, path)
	}
	return err
}
