package collector

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
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

// TestThousandScrapesAtOnce: 40 of them wait inside, the other 960 are sent away
// at once, and when the 40 are done the next is served again.
func TestThousandScrapesAtOnce(t *testing.T) {
	leakless(t)
	gate := make(chan struct{})
	inside := make(chan struct{}, 2*maxScrapes)
	e := exposition(day())
	e.Live = prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		inside <- struct{}{}
		<-gate
		return nil, nil
	})
	server := httptest.NewServer(e)
	defer server.Close()
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 100

	var first, rest sync.WaitGroup
	codes := make(chan int, maxScrapes)
	for range maxScrapes {
		first.Go(func() { codes <- status(t, client, server.URL) })
	}
	for range maxScrapes {
		<-inside
	}
	for range 16 { // that many connections at a time
		rest.Go(func() {
			for range (1000 - maxScrapes) / 16 {
				if code := status(t, client, server.URL); code != http.StatusServiceUnavailable {
					t.Errorf("a scrape beyond the limit: status %d", code)
				}
			}
		})
	}
	rest.Wait()
	if n := len(inside); n > 0 {
		t.Errorf("%d more were let in", n)
	}
	close(gate)
	first.Wait()
	close(codes)
	for code := range codes {
		if code != http.StatusOK {
			t.Errorf("a scrape within the limit: status %d", code)
		}
	}
	if code := status(t, client, server.URL); code != http.StatusOK {
		t.Errorf("a scrape afterwards: status %d", code)
	}
	server.Close()
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
				if code := status(t, client, server.URL); code != http.StatusOK && code != http.StatusServiceUnavailable {
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

// TestScrapersThatDoNotRead: as many as are let in ask for a page too large for
// any socket buffer and read nothing. Others get a 503; when they hang up, all
// is well again.
func TestScrapersThatDoNotRead(t *testing.T) {
	leakless(t)
	large := prometheus.NewRegistry()
	large.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "carbon_large", Help: strings.Repeat("x", 12<<20)}))
	e := NewExposition(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	e.Show(large)
	server := httptest.NewServer(e)
	defer server.Close()
	address := server.Listener.Addr().String()

	var readers []net.Conn
	for range maxScrapes {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		readers = append(readers, conn)
		if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: "+address+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all slow readers are inside", func() bool { return len(e.scrapes) == maxScrapes })
	if code := status(t, server.Client(), server.URL); code != http.StatusServiceUnavailable {
		t.Errorf("one more: status %d", code)
	}
	for _, conn := range readers {
		conn.Close()
	}
	eventually(t, "the places are free again", func() bool { return len(e.scrapes) == 0 })
	if code := status(t, server.Client(), server.URL); code != http.StatusOK {
		t.Errorf("when they have hung up: status %d", code)
	}
	server.Close()
}
