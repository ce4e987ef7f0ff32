// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
)

// maxFileBytes is larger than any password and any bundle of certificates.
const maxFileBytes = 1 << 20

// directoryFile is the key of a file that is no secret.
const directoryFile = "directory.file"

// Check opens every file that a configuration names and checks its content. It reports all
// faults, each in a line that begins with the key, and sends no requests.
func Check(cfg *config.Config) error {
	var faults []error
	for _, file := range cfg.Files() {
		if file.Key == directoryFile {
			continue // it may be larger, and is read as a whole below
		}
		if text, err := readfile.All(file.Path, maxFileBytes); err != nil {
			faults = append(faults, named(file, err))
		} else if len(bytes.TrimSpace(text)) == 0 {
			faults = append(faults, fmt.Errorf("%s: %s: is empty", file.Key, file.Path))
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	if _, err := newSource(cfg.Prometheus, nil); err != nil {
		faults = append(faults, fmt.Errorf("prometheus: %w", err))
	}
	if err := checkGrids(cfg); err != nil {
		faults = append(faults, err)
	}
	if _, err := Labels(cfg.Attribution); err != nil {
		faults = append(faults, fmt.Errorf("attribution: %w", err))
	}
	if cfg.MongoDB != nil {
		if err := checkMongoDB(cfg.MongoDB); err != nil {
			faults = append(faults, fmt.Errorf("mongodb.%w", err))
		}
	}
	if cfg.Directory != nil {
		if err := checkDirectory(cfg); err != nil {
			faults = append(faults, fmt.Errorf("directory.%w", err))
		}
	}
	if cfg.Lake != nil {
		if _, err := LakeBucket(cfg.Lake); err != nil {
			faults = append(faults, fmt.Errorf("lake.objstore_config_file: %w", err))
		}
	}
	return errors.Join(faults...)
}

// checkGrids makes all chains, those of other grids included.
func checkGrids(cfg *config.Config) error {
	if _, err := NewGrids(cfg, time.Now); err != nil {
		return err
	}
	for _, chain := range GridChains(cfg) {
		if chain.Use != UseElsewhere {
			continue
		}
		if _, err := Chain(cfg, chain.Chain, chain.Path, time.Now); err != nil {
			return err
		}
	}
	return nil
}

func checkMongoDB(c *config.MongoDB) error {
	key := "uri"
	if c.URIFile != "" {
		key = "uri_file"
	}
	uri, err := secret(string(c.URI), c.URIFile)
	if err == nil {
		err = mongo.CheckAddress(uri)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// lookAt refuses files whose readers would wait, such as a pipe. A missing file is no fault
// yet: the secret may come later, and until then its reader reports it.
func lookAt(files []config.File) error {
	for _, file := range files {
		_, err := readfile.Check(file.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return named(file, err)
		}
	}
	return nil
}

func named(file config.File, err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %s: %s: %w", file.Key, file.Path, failed.Op, failed.Err)
	}
	return fmt.Errorf("%s: %w", file.Key, err)
}

// guarded checks the files of an HTTP client before each request, because the client reads most
// of them again for each: passwords may change. A reader that waits for a pipe would not obey
// the deadline.
type guarded struct {
	files []config.File
	next  http.RoundTripper
}

func guard(next http.RoundTripper, files []config.File) http.RoundTripper {
	return &guarded{files, next}
}

func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := lookAt(g.files); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	return g.next.RoundTrip(r)
}

// CloseIdleConnections is called by http.Client.
func (g *guarded) CloseIdleConnections() {
	if inner, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		inner.CloseIdleConnections()
	}
}
