// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package ferrettest serves MongoDB's protocol to one test. It knows documents by their
// collection and must not know what they mean. Start with Serve.
package ferrettest

import (
	"context"
	"testing"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret"
)

// Serve starts a server whose database ada holds documents, by collection, and returns its
// address. It ends with the test.
func Serve(t testing.TB, collections map[string][]any) (uri string) {
	t.Helper()
	server, err := ferret.Start("127.0.0.1:0", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := driver.Connect(options.Client().ApplyURI(server.URI()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(context.Background()) //nolint:errcheck // the server ends, too
	ada := client.Database("ada")
	for name, documents := range collections {
		if err := ada.CreateCollection(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if len(documents) == 0 {
			continue
		}
		if _, err := ada.Collection(name).InsertMany(t.Context(), documents); err != nil {
			t.Fatal(err)
		}
	}
	return server.URI()
}
