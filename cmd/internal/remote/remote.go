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
	"regexp"
	"strings"
	"time"

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

// patience is how long a server that is busy may make us wait.
const patience = 30 * time.Second

// Ask writes the answer to a question, with the tool's flags as its parameters, as it comes. A server
// that is busy is asked once more, when it says so.
func (s *Server) Ask(ctx context.Context, question string, flags url.Values, out io.Writer) error {
	at := s.URL.JoinPath("api", "v1", question)
	at.RawQuery = flags.Encode()
	body, err := s.get(ctx, at)
	var busy *usage.Failure
	if errors.As(err, &busy) && busy.RetryAfter > 0 && busy.RetryAfter <= patience {
		s.Clock.Sleep(ctx, busy.RetryAfter, nil)
		body, err = s.get(ctx, at)
	}
	if err != nil {
		return s.failed(flags, err)
	}
	defer body.Close()
	if _, err = io.Copy(out, body); err != nil {
		return s.failed(flags, err)
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

// refusal is how the API says no: with a type, as Prometheus does, and why.
var refusal = regexp.MustCompile(`(?s)^(bad_data|not_found|timeout|unavailable|internal): (.*)$`)

// failed says what to do. What the API says of a flag is a wrong use, as it is without a server; a name
// that nobody has seen, too.
func (s *Server) failed(flags url.Values, err error) error {
	what := "ask " + s.URL.String()
	var f *usage.Failure
	if !errors.As(err, &f) {
		return s.client.Failed(what, err)
	}
	switch said := refusal.FindStringSubmatch(f.Detail); {
	case said != nil:
		flag, _, _ := strings.Cut(said[2], ":")
		switch {
		case flags.Has(flag):
			return commandline.Wrongf("--%s", said[2])
		case f.Status == http.StatusBadRequest:
			return commandline.Wrongf("%s", said[2])
		}
		return fmt.Errorf("%s: %s", what, said[2])
	case f.Status == http.StatusNotFound:
		return fmt.Errorf("%s: there is no API at this address: carbon_exporter has one with --web.enable-api; check the version of the server and the path of --server", what)
	case f.Reason == usage.ReasonAuth, f.Reason == usage.ReasonConnection && strings.Contains(f.Cause, "tls_config"):
		return fmt.Errorf("%s: %s, in the file of --http.config.file", what, f.Cause)
	case f.Cause != "":
		return fmt.Errorf("%s: %s", what, f.Cause)
	}
	return s.client.Failed(what, err)
}
