// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// decode reads the data of an answer of the API. VictoriaMetrics says ok for success.
func decode(text []byte, into any) error {
	var answer struct {
		Status string          `json:"status"`
		Data   json.RawMessage `json:"data"`
	}
	switch err := json.Unmarshal(text, &answer); {
	case err != nil && bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")):
		return malformed("the answer is a web page, not one of the API")
	case err != nil:
		return malformed("the answer is not one of the API: " + err.Error())
	case answer.Status != "success" && answer.Status != "ok":
		return malformed("the answer does not say success")
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		return malformed("the answer is not one of the API: " + err.Error())
	}
	return nil
}

func malformed(detail string) error {
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: detail}
}

// result is the data of an answer about a query.
type result struct {
	Type   string          `json:"resultType"`
	Result json.RawMessage `json:"result"`
}

type instant struct {
	Metric map[string]string `json:"metric"`
	Value  value             `json:"value"`
}

// value is a time and a number in quotes.
type value float64

func (v *value) UnmarshalJSON(text []byte) error {
	var pair []json.RawMessage
	var quoted string
	err := json.Unmarshal(text, &pair)
	if err == nil && len(pair) != 2 {
		err = errors.New("must be a time and a value")
	}
	if err == nil {
		err = json.Unmarshal(pair[1], &quoted)
	}
	if err != nil {
		return err
	}
	number, err := strconv.ParseFloat(quoted, 64)
	if err == nil && (math.IsNaN(number) || math.IsInf(number, 0)) {
		err = errors.New("must be a number")
	}
	*v = value(number)
	return err
}

func (a *Asker) query(ctx context.Context, base *url.URL, query string) ([]instant, error) {
	var r result
	if err := a.getFrom(ctx, base, "api/v1/query", url.Values{"query": {query}, "nocache": {"1"}}, &r); err != nil {
		return nil, err
	}
	if r.Type == "scalar" {
		var v value
		err := json.Unmarshal(r.Result, &v)
		if err != nil {
			return nil, malformed("the answer is not one of the API: " + err.Error())
		}
		return []instant{{Value: v}}, nil
	}
	var all []instant
	if err := json.Unmarshal(r.Result, &all); err != nil {
		return nil, malformed("the answer is not one of the API: " + err.Error())
	}
	return all, nil
}

// number is the answer to a query that gives one number. A count of nothing is 0.
func (a *Asker) number(ctx context.Context, query string) (float64, error) {
	all, err := a.query(ctx, a.URL, query)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return float64(all[0].Value), nil
}

// label is a label of the first series of a query; empty: not known.
func (a *Asker) label(ctx context.Context, query, name string) string {
	all, err := a.query(ctx, a.URL, "topk(1, "+query+")")
	if err != nil || len(all) == 0 {
		return ""
	}
	return a.Upstream.Text(all[0].Metric[name])
}

// retention is the time in a text such as 15d, or 15d or 512MiB; 0: none.
func retention(text string) time.Duration {
	for part := range strings.SplitSeq(text, " or ") {
		if d := duration(part); d > 0 {
			return d
		}
	}
	return 0
}

func duration(text string) time.Duration {
	d, err := model.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return 0
	}
	return time.Duration(d)
}

func whole(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func has(flags map[string]string, names ...string) bool {
	for _, name := range names {
		if _, ok := flags[name]; ok {
			return true
		}
	}
	return false
}
