// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/exporter"
)

// served is a carbon_exporter of a site, with TLS and a login.
type served struct {
	*gated
	url    string
	client string // file of HTTP client settings that it accepts
}

// logged is what a program writes while a test reads it.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve starts it beside its store.
func serve(t *testing.T, g *gated) *served {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// Go's own certificate for tests is of 127.0.0.1.
	own := httptest.NewUnstartedServer(nil)
	own.StartTLS()
	certificate := own.TLS.Certificates[0]
	own.Close()
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
	write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	web := write("web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"+
		"basic_auth_users: {ada: $2a$04$HppacYeqAuPeSu9fC32rJuGNtQEINR2WQjBFv8sKXV9ZZ6AlycBuK}\n")
	write("password", "open sesame")
	s := &served{g, "", write("http.yml", "basic_auth: {username: ada, password_file: password}\ntls_config: {ca_file: cert.pem}\n")}

	log, code := &logged{}, make(chan int, 1)
	go func() {
		code <- exporter.Run([]string{
			"--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle", "--web.enable-api", "--web.config.file=" + web,
			"--config.file=" + g.config, "--storage.path=" + g.store,
		}, log, log)
	}()
	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	for deadline := time.Now().Add(time.Minute); s.url == ""; time.Sleep(10 * time.Millisecond) {
		if m := listening.FindStringSubmatch(log.String()); m != nil {
			s.url = "https://" + m[1]
		} else if len(code) > 0 || time.Now().After(deadline) {
			t.Fatalf("carbon_exporter does not listen: %s", log)
		}
	}
	t.Cleanup(func() {
		req, err := http.NewRequest(http.MethodPost, s.url+"/-/quit", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("ada", "open sesame")
		trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		resp, err := trusting.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		select {
		case <-code:
		case <-time.After(30 * time.Second):
			t.Error("carbon_exporter does not end")
		}
		if t.Failed() {
			t.Log(log)
		}
	})
	return s
}

// there asks the server, and here the store.
func (s *served) there(command string) called {
	return call(append(strings.Fields(command), "--server="+s.url, "--http.config.file="+s.client)...)
}

func (s *served) here(command string) called {
	return call(append(strings.Fields(command), "--config.file="+s.config, "--storage.path="+s.store)...)
}

// nothingSettles keeps a store as it is while a carbon_exporter runs, whose servers are all down.
const nothingSettles = "settle_after: 90d\n" + attributed

// TestServerAnswersAsTheStore, byte by byte.
func TestServerAnswersAsTheStore(t *testing.T) {
	now := time.Now()
	g := newGatedAt(t, now, 8, 0)
	g.configure(t, nothingSettles)
	var values []float64
	for n := range 97 {
		values = append(values, float64(300-3*n))
	}
	g.forecasts(t, time.Minute, values...)
	s := serve(t, g)
	day := func(back int) string { return now.UTC().AddDate(0, 0, -back).Format(time.DateOnly) }
	from, at := " --from="+day(4)+" --to="+day(1), " --ts="+day(2)+"T10:30"
	for _, command := range []string{
		"report" + from, "report" + from + " --format=json --scope=site --by=day", "report" + from + " --format=csv --scope=group --no-csv-safe",
		"report" + from + " --scope=machine --top=1 --equivalents",
		"explain --project=CLF" + at, "explain --project=CLF --user=1042 --format=json" + at,
		"intervals" + from, "intervals --format=json --state=provisional --state=settled" + from,
		"forecast", "forecast --window=6h --format=json",
		"budgets", "budgets --format=csv", "budgets --format=json --no-csv-safe",
		"gate --project=CLF --budget=clf", "gate --project=CLF --budget=clf-small",
		"gate --defer-to-best=6h", "gate --project=Vulcan --budget=lasers --projected=0.05",
	} {
		here, there := s.here(command), s.there(command)
		if here != there && !strings.HasPrefix(command, "gate") { // a half hour may have begun in between
			here, there = s.here(command), s.there(command)
		}
		if strings.HasPrefix(command, "gate") { // its log has the time
			here.stderr, there.stderr = "", ""
		} else if here.code != exitDone || here.stdout == "" {
			t.Errorf("%s: %+v", command, here)
		}
		if here != there {
			t.Errorf("%s: here\n%+v\nthere\n%+v", command, here, there)
		}
	}
	for command, code := range map[string]int{"--budget=clf": exitDone, "--budget=clf-small": exitDenied, "--budget=clf --defer-to-best=6h": exitDeferred} {
		if got := s.there("gate --project=CLF " + command); got.code != code {
			t.Errorf("%s: %+v", command, got)
		}
	}
}

func TestServerRefuses(t *testing.T) {
	g := newGated(t, 1, 0)
	s := serve(t, g)
	stranger := filepath.Join(t.TempDir(), "http.yml")
	if err := os.WriteFile(stranger, []byte("basic_auth: {username: ada, password: wrong}\ntls_config: {insecure_skip_verify: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := " --server=" + s.url + " --http.config.file=" + s.client
	host := strings.TrimPrefix(s.url, "https://")
	for _, c := range []struct {
		name, command string
		code          int
		stderr        string
	}{
		{
			"a wrong password", "report --server=" + s.url + " --http.config.file=" + stranger, exitFailed,
			"carbontool report: ask " + s.url + ": " + host + " wants a login and does not accept ours: set basic_auth, authorization or oauth2, or correct it, in the file of --http.config.file\n",
		},
		{"a gate with a wrong password", "gate --defer-to-best=6h --server=" + s.url + " --http.config.file=" + stranger, exitDone, "not known: whether a later time is better: ask " + s.url},
		{"a gate of a server that is down", "gate --project=CLF --budget=clf --server=http://127.0.0.1:1", exitDone, "not known: where budget clf stands: ask http://127.0.0.1:1: nothing listens at 127.0.0.1:1"},
		{"a gate of a budget that there is not", "gate --project=CLF --budget=none" + to, exitUsage, `there is no budget "none"`},
		{"no trust", "budgets --server=" + s.url, exitFailed, "is signed by nobody whom this machine trusts: set tls_config.ca_file, in the file of --http.config.file\n"},
		{"a wrong time", "report --from=tomorrow" + to, exitUsage, `carbontool report: --from: "tomorrow" is not a time such as`},
		{"a project that nobody knows", "explain --project=None --ts=yesterday" + to, exitUsage, "carbontool explain: --project: the store has never seen"},
		{"names", "report --scope=user --names" + to, exitUsage, "carbontool report: --names: the API shows no names of people"},
		{"a wrong flag, as without a server", "report --top=0" + to, exitUsage, "carbontool report: --top: must be at least 1, is 0; see carbontool report --help\n"},
		{"what asks Prometheus", "report --sci --per=3" + to, exitUsage, "carbontool report: --sci: asks Prometheus from here"},
		{"what asks providers", "forecast --grids=all" + to, exitUsage, "carbontool forecast: --grids: asks the providers from here"},
		{"what changes the store", "intervals --drop-never-asked --yes" + to, exitUsage, "carbontool intervals: --drop-never-asked: changes the store"},
		{"what has no API", "backfill --from=-1d" + to, exitUsage, "carbontool backfill: --server: only report, explain, intervals, forecast, budgets and gate can ask a server"},
		{"a store here, too", "budgets --storage.path=x" + to, exitUsage, "carbontool budgets: --storage.path: is of a store on this machine; leave it out, or leave out --server"},
		{"settings without a server", "budgets --http.config.file=" + s.client, exitUsage, "carbontool budgets: --http.config.file: is for a server, and none is asked: add --server"},
		{"settings that there are not", "budgets --server=" + s.url + " --http.config.file=" + s.client + ".none", exitUsage, "no such file"},
		{"no URL", "budgets --server=localhost", exitUsage, "carbontool budgets: --server: must be a URL such as http://carbon.example.org:9977"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := call(strings.Fields(c.command)...); got.code != c.code || got.stdout != "" || !strings.Contains(got.stderr, c.stderr) {
				t.Errorf("%+v, want %d, %s", got, c.code, c.stderr)
			}
		})
	}
}

// A server of the environment is for the commands that can ask it, unless a store is given.
func TestServerOfTheEnvironment(t *testing.T) {
	t.Setenv("CARBON_EXPORTER_SERVER", "http://127.0.0.1:1")
	g := newGated(t, 1, 0)
	for _, c := range []struct {
		command string
		asks    bool
	}{
		{"budgets", true},
		{"--server=http://127.0.0.1:1 budgets", true},
		{"budgets --config.file=" + g.config + " --storage.path=" + g.store, false},
		{"intervals --storage.path=" + g.store, false},
		{"check store --storage.path=" + g.store, false},
		{"profiles", false},
		{"--server= intervals", false}, // of a store that is not there
	} {
		t.Chdir(t.TempDir())
		got := call(strings.Fields(c.command)...)
		if asked := strings.Contains(got.stderr, "nothing listens at 127.0.0.1:1"); asked != c.asks || asked != (got.code == exitFailed) && !strings.HasPrefix(c.command, "--server= ") {
			t.Errorf("%s: %+v", c.command, got)
		}
	}
}
