package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// projects lists the values of the project label in the time of a table. It
// reads the index, not samples, so that it works where the queries are too large.
func (c *Client) projects(ctx context.Context, t *table) ([]string, error) {
	u := c.URL.JoinPath("api/v1/label", url.PathEscape(c.Query.Labels.Project), "values")
	u.RawQuery = url.Values{
		"match[]": {c.Query.projectsSelector()},
		"start":   {seconds(t.pieces[0].Start)},
		"end":     {seconds(t.pieces[len(t.pieces)-1].End())},
	}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	body, err := c.Upstream.Do(req)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	defer body.Close()
	var answer struct {
		Status   string   `json:"status"`
		Data     []string `json:"data"`
		Warnings []string `json:"warnings"`
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("list projects: %w", &usage.Failure{Reason: usage.ReasonMalformed, Err: err})
	}
	if answer.Status != "success" || len(answer.Warnings) > 0 {
		return nil, fmt.Errorf("list projects: %w", &usage.Failure{Reason: usage.ReasonPartial, Detail: fmt.Sprintf("status %q with %d warnings", cut(answer.Status), len(answer.Warnings))})
	}
	return answer.Data, nil
}

func isTooLarge(err error) bool {
	var f *usage.Failure
	return errors.As(err, &f) && f.TooLarge
}

func isPermanent(err error) bool {
	var f *usage.Failure
	return errors.As(err, &f) && f.Permanent
}
