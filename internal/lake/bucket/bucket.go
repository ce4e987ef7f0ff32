// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package bucket opens object storage by the configuration file that Thanos, Mimir and their kin
// read: type, config and prefix. It knows the five kinds of storage, and what each lacks: files that
// appear as a whole, and a client of Google's storage that does not bring gRPC along. It must not
// know what is stored. Start with Parse.
package bucket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-kit/log"
	"github.com/thanos-io/objstore"
	"github.com/thanos-io/objstore/providers/azure"
	"github.com/thanos-io/objstore/providers/s3"
	"github.com/thanos-io/objstore/providers/swift"
	"go.yaml.in/yaml/v3"
)

// file is the configuration file.
type file struct {
	Type   string    `yaml:"type"`
	Config yaml.Node `yaml:"config"`
	Prefix string    `yaml:"prefix"`
}

// Config is a configuration that was read and checked.
type Config struct {
	// Place names the bucket and the prefix, without a secret, the same each time.
	Place string
	// Kind is the type: S3, GCS, AZURE, SWIFT or FILESYSTEM. Dir is the directory of the last.
	Kind, Dir string
	prefix    string
	open      func() (objstore.Bucket, error)
}

// Parse reads a configuration and checks what can be checked without a connection. program is who
// asks, for the log of the storage. No error has a value of the configuration in it, which may be a
// secret.
func Parse(text []byte, program string) (*Config, error) {
	var f file
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty: it must have type and config, as the object storage of Thanos has")
	} else if err != nil {
		return nil, plain(err)
	}
	config, err := yaml.Marshal(&f.Config)
	if err != nil {
		return nil, plain(err)
	}
	c := &Config{prefix: f.Prefix}
	kind := objstore.ObjProvider(strings.ToUpper(f.Type))
	read, known := kinds[kind]
	if !known {
		return nil, fmt.Errorf("type must be one of %v, is %q", slices.Sorted(maps.Keys(kinds)), f.Type)
	}
	if c.Place, c.open, err = read(config, program); err != nil {
		return nil, fmt.Errorf("config: %w", inner(err))
	}
	if c.Kind = string(kind); kind == objstore.FILESYSTEM {
		c.Dir = c.Place
	}
	c.Place = c.Kind + " " + c.Place
	if prefix := strings.Trim(f.Prefix, "/"); prefix != "" {
		c.Place += "/" + prefix
	}
	return c, nil
}

// Open opens the bucket. Some kinds of storage are asked for it.
func (c *Config) Open() (objstore.Bucket, error) {
	b, err := c.open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Place, plain(err))
	}
	return objstore.NewPrefixedBucket(b, c.prefix), nil
}

// reads reads the config of one kind of storage, and returns where that is and how to open it.
type reads func(config []byte, program string) (place string, open func() (objstore.Bucket, error), err error)

var kinds = map[objstore.ObjProvider]reads{
	objstore.FILESYSTEM: readFilesystem,
	objstore.GCS:        readGCS,
	objstore.S3: func(config []byte, program string) (string, func() (objstore.Bucket, error), error) {
		var c s3.Config
		err := decode(config, &c, given{"bucket", &c.Bucket}, given{"endpoint", &c.Endpoint})
		return c.Endpoint + "/" + c.Bucket, func() (objstore.Bucket, error) {
			return s3.NewBucket(log.NewNopLogger(), config, program, nil)
		}, err
	},
	objstore.AZURE: func(config []byte, program string) (string, func() (objstore.Bucket, error), error) {
		var c azure.Config
		err := decode(config, &c, given{"storage_account", &c.StorageAccountName}, given{"container", &c.ContainerName})
		return c.StorageAccountName + "/" + c.ContainerName, func() (objstore.Bucket, error) {
			return azure.NewBucket(log.NewNopLogger(), config, program, nil)
		}, err
	},
	objstore.SWIFT: func(config []byte, _ string) (string, func() (objstore.Bucket, error), error) {
		var c swift.Config
		err := decode(config, &c, given{"container_name", &c.ContainerName})
		return c.ContainerName, func() (objstore.Bucket, error) {
			return swift.NewContainer(log.NewNopLogger(), config, nil)
		}, err
	},
}

// given is a key that must not be empty.
type given struct {
	key   string
	value *string
}

// decode reads a config strictly.
func decode(config []byte, to any, must ...given) error {
	d := yaml.NewDecoder(bytes.NewReader(config))
	d.KnownFields(true)
	if err := d.Decode(to); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, g := range must {
		if *g.value == "" {
			return fmt.Errorf("%s must be given", g.key)
		}
	}
	return nil
}

var (
	// quoted is how YAML's errors show a value.
	quoted = regexp.MustCompile("`[^`]*`")
	// line is one of a text that nobody sees.
	line = regexp.MustCompile(`line \d+: `)
)

// inner is plain of what is within the config.
func inner(err error) error { return errors.New(line.ReplaceAllString(plain(err).Error(), "")) }

// plain returns an error in one line and without values.
func plain(err error) error {
	text := strings.TrimPrefix(quoted.ReplaceAllString(err.Error(), "a value"), "yaml: unmarshal errors:")
	return errors.New(strings.Join(strings.Fields(text), " "))
}
