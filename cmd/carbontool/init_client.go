// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// readClient reads a file of HTTP client settings. File names in it are relative to it, as in
// Prometheus, and absolute in the result, which will stand in a file elsewhere.
func readClient(file string) (promconfig.HTTPClientConfig, error) {
	c := promconfig.DefaultHTTPClientConfig
	text, err := config.Read(file)
	if err != nil {
		return c, err
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&c); err != nil {
		return c, errors.New("must be a mapping of Prometheus' HTTP client settings") // the error may quote a secret
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return c, err
	}
	c.SetDirectory(dir)
	if c.OAuth2 != nil {
		c.OAuth2.ClientCertificateKeyFile = promconfig.JoinDir(dir, c.OAuth2.ClientCertificateKeyFile)
	}
	return c, nil
}

// clientText is the settings as YAML, without those that have their default. What init writes may
// be shown to others, so secrets that are written out are refused.
func clientText(c promconfig.HTTPClientConfig) (string, error) {
	set, err := keysOf(c)
	if err != nil {
		return "", err
	}
	usual, err := keysOf(promconfig.DefaultHTTPClientConfig)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if set[key] == usual[key] {
			continue
		}
		if strings.Contains(set[key], "<secret>") {
			return "", fmt.Errorf("%s: has a secret written out: put it into a file of its own and name that (password_file, credentials_file, client_secret_file, files)", key)
		}
		b.WriteString(set[key])
	}
	return b.String(), nil
}

// keysOf is the YAML of every key.
func keysOf(c promconfig.HTTPClientConfig) (map[string]string, error) {
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, err
	}
	var all map[string]yaml.Node
	if err := yaml.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for key, value := range all {
		var one strings.Builder
		to := yaml.NewEncoder(&one)
		to.SetIndent(2)
		if err := errors.Join(to.Encode(map[string]*yaml.Node{key: &value}), to.Close()); err != nil {
			return nil, err
		}
		keys[key] = one.String()
	}
	return keys, nil
}
