// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
)

// maxWebFileBytes is more than any list of users or bundle of certificates has.
const maxWebFileBytes = 1 << 20

// CheckWebConfig says what is wrong with --web.config.file. It looks at the files
// before exporter-toolkit reads them, which would wait for a pipe.
func CheckWebConfig(file string) error {
	if file == "" {
		return nil
	}
	_, err := readfile.Check(file)
	if err == nil {
		err = LookAtWebFiles(file)
	}
	if err == nil {
		err = web.Validate(file)
	}
	if err != nil {
		return fmt.Errorf("--web.config.file: %w", errors.New(WithoutValues(err.Error())))
	}
	return nil
}

// LookAtWebFiles refuses a file that its reader would wait for, or that has no end.
// One that is missing or broken is its reader's to complain about.
func LookAtWebFiles(file string) error {
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

// quoted matches the values that an error about a YAML file quotes. In the file of
// --web.config.file they may be a password or its hash. exporter-toolkit reads that file again
// for each connection, so such errors come at any time.
var quoted = regexp.MustCompile("`[^`]*`|unknown anchor '[^']*'")

// WithoutValues removes them from a text.
func WithoutValues(text string) string { return quoted.ReplaceAllString(text, "<value>") }
