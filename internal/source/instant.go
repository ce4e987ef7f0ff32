// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

// Value is one series of the answer to an instant query. It may be NaN or infinite.
type Value struct {
	Labels map[string]string
	Value  float64
}

// Instant evaluates an expression of a person at one time. A number that belongs to no series is
// one Value without labels. An answer that may be incomplete is an error.
func (c *Client) Instant(ctx context.Context, expr string, at time.Time) ([]Value, error) {
	form := url.Values{"query": {expr}, "time": {queryTime(at)}, "nocache": {"1"}, "partial_response": {"false"}}
	body, err := c.send(ctx, "api/v1/query", form)
	var values []Value
	if err == nil {
		values, err = decodeInstant(body)
		body.Close()
	}
	return values, c.Upstream.Failed("query "+expr, err)
}

// decodeInstant reads an answer of query that has one value for each series. All of it has the
// limit of one series of a matrix.
// Format: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
func decodeInstant(r io.Reader) ([]Value, error) {
	d := newDecoder(r)
	var data struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	}
	err := d.object(func(name string) error {
		if name != "data" {
			return d.member(name)
		}
		raw, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, &data)
	})
	if err == nil {
		err = d.whole()
	}
	if err != nil {
		return nil, malformed("answer of the query", err)
	}
	values, err := instants(data.Type, data.Result)
	return values, malformed("answer of the query", err)
}

func instants(kind string, result json.RawMessage) ([]Value, error) {
	switch kind {
	case "scalar":
		var v numberAt
		err := json.Unmarshal(result, &v)
		return []Value{{Value: float64(v)}}, err
	case "vector":
		var all []struct {
			Metric map[string]string `json:"metric"`
			Value  *numberAt         `json:"value"`
		}
		if err := json.Unmarshal(result, &all); err != nil {
			return nil, err
		}
		values := make([]Value, 0, len(all))
		for _, one := range all {
			if one.Value == nil {
				return nil, errors.New("has a series without a number, such as a histogram")
			}
			values = append(values, Value{one.Metric, float64(*one.Value)})
		}
		return values, nil
	}
	return nil, fmt.Errorf("must be a number, or one number for each series, but is a %q", kind)
}

// numberAt is a time and a number in quotes.
type numberAt float64

// UnmarshalJSON reads the pair.
func (v *numberAt) UnmarshalJSON(text []byte) error {
	var pair []json.RawMessage
	var quoted string
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return errors.New("must have a time and a value")
	}
	if err := json.Unmarshal(pair[1], &quoted); err != nil {
		return err
	}
	number, err := strconv.ParseFloat(quoted, 64)
	*v = numberAt(number)
	return err
}
