// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package remote asks the HTTP API of a carbon_exporter, and says what to do where it does not
// answer. It must not know the questions or what their answers mean. Start with Server.Ask.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Server is a carbon_exporter.
type Server struct {
	URL    *url.URL
	Clock  clock.Clock
	client *upstream.Client
}

// New returns the server at an address, as in the browser. Every error is a wrong use.
func New(address string, c promconfig.HTTPClientConfig, by clock.Clock) (*Server, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, commandline.Wrongf("--server: must be a URL such as http://carbon.example.org:9977")
	case u.User != nil:
		// It would be in the shell's history and in the list of processes.
		return nil, commandline.Wrongf("--server: must be without user and password: put basic_auth, with username and password_file, into a file for --http.config.file")
	}
	u.RawQuery, u.Fragment = "", "" // a browser's address of a page has them
	client, err := parts.API(c)
	if err != nil {
		return nil, commandline.Wrongf("--http.config.file: %w", err)
	}
	return &Server{u, by, client}, nil
}

// Ask writes the answer to a question, with the tool's flags as its parameters, as it comes. A server
// that is busy is asked once more, when it says so.
func (s *Server) Ask(ctx context.Context, question string, flags url.Values, out io.Writer) error {
	at := s.URL.JoinPath("api", "v1", question)
	at.RawQuery = flags.Encode()
	body, err := s.get(ctx, at)
	var busy *usage.Failure
	if errors.As(err, &busy) && busy.RetryAfter > 0 {
		s.Clock.Sleep(ctx, busy.RetryAfter, nil)
		body, err = s.get(ctx, at)
	}
	if err != nil {
		return s.failed(err)
	}
	defer body.Close()
	if _, err = io.Copy(out, body); err != nil {
		return s.failed(err)
	}
	return nil
}

func (s *Server) get(ctx context.Context, at *url.URL) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	return s.client.Do(req)
}

// badData is how the server's words on wrong parameters begin, as Prometheus' do.
const badData = "bad_data: "

// failed says what to do.
func (s *Server) failed(err error) error {
	what := "ask " + s.URL.String()
	var f *usage.Failure
	if !errors.As(err, &f) {
		return s.client.Failed(what, err)
	}
	said, isAPI := strings.CutPrefix(f.Detail, badData)
	switch {
	case f.Status == http.StatusBadRequest && isAPI:
		return commandline.Wrongf("%s", said)
	case f.Status == http.StatusNotFound:
		return fmt.Errorf("%s: there is no API at this address: start carbon_exporter with --web.enable-api, and check the path of --server", what)
	case f.Cause != "" && (f.Reason == usage.ReasonAuth || f.Reason == usage.ReasonConnection):
		return fmt.Errorf("%s: %s; HTTP client settings are in the file of --http.config.file", what, f.Cause)
	case f.Cause != "":
		return fmt.Errorf("%s: %s: %s", what, f.Cause, f.Detail)
	}
	return s.client.Failed(what, err)
}
