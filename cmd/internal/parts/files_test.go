// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile/readfiletest"
)

// folder is a directory with a file for each way in which one can be wrong.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "blank": "\n \n", "short": "key", "key": strings.Repeat("k", 32), "secret": "hunter2\n",
		"uri": "mongodb://localhost\n", "bad_uri": "mongodb://carbon:hun/ter2@localhost", "large": strings.Repeat("x", maxFileBytes+1),
		"headless.csv": "172.16.100.5,hunter2\n", "bad.csv": "host,owner,from\nh,ada,\ng,ada\nk,hunter2,soon\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe", "pipe.csv"} {
		if err := readfiletest.Pipe(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func parsed(t *testing.T, dir, text string) *config.Config {
	t.Helper()
	c, err := config.Parse(filepath.Join(dir, "carbon.yml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckAndNewLookAtEveryFile(t *testing.T) {
	dir := folder(t)
	for _, test := range []struct {
		name, text string
		check      []string // what Check says; DIR is the folder
		refused    bool     // by New
	}{
		{"no files", "", nil, false},
		{"all is well", "prometheus: {basic_auth: {username: u, password_file: secret}}\nmongodb: {uri_file: uri}\nattribution: {user_label: pseudonym, pseudonym_key_file: key}", nil, false},
		{
			"a secret that is not there yet", "prometheus: {basic_auth: {username: u, password_file: none}}",
			[]string{"prometheus.basic_auth.password_file: DIR/none: open: no such file or directory"},
			false,
		},
		{
			"pipes and directories", "prometheus: {authorization: {credentials_file: pipe}, http_headers: {X: {files: [secret, pipe]}}, tls_config: {ca_file: .}}\nmongodb: {uri_file: pipe}",
			[]string{
				"prometheus.authorization.credentials_file: DIR/pipe: read: is a pipe, must be a regular file",
				"prometheus.tls_config.ca_file: DIR: read: is a directory",
				"prometheus.http_headers.X.files[1]: DIR/pipe: read: is a pipe, must be a regular file",
				"mongodb.uri_file: DIR/pipe: read: is a pipe, must be a regular file",
			},
			true,
		},
		{
			"nothing where a secret should be, and too much", "prometheus: {oauth2: {client_id: c, token_url: http://t, client_secret_file: empty}, http_headers: {X: {files: [blank, large]}}}",
			[]string{
				"prometheus.oauth2.client_secret_file: DIR/empty: is empty",
				"prometheus.http_headers.X.files[0]: DIR/blank: is empty",
				"prometheus.http_headers.X.files[1]: DIR/large: read: is too large",
			},
			false,
		},
		{
			"certificates that are none, a short key, a bad address",
			"prometheus: {tls_config: {ca_file: secret}}\nattribution: {user_label: pseudonym, pseudonym_key_file: short}\nmongodb: {uri_file: bad_uri}",
			[]string{
				"prometheus: http client for prometheus: unable to use specified CA cert file DIR/secret",
				"attribution: pseudonym_key_file: DIR/short has 3 bytes, but needs at least 16; create one with: head -c 32 /dev/urandom",
				"mongodb.uri_file: the address is not a valid mongodb:// or mongodb+srv:// URI",
			},
			true,
		},
		{
			"a directory that is not there", "directory: {file: owners.csv}",
			[]string{"directory.file: DIR/owners.csv: open: no such file or directory"},
			false,
		},
		{
			"a directory that is a pipe", "directory: {file: pipe.csv}",
			[]string{"directory.file: DIR/pipe.csv: read: is a pipe, must be a regular file"},
			true,
		},
		{
			"a directory with rows that cannot be used", "directory: {file: bad.csv}",
			[]string{"directory.file: DIR/bad.csv: rows are refused: line 3: must have as many cells as the header has columns; line 4: from and to must be a date such as 2026-01-31, a time such as 2026-01-31T12:00:00Z, or empty"},
			false,
		},
		{
			"a directory without a header", "directory: {file: headless.csv}",
			[]string{"directory.file: DIR/headless.csv: line 1: must name the columns, of which these are known: host, owner, from, to, group, project, machine"},
			false,
		},
		{
			"a directory with credentials that are not there", "directory: {prometheus: {url: http://localhost, metric: m, labels: {owner: o}, tls_config: {ca_file: secret}}}",
			[]string{"directory.prometheus: http client for prometheus: unable to use specified CA cert file DIR/secret"},
			true,
		},
		{
			"a bad address in the configuration itself", "mongodb: {uri: 'postgres://carbon:hunter2@localhost'}",
			[]string{"mongodb.uri: the address is not a valid mongodb:// or mongodb+srv:// URI"},
			true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := parsed(t, dir, test.text)
			said, want := "", strings.ReplaceAll(strings.Join(test.check, "\n"), "DIR", dir)
			if err := Check(cfg); err != nil {
				said = err.Error()
			}
			if said != want {
				t.Errorf("got\n%s\nwant\n%s", said, want)
			}
			if strings.Contains(said, "hunter2") {
				t.Error("shows a secret")
			}
			made, err := New(cfg, nil, time.Now, false, nil)
			if (err != nil) != test.refused {
				t.Errorf("New: %v", err)
			}
			if err == nil {
				made.Close()
			}
		})
	}
}

// TestAFileThatBecomesAPipe: the client reads its files again for each request.
func TestAFileThatBecomesAPipe(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	dir := folder(t)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, text := range map[string]string{"ca": string(ca), "token": "hunter2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	from, err := Source(parsed(t, dir, "prometheus: {url: '"+server.URL+"', tls_config: {ca_file: ca}, http_headers: {X-Token: {files: [token]}}}").Prometheus, nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("query=up"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := from.Upstream.Do(req)
		if err == nil {
			body.Close()
		}
		return err
	}
	if err := get(); err != nil || asked.Load() != 1 {
		t.Fatalf("with files: %v, asked %d times", err, asked.Load())
	}
	for name, want := range map[string]string{
		"ca":    "prometheus.tls_config.ca_file: " + dir + "/ca: read: is a pipe, must be a regular file",
		"token": "prometheus.http_headers.X-Token.files[0]: " + dir + "/token: read: is a pipe, must be a regular file",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Rename(path, path+".was"), readfiletest.Pipe(path)); err != nil {
			t.Fatal(err)
		}
		if err := get(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with a pipe: %v, want %s", err, want)
		}
		if err := os.Rename(path+".was", path); err != nil {
			t.Fatal(err)
		}
	}
	if err := get(); err != nil || asked.Load() != 2 {
		t.Errorf("with files again: %v, asked %d times", err, asked.Load())
	}
}
