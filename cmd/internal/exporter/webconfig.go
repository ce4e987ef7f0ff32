package exporter

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
)

// maxWebFileBytes is more than any list of users or bundle of certificates has.
const maxWebFileBytes = 1 << 20

// checkWebConfig says what is wrong with --web.config.file. It looks at the files
// before exporter-toolkit reads them, which would wait for a pipe.
func checkWebConfig(file string) error {
	if file == "" {
		return nil
	}
	_, err := readfile.Check(file)
	if err == nil {
		err = lookAtWebFiles(file)
	}
	if err == nil {
		err = web.Validate(file)
	}
	if err != nil {
		return fmt.Errorf("--web.config.file: %w", checkedWebConfig(err))
	}
	return nil
}

// lookAtWebFiles refuses a file that its reader would wait for, or that has no end.
// One that is missing or broken is its reader's to complain about.
func lookAtWebFiles(file string) error {
	text, err := lookAtWebFile(file)
	if err != nil {
		return err
	}
	var named struct {
		TLS struct {
			Cert string `yaml:"cert_file"`
			Key  string `yaml:"key_file"`
			CA   string `yaml:"client_ca_file"`
		} `yaml:"tls_server_config"`
	}
	if yaml.Unmarshal(text, &named) != nil {
		return nil
	}
	for _, other := range []string{named.TLS.Cert, named.TLS.Key, named.TLS.CA} {
		if other == "" {
			continue
		}
		if !filepath.IsAbs(other) {
			other = filepath.Join(filepath.Dir(file), other)
		}
		if _, err := lookAtWebFile(other); err != nil {
			return err
		}
	}
	return nil
}

func lookAtWebFile(name string) ([]byte, error) {
	text, err := readfile.All(name, maxWebFileBytes)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	return text, err
}

// webFiles keeps clients out while exporter-toolkit would wait for its files. It
// reads them again for each connection and each request, and every one that waits
// holds a thread, for ever.
type webFiles struct {
	file string
	log  *slog.Logger

	mu   sync.Mutex
	said string // the fault that was logged; none is said twice in a row
}

// guard gives what http.Server calls as its ConnState.
func (f *webFiles) guard(next func(net.Conn, http.ConnState)) func(net.Conn, http.ConnState) {
	if f.file == "" {
		return next
	}
	return func(conn net.Conn, state http.ConnState) {
		next(conn, state)
		// Before the handshake, and before each request.
		if (state == http.StateNew || state == http.StateActive) && !f.fine() {
			if secure, ok := conn.(*tls.Conn); ok {
				conn = secure.NetConn() // its own Close waits for the client
			}
			conn.Close() //nolint:errcheck // nobody is there to be told
		}
	}
}

func (f *webFiles) fine() bool {
	err := lookAtWebFiles(f.file)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.said = ""
		return true
	}
	if f.said != err.Error() {
		f.said = err.Error()
		f.log.Error("Reading --web.config.file failed; closing all connections until it can be read", "err", err)
	}
	return false
}
