package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// soon is a deadline for tests that run into it, late one for those that must not.
const (
	soon = 100 * time.Millisecond
	late = 30 * time.Second
)

// noon is when the intervals of the tests begin, noonEnd where the first ends.
var (
	noon     = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	noonEnd  = noon.Add(30 * time.Minute).Unix()
	halfHour = []usage.Interval{{Start: noon, Length: 30 * time.Minute}}
)

func question() Query {
	return Query{
		Metric: "node_cpu_seconds_total", Matchers: `job="node"`,
		Labels:    Labels{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user"},
		BusyModes: []string{"user", "nice", "system", "irq", "softirq"}, IdleModes: []string{"idle", "iowait"},
	}
}

// server is a Prometheus whose answers are set by kind of question. What is
// not set is answered with nothing.
type server struct {
	busy, idle, capacity, onceBusy, onceIdle, projects http.HandlerFunc

	mu    sync.Mutex
	asked []string // the queries, and "projects"
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, answer := r.FormValue("query"), s.projects
	switch {
	case strings.HasSuffix(r.URL.Path, "/values"):
		query = "projects"
	case strings.Contains(query, partLabel):
		answer = s.capacity
	case strings.Contains(query, "max by") && strings.Contains(query, `"user|`):
		answer = s.onceBusy
	case strings.Contains(query, "max by"):
		answer = s.onceIdle
	case strings.Contains(query, `"user|`):
		answer = s.busy
	default:
		answer = s.idle
	}
	s.mu.Lock()
	s.asked = append(s.asked, query)
	s.mu.Unlock()
	if answer == nil {
		answer = says(matrix())
	}
	answer(w, r)
}

// client asks the server through everything that is between them in use.
func (s *server) client(t testing.TB) *Client {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return clientOf(t, web.URL)
}

func clientOf(t testing.TB, address string) *Client {
	t.Helper()
	h, err := upstream.NewHTTPClient(config.DefaultHTTPClientConfig, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{
		Upstream: &upstream.Client{HTTP: h, UserAgent: "carbon_exporter/test", Timeout: late, MaxBytes: 1 << 28},
		URL:      u, Query: question(),
	}
}

// says answers 200 with a text, status another with it.
func says(text string) http.HandlerFunc { return status(http.StatusOK, text) }

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
}

// matrix is a good answer of the given series.
func matrix(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

// host is a series with one point, at the end of the half hour. value is as in
// JSON, without quotes.
func host(name, value string) string {
	return series(name, "", fmt.Sprintf(`[%d,"%s"]`, noonEnd, value))
}

func part(name, what, value string) string {
	return series(name, fmt.Sprintf(`,"%s":"%s"`, partLabel, what), fmt.Sprintf(`[%d,"%s"]`, noonEnd, value))
}

func series(name, moreLabels, points string) string {
	return fmt.Sprintf(`{"metric":{"cloud_project_name":"ISIS","machine_name":"Muon","instance":"%s","user":"ada"%s},"values":[%s]}`, name, moreLabels, points)
}

// sample is what the source makes of host in both modes.
func sample(name string, busy, idle usage.CPUSeconds) usage.Sample {
	return usage.Sample{
		Series: usage.Series{Project: "ISIS", Machine: "Muon", Host: name, User: "ada"},
		CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: busy, Idle: idle},
	}
}

// failure reads what is expected to fail, and sees that nothing is returned.
func failure(t *testing.T, c *Client, run []usage.Interval) (*usage.Failure, error) {
	t.Helper()
	readings, rejects, err := c.Read(t.Context(), run)
	var f *usage.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v and error %v, want a failure", readings, err)
	}
	if readings != nil || rejects != nil {
		t.Errorf("returns %v and %v beside its error", readings, rejects)
	}
	if len(err.Error()) > 2000 || strings.Contains(err.Error(), "\n") {
		t.Errorf("an error is for one line of a log: %d bytes, %.300q", len(err.Error()), err)
	}
	return f, err
}

// read reads one half hour that is expected to be good.
func read(t *testing.T, s *server) (usage.Reading, usage.Rejects) {
	t.Helper()
	readings, rejects, err := s.client(t).Read(t.Context(), halfHour)
	if err != nil || len(readings) != 1 {
		t.Fatalf("got %d readings, %v", len(readings), err)
	}
	return readings[0], rejects
}
