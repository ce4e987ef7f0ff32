// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongodb

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// proxy passes bytes on between clients and the server, until it is told to cut
// every connection after so many bytes of answers, or to pass none on.
type proxy struct {
	listener net.Listener
	most     atomic.Int64 // bytes of answers of one connection; 0: all
	silent   atomic.Bool
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{listener: l}
	server := host(t)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.pass(client, server)
		}
	}()
	return p
}

func host(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func (p *proxy) pass(client net.Conn, server string) {
	defer client.Close()
	up, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer up.Close()
	go func() { io.Copy(up, client); up.Close() }()
	var passed int64
	buffer := make([]byte, 4096)
	for {
		n, err := up.Read(buffer)
		if err != nil {
			return
		}
		if p.silent.Load() {
			continue
		}
		passed += int64(n)
		if most := p.most.Load(); most > 0 && passed > most {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) through(o *mongo.Options) {
	u, _ := url.Parse(o.URI)
	u.Host = p.listener.Addr().String()
	o.URI = u.String()
}

func reason(err error) string {
	if f := usage.FailureOf(err); f != nil {
		return f.Reason
	}
	return ""
}

func TestAServerThatDiesInMidCursorGivesNoCensus(t *testing.T) {
	rig := newRig(t)
	var docs []any
	for n := range 4000 {
		docs = append(docs, d("_id", n, "hostname", "h"+strings.Repeat("x", 200), "created_time", created))
	}
	rig.insert("workspaces", docs...)
	p := newProxy(t)
	patient := func(o *mongo.Options) { o.Timeout = time.Minute } // the race detector makes FerretDB slow
	reader := rig.reader(p.through, patient)
	if census, _, err := reader.Census(t.Context(), names()); err != nil || len(census.Workspaces) != 4000 {
		t.Fatalf("the proxy does not pass on: %d workspaces, %v", len(census.Workspaces), err)
	}
	p.most.Store(100_000)
	census, rejects, err := rig.reader(p.through, patient).Census(t.Context(), names())
	if reason(err) != usage.ReasonConnection || len(census.Workspaces) != 0 || rejects != nil {
		t.Errorf("got %d workspaces, %v, %v", len(census.Workspaces), rejects, err)
	}
}

// quick is a deadline for tests that run into it.
func quick(o *mongo.Options) { o.Timeout = 300 * time.Millisecond }

func TestAServerThatStopsIsLeftAtTheDeadline(t *testing.T) {
	rig := newRig(t)
	rig.insert("users", d("_id", 1, "platform_name", "ada"))
	p := newProxy(t)
	reader := rig.reader(p.through, quick)
	if err := reader.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.silent.Store(true)
	_, _, err := reader.Census(t.Context(), names())
	if r := reason(err); r != usage.ReasonTimeout && r != usage.ReasonConnection {
		t.Errorf("got %v", err)
	}
}

func TestWhatNobodyAnswersSaysSoWithoutTheSecret(t *testing.T) {
	rig := newRig(t)
	for _, tc := range []struct{ name, uri, want string }{
		{"refused", "mongodb://carbon:hunter2@127.0.0.1:1/?authSource=admin", usage.ReasonConnection},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reader := rig.reader(quick, func(o *mongo.Options) { o.URI = tc.uri })
			err := reader.Ping(t.Context())
			if reason(err) != tc.want || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, uri := range []string{"", "localhost:27017", "mongodb://carbon:hunter2@", "http://carbon:hunter2@localhost"} {
		if _, err := mongo.Open(mongo.Options{URI: uri, Database: "ada", Timeout: time.Second}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestTheCallersOwnEndIsNobodysFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := newRig(t).reader().Census(ctx, names()); reason(err) != "" || err == nil {
		t.Errorf("got %v", err)
	}
}
