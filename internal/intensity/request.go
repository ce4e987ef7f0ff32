// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strconv"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxAnswer bounds an answer, in bytes. A year of quarter hours by type of generation is a third of
// that.
const maxAnswer = 32 << 20

// get returns the body of a successful answer.
func get(ctx context.Context, upstream Doer, address string, header http.Header) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		// The text of err has the URL, and a URL may have a password.
		return nil, &usage.Failure{Reason: usage.ReasonBadRequest, Permanent: true, Detail: "the configured url is not valid"}
	}
	req.Header.Set("Accept", "application/json")
	maps.Copy(req.Header, header)
	body, err := upstream.Do(req)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxAnswer {
		return nil, &usage.Failure{Reason: usage.ReasonLimit, Detail: "the answer has more than " + strconv.Itoa(maxAnswer) + " bytes"}
	}
	return text, nil
}
