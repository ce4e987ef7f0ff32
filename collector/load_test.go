// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"
)

// eventually polls for at most a minute, which only a machine with much else to do
// needs.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%s: not within a minute\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// leakless fails the test if goroutines are left at its end.
func leakless(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
}

func status(t *testing.T, client *http.Client, url string) int {
	resp, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
	return resp.StatusCode
}

// TestCrowd lets a thousand scrapes and new snapshots run into each other.
func TestCrowd(t *testing.T) {
	leakless(t)
	e := exposition(day())
	server := httptest.NewServer(e)
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 200
	var crowd sync.WaitGroup
	start := make(chan struct{})
	for range 100 {
		crowd.Go(func() {
			<-start
			for range 10 {
				if code := status(t, client, server.URL); code != http.StatusOK {
					t.Errorf("status %d", code)
				}
			}
		})
	}
	crowd.Go(func() {
		<-start
		for range 20 {
			e.Show(usageOf(day()))
		}
	})
	close(start)
	crowd.Wait()
	if code := status(t, client, server.URL); code != http.StatusOK {
		t.Errorf("a scrape afterwards: status %d", code)
	}
	server.Close()
}
