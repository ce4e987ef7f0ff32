package exporter

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkDay is a day of 1 000 hosts and 600 keys, from an upstream that
// answers at once to committed rows, in the real program: its CPU seconds, its
// largest resident memory, and what it keeps when it is idle.
func BenchmarkDay(b *testing.B) {
	program := filepath.Join(b.TempDir(), "carbon_exporter")
	if out, err := exec.Command("go", "build", "-o", program, "../../carbon_exporter").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	server := httptest.NewServer(http.HandlerFunc(answerDay))
	defer server.Close()
	for b.Loop() {
		dir := b.TempDir()
		config := filepath.Join(dir, "carbon.yml")
		if err := os.WriteFile(config, fmt.Appendf(nil,
			"prometheus: {url: %s, lag: 0s}\ncarbon_intensity: {provider: static}\n", server.URL), 0o600); err != nil {
			b.Fatal(err)
		}
		port := freePort(b)
		cmd := exec.Command(program, "--config.file="+config, "--storage.path="+filepath.Join(dir, "carbon.db"),
			"--web.listen-address="+port)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		waitForDay(b, "http://"+port+"/metrics")
		idle := restingMB(b, cmd.Process.Pid)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
		used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		b.ReportMetric(cpu.Seconds(), "cpu-s/day")
		b.ReportMetric(float64(used.Maxrss)/1024, "max-rss-MB")
		b.ReportMetric(idle, "idle-rss-MB")
	}
}

// answerDay answers query_range for 1 000 hosts of 600 users, compressed as
// Prometheus does.
func answerDay(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	first, _ := strconv.ParseFloat(r.Form.Get("start"), 64)
	last, _ := strconv.ParseFloat(r.Form.Get("end"), 64)
	step, _ := strconv.ParseFloat(r.Form.Get("step"), 64)
	idle := strings.Contains(r.Form.Get("query"), "idle")
	var body bytes.Buffer
	body.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for host := range 1000 {
		if strings.Contains(r.Form.Get("query"), "carbon_exporter_part") {
			break
		}
		key := host % 600
		fmt.Fprintf(&body, `%s{"metric":{"cloud_project_name":"project-%d","machine_name":"machine-%d","instance":"10.0.%d.%d:9100","user":"user-%d"},"values":[`,
			map[bool]string{true: ",", false: ""}[host > 0], key%10, key%7, host/250, host%250, key)
		for at := first; at <= last; at += step {
			v := 3000 + float64(host)*1.234567 + at/1e6
			if idle {
				v = 14400 - v
			}
			fmt.Fprintf(&body, `%s[%.0f,"%.9f"]`, map[bool]string{true: ",", false: ""}[at > first], at, v)
		}
		body.WriteString("]}")
	}
	body.WriteString("]}}")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	z.Write(body.Bytes()) //nolint:errcheck // the benchmark would not end
	z.Close()             //nolint:errcheck // likewise
}

func waitForDay(b *testing.B, url string) {
	b.Helper()
	tick := time.NewTicker(100 * time.Millisecond) // each look is a scrape that costs
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		resp, err := http.Get(url)
		if err == nil {
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if strings.Contains(string(text), "carbon_intervals{state=\"missing\"} 0") &&
				strings.Contains(string(text), "carbon_intervals{state=\"provisional\"} 48") {
				return
			}
		}
	}
	b.Fatal("the day has not come in within a minute")
}

func freePort(b *testing.B) string {
	b.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	return s.Listener.Addr().String()
}

// restingMB is what the process holds once it has had nothing to do for a while.
func restingMB(b *testing.B, pid int) float64 {
	b.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	least := residentMB(b, pid)
	for range 30 {
		<-tick.C
		least = min(least, residentMB(b, pid))
	}
	return least
}

// residentMB is what the process holds, as Linux counts it.
func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
