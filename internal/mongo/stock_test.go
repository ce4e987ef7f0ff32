// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"reflect"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func stockNames() (n Names) {
	n.Workspaces.Collection, n.Users.Collection, n.Groups.Collection, n.Hosts.Collection = "workspaces", "users", "groups", "hosts"
	return n
}

// stocked answers with these collections, of seven records each.
func stocked(collections ...string) *server {
	return &server{answer: func(command bson.Raw) bson.D {
		if command.Index(0).Key() == "listCollections" {
			var docs []bson.D
			for _, name := range collections {
				docs = append(docs, bson.D{{Key: "name", Value: name}, {Key: "type", Value: "collection"}})
			}
			return batchOf(command, 0, docs...)
		}
		return bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: 7}}
	}}
}

func TestStock(t *testing.T) {
	for _, test := range []struct {
		name        string
		collections []string
		want        Stock
	}{
		{"what is configured, and more", []string{"users", "vms", "system.views", "workspaces"}, Stock{Collections: map[string]int64{"users": 7, "workspaces": 7}, Others: []string{"vms"}}},
		{"nothing", nil, Stock{Collections: map[string]int64{}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readerOf(t, stocked(test.collections...).start(t), "", "").Stock(t.Context(), stockNames())
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestStockOfWhomTheServerRefuses(t *testing.T) {
	s := &server{answer: func(bson.Raw) bson.D { return refusal(13, "Unauthorized", "not authorized on ada to hunter2") }}
	_, err := readerOf(t, s.start(t), "", "").Stock(t.Context(), stockNames())
	f := usage.FailureOf(err)
	if f == nil || f.Reason != usage.ReasonAuth || !strings.Contains(err.Error(), "code 13 (Unauthorized)") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
