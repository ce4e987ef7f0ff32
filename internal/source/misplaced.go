// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

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
	path, page := usage.CutPage(configured.Path)
	if page != "" {
		right := url.URL{Scheme: configured.Scheme, Host: configured.Host, Path: path}
		f.Cause = fmt.Sprintf("prometheus.url ends with %s, which is a page and not where the API is: remove it, so that the url is %s", page, right.String())
		return err
	}
	if f.Status == http.StatusNotFound || f.Status == http.StatusMethodNotAllowed {
		f.Cause = fmt.Sprintf("%s answers and has no API of Prometheus under %s/api/v1: check the host, the port and the path of prometheus.url, such as /prometheus", configured.Host, path)
	}
	return err
}
