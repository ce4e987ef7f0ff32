// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command oldprometheus is the engine of Prometheus 2.42, the oldest that docs/requirements.md
// names, so that a test can ask it what it asks the newest. It is a module of its own, because a
// program has one Prometheus, and no more of that than is needed: the parser, the engine and the
// TSDB, without scraping and its many clients.
//
// It reads queries from its standard input and writes an answer to each, as lines of JSON, over
// the TSDB in the directory that it is given, which it only reads. With files of rules as further
// arguments it begins with what is wrong with them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Query is PromQL at one time, or in steps up to another. Times are in milliseconds.
type Query struct {
	Expr             string
	Start, End, Step int64
}

// Series is the labels and the values of a series in an answer. Values are text, because JSON has
// no NaN.
type Series struct {
	Metric map[string]string
	Values []string
	Times  []int64
}

// Answer is what the engine says to a query, or why it does not.
type Answer struct {
	Error  string
	Series []Series
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: oldprometheus DIRECTORY [RULES ...] < QUERIES")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oldprometheus:", err)
		os.Exit(1)
	}
}

func run(dir string, rules []string, in io.Reader, out io.Writer) error {
	for _, file := range rules {
		if _, errs := rulefmt.ParseFile(file); len(errs) > 0 {
			return fmt.Errorf("%s: %v", file, errs)
		}
	}
	db, err := tsdb.OpenDBReadOnly(dir, log.NewNopLogger())
	if err != nil {
		return fmt.Errorf("open tsdb in %s: %w", dir, err)
	}
	defer db.Close()
	// A querier reads the write-ahead log: one for all queries.
	whole, err := db.Querier(context.Background(), math.MinInt64, math.MaxInt64)
	if err != nil {
		return fmt.Errorf("read tsdb in %s: %w", dir, err)
	}
	defer whole.Close()
	from := storage.QueryableFunc(func(context.Context, int64, int64) (storage.Querier, error) { return kept{whole}, nil })
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 2 * time.Minute, LookbackDelta: 5 * time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true,
	})
	lines, answers := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	for {
		var q Query
		if err := lines.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a query: %w", err)
		}
		if err := answers.Encode(ask(engine, from, q)); err != nil {
			return err
		}
	}
}

// kept is a querier that stays open from query to query.
type kept struct{ storage.Querier }

func (kept) Close() error { return nil }

func ask(engine *promql.Engine, from storage.Queryable, q Query) Answer {
	start, end := time.UnixMilli(q.Start), time.UnixMilli(q.End)
	var query promql.Query
	var err error
	if q.Step == 0 {
		query, err = engine.NewInstantQuery(from, &promql.QueryOpts{}, q.Expr, end)
	} else {
		query, err = engine.NewRangeQuery(from, &promql.QueryOpts{}, q.Expr, start, end, time.Duration(q.Step)*time.Millisecond)
	}
	if err != nil {
		return Answer{Error: err.Error()}
	}
	defer query.Close()
	result := query.Exec(context.Background())
	if result.Err != nil {
		return Answer{Error: result.Err.Error()}
	}
	var a Answer
	switch value := result.Value.(type) {
	case promql.Matrix:
		for _, series := range value {
			s := Series{Metric: series.Metric.Map()}
			for _, p := range series.Points {
				s.Times, s.Values = append(s.Times, p.T), append(s.Values, text(p.V))
			}
			a.Series = append(a.Series, s)
		}
	case promql.Vector:
		for _, sample := range value {
			a.Series = append(a.Series, Series{Metric: sample.Metric.Map(), Times: []int64{sample.T}, Values: []string{text(sample.V)}})
		}
	case promql.Scalar:
		a.Series = append(a.Series, Series{Times: []int64{value.T}, Values: []string{text(value.V)}})
	default:
		a.Error = fmt.Sprintf("an answer of type %s", result.Value.Type())
	}
	return a
}

func text(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
