// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
)

// start runs the program until the returned function is called, which gives
// what the run ended with. The addresses are those of its ready lines.
func start(t *testing.T, s settings) (ready map[string]string, end func() error) {
	t.Helper()
	s.prometheus, s.uk = "127.0.0.1:0", "127.0.0.1:0"
	parts := 2
	if s.mongodb != "" {
		parts++
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, s, write)
		write.CloseWithError(err)
		ended <- err
	}()
	lines := bufio.NewScanner(read)
	ready = map[string]string{}
	for len(ready) < parts && lines.Scan() {
		if line, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			what, url, _ := strings.Cut(line, " ")
			ready[what] = url
		}
	}
	if len(ready) < parts {
		t.Fatalf("it is not ready: %v, %v", ready, lines.Err())
	}
	return ready, func() error { cancel(); return <-ended }
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: http status %d: %v", url, response.StatusCode, err)
	}
}

func TestSimcloudServesHistoryAndEndsCleanly(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ready, end := start(t, settings{days: 1, every: time.Minute, hosts: 3, seed: 1})

	var count struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	getJSON(t, ready["prometheus"]+"/api/v1/query?query=count(count_over_time(up[1d])>100)", &count)
	if len(count.Data.Result) != 1 {
		t.Errorf("no host was up: %+v", count)
	}
	now := time.Now().UTC()
	var intensity struct{ Data []any }
	getJSON(t, fmt.Sprintf("%s/intensity/%s/fw24h", ready["uk"], now.Format("2006-01-02T15:04Z")), &intensity)
	if len(intensity.Data) == 0 {
		t.Error("no intensity")
	}

	if err := end(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// With a MongoDB it is the records that say whose the hosts are.
func TestSimcloudHandsHostsOut(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ready, end := start(t, settings{days: 1, every: time.Minute, hosts: 24, seed: 1, mongodb: "127.0.0.1:0"})

	var count struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	// How many are up depends on the hour.
	getJSON(t, ready["prometheus"]+"/api/v1/query?query=count(up{user=''})>(count(up{user!=''})+or+vector(0))", &count)
	if len(count.Data.Result) != 1 {
		t.Errorf("most series have a label user, or none is there: %+v", count)
	}
	reader, err := mongo.Open(mongo.Options{URI: ready["mongodb"], Database: "ada", Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for collection, least := range map[string]int64{"workspaces": 8, "users": 40, "groups": 5, "hosts": 8} {
		if n, err := reader.Count(t.Context(), collection, nil, nil); err != nil || n < least {
			t.Errorf("there are %d %s, %v", n, collection, err)
		}
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

func TestSimcloudKeepsTheDataItWasGivenAPlaceFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	s := settings{days: 1, every: time.Minute, hosts: 2, seed: 1, data: dir}
	_, end := start(t, s)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if log, err := os.ReadDir(filepath.Join(dir, "wal")); err != nil || len(log) == 0 {
		t.Errorf("kept %v, %v", log, err)
	}
	s.prometheus, s.uk = "127.0.0.1:0", "127.0.0.1:0"
	if err := run(context.Background(), s, io.Discard); err == nil || err.Error() != "data: "+dir+" is not empty" {
		t.Errorf("a second run in the same place ends with %v", err)
	}
}

func TestSimcloudRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		s    settings
		want string
	}{
		{"no hosts", settings{days: 1, every: time.Minute}, "simulate: hosts must be 1 to 24402, is 0"},
		{"an address that is none", settings{prometheus: "nowhere"}, "prometheus: listen tcp: address nowhere: missing port in address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.s.prometheus == "" {
				tc.s.prometheus = "127.0.0.1:0"
			}
			tc.s.uk = "127.0.0.1:0"
			if err := run(context.Background(), tc.s, io.Discard); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestSimcloudRefusesAnAddressThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := settings{days: 1, every: time.Minute, hosts: 1, prometheus: "127.0.0.1:0", uk: "127.0.0.1:0", mongodb: taken.Addr().String()}
	err = run(t.Context(), s, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "mongodb: ") || !strings.HasSuffix(err.Error(), "address already in use") {
		t.Errorf("got %v", err)
	}
}
