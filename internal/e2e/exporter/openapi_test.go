// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	openapi "github.com/pb33f/libopenapi-validator/config"
	described "github.com/pb33f/libopenapi-validator/errors"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// description is docs/api/openapi.yml, which answers are held against.
type description struct {
	t *testing.T
	validator.Validator
}

// readDescription reads the file, which must be valid itself.
func readDescription(t *testing.T) description {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "api", "openapi.yml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc, openapi.WithFormatAssertions())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		t.Fatalf("the file is not valid OpenAPI:\n%s", sayAll(errs))
	}
	return description{t, v}
}

func sayAll(errs []*described.ValidationError) string {
	var out strings.Builder
	for _, e := range errs {
		out.WriteString(e.Error() + "\n")
		for _, s := range e.SchemaValidationErrors {
			out.WriteString("  " + s.Error() + "\n")
		}
	}
	return out.String()
}

// request is a question to the API.
type request struct {
	method, path string
	status       int    // of the answer
	with         string // a header, such as "If-None-Match: tag"
}

// ask asks, and holds the answer against the description; the question too, if it is answered.
func (d description) ask(p *program, q request) (header http.Header, body []byte) {
	d.t.Helper()
	r, err := http.NewRequest(q.method, p.URL+q.path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if name, value, given := strings.Cut(q.with, ": "); given {
		r.Header.Set(name, value)
	}
	if p.request != nil && q.status != http.StatusUnauthorized {
		p.request(r)
	}
	answer, err := p.client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		d.t.Fatal(err)
	}
	if answer.StatusCode != q.status {
		d.t.Errorf("%s %s: status %d, want %d: %s", q.method, q.path, answer.StatusCode, q.status, body)
		return answer.Header, body
	}
	check := d.ValidateHttpResponse
	if answer.StatusCode < 400 {
		check = d.ValidateHttpRequestResponse
	}
	if ok, errs := check(r, answerOf(answer, body)); !ok {
		d.t.Errorf("%s %s, status %d, is not as it is described:\n%s%s", q.method, q.path, q.status, sayAll(errs), body)
	}
	return answer.Header, body
}

// answerOf is an answer with a body that can be read again.
func answerOf(of *http.Response, body []byte) *http.Response {
	again := *of
	again.Body = io.NopCloser(bytes.NewReader(body))
	return &again
}

// TestAnswersAreAsDescribed: what the program answers is what docs/api/openapi.yml says.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	d := readDescription(t)
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 2*time.Hour)
	where := settings{
		prometheus: serve(t, s.engine.Handler()).URL,
		intensity: "  uk: {url: " + uk.URL + "}\n" +
			"  also: [{name: lifecycle, basis: {signal: average, emissions: lifecycle, electricity: consumption}, sources: [{static: {gco2eq_per_kwh: 130, grid: GB}}]}]",
		more: "budgets:\n" +
			"  - {name: clf, scope: project, target: CLF, period: month, kwh: 10}\n" +
			"  - {name: site, scope: site, period: year, kgco2eq: 5}\n",
	}.place(t, over)
	p := start(t, append(where.args(), "--web.enable-api")...)
	p.becomesWhole(over)
	p.says(0, "carbon_intensity_best_window_start_timestamp_seconds", "window", "3h")

	from, to := over.first.Format(time.RFC3339), over.end.Format(time.RFC3339)
	ranged, at := "?from="+from+"&to="+to, "?ts="+over.first.Format(time.RFC3339)
	until := "until=" + usage.SlotAt(time.Now()).Add(5*time.Hour).UTC().Format(time.RFC3339)
	for _, path := range []string{
		"report", "report" + ranged, "report" + ranged + "&format=csv", "report" + ranged + "&format=table",
		"report" + ranged + "&scope=site&by=day&equivalents=true", "report" + ranged + "&scope=user&top=1&by=month",
		"report" + ranged + "&scope=machine&factors=true&by=day", "report" + ranged + "&scope=group", "report?from=2020-01-01&to=2020-01-02",
		"explain" + at + "&project=CLF", "explain" + at + "&project=CLF&format=text", "explain?ts=2020-01-01&project=CLF", "explain?ts=now&project=CLF",
		"forecast", "forecast?window=6h&format=text", "forecast?window=1h&" + until, "forecast?window=6h&" + until,
		"budgets", "budgets?format=csv", "budgets?format=table&csv-safe=false",
		"intervals", "intervals" + ranged + "&state=settled&state=missing", "intervals?format=table",
		"openapi.yml",
	} {
		path = "/api/v1/" + path
		header, body := d.ask(p, request{http.MethodGet, path, 200, ""})
		d.ask(p, request{http.MethodHead, path, 200, ""})
		// Of the others the store may have changed meanwhile.
		if tag := header.Get("ETag"); tag != "" && strings.Contains(path, "/openapi.yml") {
			d.ask(p, request{http.MethodGet, path, 304, "If-None-Match: " + tag})
		}
		d.mustNotice(p, path, header, body)
	}
	for path, status := range map[string]int{
		"report?scope=team": 400, "report?from=1971&by=day": 422, "explain?project=CLF": 400, "explain?ts=" + from + "&project=Nobody": 404,
		"forecast?window=1m": 400, "forecast?until=1970": 400, "budgets?top=1": 400, "intervals?state=done": 400,
	} {
		d.ask(p, request{http.MethodGet, "/api/v1/" + path, status, ""})
	}
}

// mustNotice asks no more: the description refuses the answer as soon as a field more is in it.
func (d description) mustNotice(p *program, path string, header http.Header, body []byte) {
	d.t.Helper()
	i := bytes.IndexByte(body, '{')
	if header.Get("Content-Type") != "application/json" || i < 0 {
		return
	}
	r, err := http.NewRequest(http.MethodGet, p.URL+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	more := bytes.Join([][]byte{body[:i+1], []byte(`"more": 1, `), body[i+1:]}, nil)
	if ok, _ := d.ValidateHttpResponse(r, answerOf(&http.Response{StatusCode: http.StatusOK, Header: header, Request: r}, more)); ok {
		d.t.Errorf("%s: a field that is not described goes unnoticed", path)
	}
}

// TestEmptyAnswersAreAsDescribed: those of a store that has nothing, behind a password.
func TestEmptyAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	d := readDescription(t)
	dead := serve(t, http.NotFoundHandler()).URL
	where := settings{prometheus: dead, uk: dead}.place(t, spanOf(30*time.Minute, 2*time.Hour))
	web := filepath.Join(filepath.Dir(where.config), "web.yml")
	write(t, web, "basic_auth_users: {reader: '"+hash+"'}\n")
	p := start(t, append(where.args(), "--web.enable-api", "--web.config.file="+web)...)
	p.request = func(r *http.Request) { r.SetBasicAuth("reader", password) }
	for path, status := range map[string]int{
		"report": 200, "report?scope=user&by=day": 200, "budgets": 200, "intervals": 200, "forecast": 503, "explain?ts=-1h&project=CLF": 404, "explain": 400,
	} {
		d.ask(p, request{http.MethodGet, "/api/v1/" + path, status, ""})
		d.ask(p, request{http.MethodGet, "/api/v1/" + path, http.StatusUnauthorized, ""})
	}
}
