// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile/readfiletest"
)

func TestRunUntilQuit(t *testing.T) {
	before := runtime.NumGoroutine()
	p := start(t, storage(t), "--config.file="+configFile(t, ""))
	for path, want := range map[string]string{"/-/healthy": "healthy", "/-/ready": "ready", "/metrics": "carbon_interval_seconds 1800"} {
		if status, text := ask(t, http.MethodGet, p.url+path); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: status %d: %.200s", path, status, text)
		}
	}
	if code := p.quit(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before+1 }) // os/signal keeps one
}

func TestDefaultsWithoutFile(t *testing.T) {
	t.Chdir(t.TempDir())
	_, server := prepared(t)
	if _, text := ask(t, http.MethodGet, server.URL+"/config"); !strings.Contains(text, "url: http://localhost:9090\n") {
		t.Errorf("in force is %s", text)
	}
}

// TestReadyWithUpstreamsDown: facts are served whatever the others do.
func TestReadyWithUpstreamsDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, path, "prometheus: {url: "+broken(t)+"}\ncarbon_intensity: {uk: {url: "+broken(t)+"}}\n")
	p := start(t, storage(t), "--config.file="+path)
	if status, text := ask(t, http.MethodGet, p.url+"/-/ready"); status != http.StatusOK {
		t.Errorf("ready: status %d: %s", status, text)
	}
	eventually(t, "both sources are down on /metrics", func() bool {
		_, text := ask(t, http.MethodGet, p.url+"/metrics")
		return strings.Contains(text, `carbon_exporter_source_up{source="prometheus"} 0`) &&
			strings.Contains(text, `carbon_exporter_source_up{source="carbon_intensity"} 0`) &&
			strings.Contains(text, `carbon_exporter_source_errors_total{reason="server_error",source="prometheus"}`)
	})
	if got := metric(t, p.url, "carbon_intensity_gco2eq_per_kwh"); got != "absent" {
		t.Errorf("intensity of a grid that never answered is %s", got)
	}
	if code := p.quit(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	var stderr bytes.Buffer
	code := Run([]string{
		"--web.listen-address=" + address, "--config.file=" + configFile(t, ""),
		storage(t),
	}, io.Discard, &stderr)
	if code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	want := "carbon_exporter: serve: listen tcp " + address + ": bind: address already in use\n"
	if !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("stderr is %s, want it to end with %s", &stderr, want)
	}
}

func TestStoreThatIsRefused(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	write(t, garbage, strings.Repeat("this is no database\n", 1000))
	config := "--config.file=" + configFile(t, "")
	inUse := filepath.Join(dir, "used.db")
	start(t, config, "--storage.path="+inUse)
	link := filepath.Join(dir, "link.db")
	if err := os.Link(inUse, link); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, path, want string }{
		{"garbage", garbage, ""},
		{"a directory", dir, ""},
		{"a second exporter on the same file", inUse, "is in use by another carbon_exporter"},
		{"a second exporter on the same file, by another name", link, "is in use by another carbon_exporter under another name"},
		{"a directory that cannot be made", filepath.Join(garbage, "carbon.db"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			was, _ := os.ReadFile(garbage)
			var stderr bytes.Buffer
			code := Run([]string{config, "--web.listen-address=127.0.0.1:0", "--storage.path=" + test.path, "--log.level=error"}, io.Discard, &stderr)
			if code != exitStore {
				t.Errorf("exit code %d, want %d", code, exitStore)
			}
			said := stderr.String()
			if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "carbon_exporter: open store "+test.path+": ") || !strings.Contains(said, test.want) {
				t.Errorf("stderr is %q", said)
			}
			if is, _ := os.ReadFile(garbage); !bytes.Equal(was, is) {
				t.Error("the file was changed")
			}
		})
	}
}

// TestHangup: the signal does what a POST to /-/reload does.
func TestHangup(t *testing.T) {
	path := configFile(t, "power: {pue: 1.5}\n")
	p := start(t, storage(t), "--config.file="+path)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ name, text, successful, pue string }{
		{"a bad file", "power: {pue: much}\n", "0", "1.5"},
		{"a good file", configText("power: {pue: 1.25}\n"), "1", "1.25"},
	} {
		write(t, path, step.text)
		if err := self.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, step.name, func() bool {
			return metric(t, p.url, "carbon_exporter_config_last_reload_successful") == step.successful &&
				metric(t, p.url, "carbon_pue_ratio") == step.pue
		})
	}
}

// TestAnEndThatSomethingHoldsUp: systemd kills whoever takes too long.
func TestAnEndThatSomethingHoldsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		began := time.Now()
		err := untilEnd(func(_ context.Context, stop func()) error {
			stop()
			<-hang
			return nil
		})
		if err == nil || exitCode(err) != exitFailed {
			t.Errorf("ends with %v", err)
		}
		if took := time.Since(began); took >= 10*time.Second {
			t.Errorf("takes %s", took)
		}
	})
}

// TestTermAfterAReloadOfAPipe: nobody writes into it.
func TestTermAfterAReloadOfAPipe(t *testing.T) {
	path := configFile(t, "")
	p := start(t, storage(t), "--config.file="+path)
	if err := errors.Join(os.Remove(path), readfiletest.Pipe(path)); err != nil {
		t.Fatal(err)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reload fails", func() bool { return strings.Contains(p.stderr.String(), "keeping the current one") })
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestStartWithAnEmptyFile(t *testing.T) {
	path := configFile(t, "")
	write(t, path, "# nothing\n")
	p := start(t, storage(t), "--config.file="+path)
	if want := `level=WARN source=main.go:`; !strings.Contains(p.stderr.String(), want) || !strings.Contains(p.stderr.String(), "The configuration file sets no key; using the defaults") {
		t.Errorf("does not warn: %s", p.stderr)
	}
}
