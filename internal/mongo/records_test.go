// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func workspaceNames() (n Names) {
	n.Workspaces.Collection, n.Workspaces.Hostname, n.Workspaces.Owner = "workspaces", "parameters.host", "owner"
	n.Workspaces.Created, n.Workspaces.Acquired, n.Workspaces.Deleted = "created_time", "acquired_time", "deleted_time"
	return n
}

func marshal(t testing.TB, doc any) bson.Raw {
	t.Helper()
	raw, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAFieldInsideAnotherIsFoundByItsDots(t *testing.T) {
	c := newCounter(workspaceNames())
	c.workspace(marshal(t, bson.D{
		{Key: "_id", Value: int64(7)},
		{Key: "parameters", Value: bson.D{{Key: "host", Value: "WS-1:9100"}}},
		{Key: "created_time", Value: time.Unix(1_000_000, 5e8)},
	}))
	census, rejects := c.close()
	if len(rejects) != 0 || len(census.Workspaces) != 1 || census.Workspaces[0].Host != "ws-1" || !census.Workspaces[0].Created.Equal(time.Unix(1_000_000, 0)) {
		t.Errorf("got %+v, %v", census.Workspaces, rejects)
	}
}

func TestNamesThatAreNoText(t *testing.T) {
	for name, text := range map[string]string{
		"invalid UTF-8": "ada\xff", "half a surrogate": "\xed\xa0\x80", "a NUL": "ada\x00bob", "64 KiB": strings.Repeat("a", 64<<10),
	} {
		c := newCounter(workspaceNames())
		c.workspace(marshal(t, bson.D{
			{Key: "_id", Value: 1},
			{Key: "parameters", Value: bson.D{{Key: "host", Value: "h"}}},
			{Key: "created_time", Value: time.Unix(1_000_000, 0)},
			{Key: "owner", Value: text},
		}))
		want := []directory.RecordReject{{Collection: "workspaces", Reason: badText, Count: 1}}
		if census, rejects := c.close(); len(census.Workspaces) != 0 || !slices.Equal(rejects, want) {
			t.Errorf("%s: got %+v, %v", name, census.Workspaces, rejects)
		}
	}
}

func TestLongNamesAreCutAsLabelsAre(t *testing.T) {
	long := strings.Repeat("a", 500)
	n := workspaceNames()
	n.Users.PlatformName = "owner"
	c := newCounter(n)
	doc := marshal(t, bson.D{
		{Key: "_id", Value: 1},
		{Key: "owner", Value: long},
		{Key: "created_time", Value: time.Unix(1_000_000, 0)},
		{Key: "parameters", Value: bson.D{{Key: "host", Value: long + ":9100"}}},
	})
	c.user(doc)
	c.workspace(doc)
	census, rejects := c.close()
	if len(rejects) != 0 || len(census.Workspaces) != 1 || census.Workspaces[0].Owner != usage.Name(long) || census.People[0].ID != usage.Name(long) {
		t.Fatalf("got %+v, %v", census, rejects)
	}
	if got, want := census.Workspaces[0].Host, directory.HostName(usage.HostLabel(long+":9100")); got != want {
		t.Errorf("a series of that host is called %s, the workspace's %s", want, got)
	}
}

func TestAWritersPlaceIsItsServersAndDatabase(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://127.0.0.1:27017": "mongodb/127.0.0.1:27017/usage",
		"mongodb://carbon:hunter2@a.example.org,b.example.org:27018/admin?tls=true": "mongodb/a.example.org,b.example.org:27018/usage",
		"mongodb://carbon:p%40ss@a.example.org/":                                    "mongodb/a.example.org/usage",
	} {
		w, err := OpenWriter(Options{URI: uri, Database: "usage", Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Name(); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSameTextOfTwoTypesIsTwoIDs(t *testing.T) {
	seen := map[string]any{}
	for _, id := range []any{int32(7), int64(7), "7", 7.0, bson.NilObjectID, bson.NilObjectID.Hex(), nil, bson.D{{Key: "a", Value: 7}}} {
		text := identity(marshal(t, bson.D{{Key: "_id", Value: id}}))
		if other, taken := seen[text]; taken {
			t.Errorf("%v and %v are both %s", id, other, text)
		}
		seen[text] = id
	}
}

func TestAMemberMayBeAReferenceToAUser(t *testing.T) {
	n := workspaceNames()
	n.Users.PlatformName, n.Groups.Name, n.Groups.Members = "platform_name", "name", "members"
	c, id := newCounter(n), bson.NewObjectID()
	c.user(marshal(t, bson.D{{Key: "_id", Value: id}, {Key: "platform_name", Value: "ada"}}))
	c.group(marshal(t, bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "g"}, {Key: "members", Value: bson.A{
		bson.D{{Key: "$ref", Value: "users"}, {Key: "$id", Value: id}}, bson.D{{Key: "$id", Value: bson.D{{Key: "$id", Value: id}}}},
	}}}))
	census, rejects := c.close()
	if want := []directory.RecordReject{{Reason: badMember, Count: 1}}; !slices.Equal(census.Groups["g"], []string{"ada"}) || !slices.Equal(rejects, want) {
		t.Errorf("got %v, refused %v", census.Groups, rejects)
	}
}

func TestPipelinesOfAnyShapeAreSearched(t *testing.T) {
	type stage struct {
		Out string `bson:"$out"`
	}
	for _, pipeline := range []any{
		[]stage{{"x"}},
		[]any{map[string]any{"$facet": map[string]any{"a": []any{stage{"x"}}}}},
		bson.A{bson.M{"$merge": bson.M{}}},
		bson.A{marshal(t, stage{"x"})},
	} {
		if _, err := readOnly(pipeline); !errors.Is(err, ErrWrites) {
			t.Errorf("%v: %v", pipeline, err)
		}
	}
	if _, err := readOnly([]bson.D{{{Key: "$match", Value: bson.D{{Key: "name", Value: "$out"}}}}}); err != nil {
		t.Errorf("a value that is called $out: %v", err)
	}
}

// FuzzRecords reads whatever bytes a server could send. What is taken of them can be
// kept: names are bounded and UTF-8, times are in order, nothing is there twice.
func FuzzRecords(f *testing.F) {
	for _, doc := range []bson.D{
		{{Key: "_id", Value: 1}, {Key: "owner", Value: bson.A{1}}},
		{{Key: "_id", Value: "a"}, {Key: "owner", Value: "ada"}, {Key: "name", Value: "Ada"}, {Key: "members", Value: bson.A{"ada", 7, bson.D{{Key: "owner", Value: "bob"}}, nil}}},
		{{Key: "_id", Value: bson.NilObjectID}, {Key: "parameters", Value: bson.D{{Key: "host", Value: "[::1]:9100"}}}, {Key: "created_time", Value: time.Unix(0, 0)}, {Key: "deleted_time", Value: time.Unix(1, 0)}},
		{{Key: "created_time", Value: time.Unix(1<<40, 0)}, {Key: "acquired_time", Value: "2026-01-01"}, {Key: "owner", Value: strings.Repeat("é", 300)}},
		{{Key: "_id", Value: bson.D{{Key: "$numberInt", Value: "7"}}}, {Key: "owner", Value: "a\x00b"}, {Key: "members", Value: "ada"}},
	} {
		f.Add([]byte(marshal(f, doc)))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if bson.Raw(doc).Validate() != nil {
			return // the driver gives no such document
		}
		n := workspaceNames()
		n.Users.PlatformName, n.Users.Name, n.Groups.Name, n.Groups.Members, n.Hosts.Hostname = "owner", "name", "owner", "members", "owner"
		n.Hosts.Project, n.Hosts.Machine = "name", "parameters.host"
		c := newCounter(n)
		for _, read := range []func(bson.Raw){c.user, c.group, c.host, c.workspace, c.user, c.group, c.host, c.workspace} {
			read(doc)
		}
		census, _ := c.close()
		var all []string
		for _, p := range census.People {
			all = append(all, p.ID, p.Name)
		}
		for group, members := range census.Groups {
			all = append(append(all, group), members...)
			if !slices.IsSorted(members) || len(slices.Compact(slices.Clone(members))) != len(members) {
				t.Errorf("members %q", members)
			}
		}
		for _, h := range census.Hosts {
			all = append(all, h.Project, h.Machine)
		}
		for _, w := range census.Workspaces {
			all = append(all, w.Owner)
			if w.Host == "" || len(w.Host) > usage.MaxHost+17 || w.Created.IsZero() || !w.Deleted.IsZero() && w.Deleted.Before(w.Created) {
				t.Errorf("workspace %+v", w)
			}
		}
		for _, text := range all {
			if len(text) > usage.MaxName+17 || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("the name %q", text)
			}
		}
		if len(census.People) > 1 || len(census.Hosts) > 1 {
			t.Errorf("%d people and %d hosts of one document", len(census.People), len(census.Hosts))
		}
	})
}

// BenchmarkWorkspaces reads 100 000 records of workspaces.
func BenchmarkWorkspaces(b *testing.B) {
	docs := make([]bson.Raw, 100_000)
	for i := range docs {
		docs[i] = marshal(b, bson.D{
			{Key: "_id", Value: bson.NewObjectID()},
			{Key: "parameters", Value: bson.D{{Key: "host", Value: fmt.Sprintf("172.16.%d.%d:9100", i/250, i%250)}}},
			{Key: "owner", Value: fmt.Sprint("user-", i%10_000)},
			{Key: "created_time", Value: time.Unix(int64(1e9+i), 0)},
			{Key: "acquired_time", Value: time.Unix(int64(1e9+i+60), 0)},
			{Key: "deleted_time", Value: nil},
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		c := newCounter(workspaceNames())
		for _, doc := range docs {
			c.workspace(doc)
		}
		if census, _ := c.close(); len(census.Workspaces) != len(docs) {
			b.Fatal(len(census.Workspaces))
		}
	}
}
