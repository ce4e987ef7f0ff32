// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Projects lists the values of the project label in a period. The server reads its index for
// that, not samples, so it works even if the queries are too large.
func (c *Client) Projects(ctx context.Context, p usage.Period) ([]string, error) {
	projects, err := c.valuesOf(ctx, c.Query.Labels.Project, c.Query.projectsSelector(), p)
	return projects, c.Upstream.Failed("list projects", err)
}

// valuesOf lists the values of a label of some series in a period.
func (c *Client) valuesOf(ctx context.Context, label, selector string, p usage.Period) ([]string, error) {
	u := c.URL.JoinPath("api/v1/label", url.PathEscape(model.EscapeName(label, model.ValueEncodingEscaping)), "values")
	u.RawQuery = url.Values{
		"match[]": {selector},
		"start":   {queryTime(p.From)},
		"end":     {queryTime(p.To)},
	}.Encode()
	return c.listed(ctx, u)
}

func (c *Client) listed(ctx context.Context, u *url.URL) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	body, err := c.Upstream.Do(req)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return decodeProjects(body)
}

// decodeProjects reads an answer of label values. A missing list is an error, not an empty
// list: the usage of all projects would be lost.
func decodeProjects(r io.Reader) ([]string, error) {
	d := newDecoder(r)
	var projects []string
	listed := false
	err := d.object(func(name string) error {
		if name != "data" {
			return d.member(name)
		}
		listed = d.json.PeekKind() == '['
		return d.texts(func(project string) {
			if project != "" {
				projects = append(projects, project)
			}
		})
	})
	if err == nil {
		err = d.whole()
	}
	if err == nil && !listed {
		err = errors.New("has no list")
	}
	return projects, malformed("answer of label values", err)
}
