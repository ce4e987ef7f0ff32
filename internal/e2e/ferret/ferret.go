// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package ferret runs a server that speaks MongoDB's protocol, on loopback and with its own
// SQLite. It knows how FerretDB is embedded; it must not know what it is used for. Start with
// Start.
package ferret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Server is a running server.
type Server struct {
	uri    string
	cancel context.CancelFunc
	ended  chan error
}

// Start starts a server at an address such as 127.0.0.1:0, which stores its data in an existing
// directory.
func Start(address, dir string) (*Server, error) {
	f, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: address}, Handler: "sqlite", SQLiteURL: "file:" + dir + "/",
		Logger: slog.New(slog.DiscardHandler), // it logs every connection
	})
	if err != nil {
		return nil, fmt.Errorf("start ferretdb: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{uri: f.MongoDBURI(), cancel: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- f.Run(ctx) }()
	return s, nil
}

// URI is the server's address.
func (s *Server) URI() string { return s.uri }

// Close ends the server and waits for its end.
func (s *Server) Close() error {
	s.cancel()
	if err := <-s.ended; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
