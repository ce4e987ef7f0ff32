// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestReloadOnHangup(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 2*time.Hour)
	wanted := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}
	where := wanted.place(t, over)
	p := start(t, where.args()...)
	usage := p.becomesWhole(over)
	_, before := p.page("/config", "")
	reloadMetric(p, 1)

	for _, tc := range []struct{ name, text, says string }{
		{"an unknown key", wanted.yaml(over) + "intervall: 1h\n", "intervall"},
		{"no YAML", "interval: [\n", "YAML"},
		{"another interval", strings.Replace(wanted.yaml(over), "interval: 1800s", "interval: 3600s", 1), "interval"},
	} {
		t.Run(tc.name+" changes nothing", func(t *testing.T) {
			write(t, where.config, tc.text)
			said := len(p.Stderr.String())
			p.signal(syscall.SIGHUP)
			eventually(t, waitFor, "the failure is logged", func() error {
				if line := p.Stderr.String()[said:]; !strings.Contains(line, "level=ERROR") || !strings.Contains(line, tc.says) {
					return fmt.Errorf("it says %q", line)
				}
				return nil
			})
			reloadMetric(p, 0)
			if _, now := p.page("/config", ""); string(now) != string(before) {
				t.Errorf("the configuration in force has changed to\n%s", now)
			}
			p.scrape().checkUsage(t, truth(s.cloud, over, uk.price).total())
		})
	}

	wanted.attribute = "group_by: project_machine"
	write(t, where.config, wanted.yaml(over))
	p.signal(syscall.SIGHUP)
	reloadMetric(p, 1)
	if _, now := p.page("/config", ""); !strings.Contains(string(now), "group_by: project_machine") {
		t.Errorf("the configuration in force is\n%s", now)
	}
	if families := len(p.scrape()["carbon_energy_kwh"].GetMetric()); families != len(usage["carbon_energy_kwh"].GetMetric()) {
		t.Errorf("after a reload %d samples of energy", families)
	}
	p.terminate()
}

func reloadMetric(p *program, want float64) {
	p.t.Helper()
	eventually(p.t, waitFor, fmt.Sprintf("the last reload is %v", want), func() error {
		if v, ok := p.scrape().value("carbon_exporter_config_last_reload_successful"); !ok || v != want {
			return fmt.Errorf("it is %v, %v", v, ok)
		}
		return nil
	})
}

func TestLifecycleOverHTTP(t *testing.T) {
	t.Parallel()
	where := emptyPlace(t)
	post := func(p *program, path string) int {
		t.Helper()
		answer, err := p.client.Post(p.URL+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	p := start(t, where.args()...)
	for _, path := range []string{"/-/reload", "/-/quit"} {
		if code := post(p, path); code != http.StatusForbidden {
			t.Errorf("POST %s without the flag: http status %d", path, code)
		}
	}
	p.terminate()

	p = start(t, append(where.args(), "--web.enable-lifecycle")...)
	if code := post(p, "/-/reload"); code != http.StatusOK {
		t.Errorf("POST /-/reload: http status %d", code)
	}
	write(t, where.config, "intervall: 1h\n")
	if code := post(p, "/-/reload"); code != http.StatusInternalServerError {
		t.Errorf("POST /-/reload of a bad file: http status %d", code)
	}
	reloadMetric(p, 0)
	if code := post(p, "/-/quit"); code != http.StatusOK {
		t.Errorf("POST /-/quit: http status %d", code)
	}
	if code := p.exit(10 * time.Second); code != 0 {
		t.Errorf("after /-/quit the exit code is %d", code)
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery"
	where := settings{
		prometheus: "http://reader:" + secret + "@127.0.0.1:9", uk: "http://127.0.0.1:9",
		section: "  authorization: {credentials: " + secret + "}",
	}.place(t, spanOf(30*time.Minute, time.Hour))
	p := start(t, where.args()...)
	p.says(0, "carbon_exporter_source_errors_total", "source", "prometheus", "reason", "connection")
	for _, path := range []string{"/", "/config", "/metrics"} {
		if _, text := p.page(path, ""); strings.Contains(string(text), secret) {
			t.Errorf("%s shows a password", path)
		}
	}
	p.terminate()
	if strings.Contains(p.Stderr.String()+p.Stdout.String(), secret) {
		t.Errorf("the log shows a password:\n%s", p.Stderr.String())
	}
}

const (
	password = "correct horse"
	// hash is of that password, by bcrypt at its lowest cost.
	hash = "$2a$04$JMcgYtbz7iWPijYskOxsqOXPIqCYTmSGok6vWJfJdB6jXb0bAOgLy"
)

func TestTLSAndBasicAuth(t *testing.T) {
	t.Parallel()
	where := emptyPlace(t)
	dir := filepath.Dir(where.config)
	trust := certificate(t, dir)
	webConfig := filepath.Join(dir, "web.yml")
	write(t, webConfig, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {reader: '"+hash+"'}\n")
	p := start(t, append(where.args(), "--web.config.file="+webConfig)...)

	if answer, _, err := p.get("/metrics", ""); err == nil && answer.StatusCode == http.StatusOK {
		t.Error("it answers without TLS")
	}
	p.secure(&tls.Config{RootCAs: trust}, "reader", "wrong")
	if answer, _, err := p.get("/metrics", ""); err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a wrong password: %v, %v", answer, err)
	}
	p.secure(&tls.Config{RootCAs: trust}, "reader", password)
	if _, ok := p.scrape().value("carbon_exporter_build_info"); !ok {
		t.Error("no carbon_exporter_build_info")
	}
	p.secure(&tls.Config{}, "reader", password)
	if _, _, err := p.get("/metrics", ""); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("a client that does not trust the certificate: %v", err)
	}
	p.terminate()
}

// certificate makes cert.pem and key.pem for 127.0.0.1.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "carbon_exporter"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	write(t, filepath.Join(dir, "cert.pem"), string(text))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}
