// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

// mostTries is how often an answer is made again because the store has changed meanwhile.
const mostTries = 3

// answer answers a request. An answer reads the store several times, so it has a tag only if the
// store did not change in between.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, of endpoint, instance string) {
	q := of.ask()
	if err := parse(q.parameters, of.name, r.URL.RawQuery); err != nil {
		s.fail(w, r, err)
		return
	}
	ctx, cancel := s.within(r.Context())
	defer cancel()
	from, is := s.from()
	tagged := func() (string, error) {
		unique, ok := q.depends(from)
		if !ok {
			return "", nil
		}
		revision, err := s.Store.Revision(ctx)
		return newTag(instance, of.name, r.URL.Query().Encode(), unique, revision, is.Generation), err
	}
	for try := 1; ; try++ {
		tag, err := tagged()
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if isFresh(w, r, tag) {
			return
		}
		body, err := written(ctx, q, from)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		after, err := tagged()
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if after == tag || try == mostTries {
			if after != tag {
				tag = ""
			}
			page{contentType: contentType[q.format()], tag: tag, body: body}.write(w, r)
			return
		}
	}
}

func written(ctx context.Context, q *question, from answers.From) ([]byte, error) {
	answer, err := q.answer(ctx, from)
	if err != nil {
		return nil, err
	}
	cell := func(text string) string { return text }
	if q.csvSafe {
		cell = escape.Cell
	}
	var body bytes.Buffer
	err = answer.Write(&body, cell)
	return body.Bytes(), err
}

// contentType is the type of each format.
var contentType = map[string]string{
	answers.JSON:  "application/json",
	answers.CSV:   "text/csv; charset=utf-8; header=present",
	answers.Table: "text/plain; charset=utf-8",
	answers.Text:  "text/plain; charset=utf-8",
}
