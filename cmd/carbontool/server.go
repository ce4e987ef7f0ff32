// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/url"
	"slices"

	"github.com/alecthomas/kingpin/v2"
	promconfig "github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/remote"
)

// serverFlags say which carbon_exporter a command asks, instead of the store.
type serverFlags struct {
	server     string // empty: none
	given      bool   // by its flag, not by the environment
	clientFile string
}

// byAPI is a command that can ask the HTTP API of a carbon_exporter.
type byAPI interface {
	// ask does what run does. The flags are those of the command that were given.
	ask(ctx context.Context, s streams, from *remote.Server, flags url.Values) error
}

const (
	serverFlag = "server"
	clientFlag = "http.config.file"
)

func (f *serverFlags) register(app *kingpin.Application) {
	app.Flag(serverFlag, "URL of a carbon_exporter with --web.enable-api to ask, instead of a store on this machine.").
		PlaceHolder("URL").Envar("CARBON_EXPORTER_SERVER").IsSetByUser(&f.given).StringVar(&f.server)
	app.Flag(clientFlag, "File with Prometheus' HTTP client settings for the server to ask, such as basic_auth and tls_config.").
		PlaceHolder("FILE").StringVar(&f.clientFile)
}

// local are the flags of a store on this machine.
var local = []string{"config.file", "storage.path"}

// instead returns what asks the server in place of the command, or nil if the command runs here. A
// server of the environment is only for what can ask it: the others always run here.
func (f *serverFlags) instead(c command, flags url.Values, s streams) (func(context.Context, streams) error, error) {
	i := slices.IndexFunc(local, flags.Has)
	able, can := c.(byAPI)
	switch {
	case f.server == "" || !f.given && (!can || i >= 0):
		if _, asks := c.(*initialise); f.clientFile != "" && !asks {
			return nil, commandline.Wrongf("--%s: is for a server, and none is asked: add --%s", clientFlag, serverFlag)
		}
		return nil, nil
	case !can:
		return nil, commandline.Wrongf("--%s: only report, explain, intervals, forecast, budgets and gate can ask a server; run this on the host of carbon_exporter, without --%[1]s", serverFlag)
	case i >= 0:
		return nil, commandline.Wrongf("--%s: is of a store on this machine; leave it out, or leave out --%s", local[i], serverFlag)
	}
	client := promconfig.DefaultHTTPClientConfig
	if f.clientFile != "" {
		var err error
		if client, err = readClient(f.clientFile); err != nil {
			return nil, commandline.Wrongf("--%s: %s: %w", clientFlag, f.clientFile, err)
		}
	}
	server, err := remote.New(f.server, client, s.time())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, s streams) error { return able.ask(ctx, s, server, flags) }, nil
}

// withFormat adds the format that the command has without the flag: that of the API may be another.
func withFormat(flags url.Values, format string) url.Values {
	flags.Set("format", format)
	return flags
}
