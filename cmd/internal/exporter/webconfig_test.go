// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile/readfiletest"
)

// Whoever reads a pipe in the place of a file waits for ever, and the start with it.
func TestAWebConfigThatWouldBeWaitedFor(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := readfiletest.Pipe(path("pipe")); err != nil {
		t.Fatal(err)
	}
	write(t, path("file"), "")
	for name, text := range map[string]string{
		"cert":      "tls_server_config: {cert_file: pipe, key_file: file}\n",
		"key":       "tls_server_config: {cert_file: file, key_file: " + path("pipe") + "}\n",
		"client CA": "tls_server_config: {cert_file: file, key_file: file, client_ca_file: pipe, client_auth_type: RequireAnyClientCert}\n",
	} {
		write(t, path("web.yml"), text)
		want := "--web.config.file: read " + path("pipe") + ": is a pipe, must be a regular file"
		if err := parts.CheckWebConfig(path("web.yml")); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if err := parts.CheckWebConfig(path("pipe")); err == nil {
		t.Error("the file itself may be a pipe")
	}
}

// A pipe that takes the place of the file while the program runs keeps clients out
// and nothing else: no request waits, and all is well when the file is back.
func TestAWebConfigThatBecomesAPipe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	write(t, file, "http_server_config: {http2: false}\n")
	p := start(t, storage(t), "--config.file="+configFile(t, ""), "--web.config.file="+file)
	client := &http.Client{Timeout: 5 * time.Second}
	healthy := func() error {
		resp, err := client.Get(p.url + "/-/healthy")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := healthy(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // with a connection that is open, and with a new one
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := readfiletest.Pipe(file); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			began := time.Now()
			if err := healthy(); err == nil {
				t.Error("is answered")
			} else if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
				t.Errorf("a request waited for %s", time.Since(began))
			}
		}
		os.Remove(file)
		write(t, file, "http_server_config: {http2: false}\n")
		if err := healthy(); err != nil {
			t.Error(err)
		}
	}
	if said := strings.Count(p.stderr.String(), "closing all connections until it can be read"); said != 2 {
		t.Errorf("said %d times", said)
	}
	if code := p.quit(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}
