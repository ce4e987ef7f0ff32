// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// usualPatience is for one answer: each is made from memory, and Ask sends at most eight
	// questions.
	usualPatience = 5 * time.Second
	// maxAnswer bounds one answer, in bytes. All flags of a server are 10 kB.
	maxAnswer = 1 << 20
)

// Ask asks for everything in Server. It is an error only if there is no such server: nobody
// answers, or what answers does not have the API.
func (a *Asker) Ask(ctx context.Context) (Server, error) {
	s := Server{}
	if err := a.clock(ctx, &s); err != nil {
		return Server{}, a.Upstream.Failed("ask the server for its time", err)
	}
	flags := a.flags(ctx, &s)
	a.build(ctx, &s, flags)
	a.runtime(ctx, &s, flags)
	a.targets(ctx, &s)
	return s, nil
}

// clock asks for the time of the server. That is also the smallest question, which every server
// with the API can answer: VictoriaMetrics would go back by half a minute without nocache.
func (a *Asker) clock(ctx context.Context, s *Server) error {
	before := a.Now()
	now, err := a.number(ctx, "time()")
	if err != nil {
		return err
	}
	s.Took = a.Now().Sub(before)
	s.SkewWithin = s.Took / 2
	if now == math.Trunc(now) { // VictoriaMetrics knows seconds only
		now += 0.5
		s.SkewWithin += time.Second / 2
	}
	s.Skew = new(time.UnixMilli(int64(now * 1000)).Sub(before.Add(s.Took / 2)).Round(time.Millisecond))
	return nil
}

// build says what the server is. Thanos does not say its name; its versions begin with 0, as no
// Prometheus with this API. VictoriaMetrics gives a version of Prometheus as its own, and is
// known by a page that no other has.
func (a *Asker) build(ctx context.Context, s *Server, flags map[string]string) {
	var b struct {
		Application string `json:"application"`
		Version     string `json:"version"`
		Revision    string `json:"revision"`
		GoVersion   string `json:"goVersion"`
	}
	err := a.status(ctx, "buildinfo", &b)
	built := b.GoVersion != "" || b.Revision != ""
	switch {
	case err == nil && b.Application != "":
		s.Kind, s.Version = Kind(a.Upstream.Text(b.Application)), a.Upstream.Text(b.Version)
	case has(flags, "store.response-timeout", "query.replica-label"), built && len(b.Version) > 1 && b.Version[:2] == "0.":
		s.Kind, s.Version = Thanos, a.Upstream.Text(b.Version)
	case has(flags, "storage.tsdb.path", "storage.agent.path"), built:
		s.Kind, s.Version = Prometheus, a.Upstream.Text(b.Version)
	case a.status(ctx, "active_queries", new(json.RawMessage)) == nil:
		s.Kind, s.Version = VictoriaMetrics, a.label(ctx, "vm_app_version", "short_version")
	}
}

// runtime asks for the retention. Thanos says there what one of its own processes keeps, which
// is not what it can answer.
func (a *Asker) runtime(ctx context.Context, s *Server, flags map[string]string) {
	var r struct {
		StorageRetention string `json:"storageRetention"`
	}
	if s.Kind == Thanos || a.status(ctx, "runtimeinfo", &r) != nil {
		return
	}
	text := r.StorageRetention
	if text == "" {
		text = flags["storage.tsdb.retention.time"]
	}
	s.Retention, s.RetentionText = retention(text), a.Upstream.Text(text)
}

// flags asks for the flags that the server was started with, and reads the limits among them.
func (a *Asker) flags(ctx context.Context, s *Server) map[string]string {
	var flags map[string]string
	if a.status(ctx, "flags", &flags) != nil {
		return nil
	}
	s.MaxSamples = whole(flags["query.max-samples"])
	s.QueryTimeout = duration(flags["query.timeout"])
	s.Lookback = duration(flags["query.lookback-delta"])
	return flags
}

func (a *Asker) targets(ctx context.Context, s *Server) {
	all, err := a.number(ctx, "count(up)")
	if err != nil {
		return
	}
	up, err := a.number(ctx, "count(up == 1)")
	if err == nil {
		s.Targets = &Targets{All: int(all), Up: int(up)}
	}
}

func (a *Asker) status(ctx context.Context, name string, into any) error {
	return a.get(ctx, "api/v1/status/"+name, nil, into)
}

// get asks for the data of one answer.
func (a *Asker) get(ctx context.Context, path string, params url.Values, into any) error {
	return a.getFrom(ctx, a.URL, path, params, into)
}

func (a *Asker) getFrom(ctx context.Context, base *url.URL, path string, params url.Values, into any) error {
	patience := cmp.Or(a.patience, usualPatience)
	limited, done := context.WithTimeout(ctx, patience)
	defer done()
	u := base.JoinPath(path)
	u.RawQuery = params.Encode()
	err := a.exchange(limited, u, into)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return &usage.Failure{
			Reason: usage.ReasonTimeout, Detail: fmt.Sprintf("no complete answer within %s", patience),
			Cause: fmt.Sprintf("%s gave no complete answer within %s", base.Host, patience),
		}
	}
	return err
}

func (a *Asker) exchange(ctx context.Context, u *url.URL, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	body, err := a.Upstream.Do(req)
	if err != nil {
		return err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxAnswer:
		return &usage.Failure{Reason: usage.ReasonLimit, Detail: fmt.Sprintf("the answer has more than %d bytes", maxAnswer)}
	}
	return decode(text, into)
}
