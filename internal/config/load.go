// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
)

// maxSize is far above any real file: a larger one was named by mistake.
const maxSize = 1 << 20

var errLarge = errors.New("is larger than 1 MiB")

// Load reads and parses a file, see Read and Parse.
func Load(path string) (*Config, error) {
	text, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Read reads a file, which must be a regular one. The error is fs.ErrNotExist if it does not
// exist.
func Read(path string) ([]byte, error) {
	text, err := readfile.All(path, maxSize)
	if errors.Is(err, readfile.ErrTooLarge) {
		return nil, fmt.Errorf("%s: %w", path, errLarge)
	}
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		// A PathError would repeat the path.
		return nil, fmt.Errorf("%s: %s: %w", path, failed.Op, failed.Err)
	}
	return text, err
}

// IsEmpty reports whether a text sets no key at all, or only empty sections. Such a text is valid and means the
// defaults, but a file that was truncated while being saved looks the same.
func IsEmpty(text []byte) bool {
	root, err := readTree(text)
	return err == nil && (isEmpty(root) || setsNothing(root))
}

// setsNothing says that no mapping holds anything but empty mappings.
func setsNothing(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 1; i < len(n.Content); i += 2 {
		if !setsNothing(n.Content[i]) {
			return false
		}
	}
	return true
}

func isEmpty(root *yaml.Node) bool {
	return root == nil || kindOf(root) == null || root.Kind == yaml.MappingNode && len(root.Content) == 0
}

// Parse parses the text of a file called name. Relative file names in it are relative to the
// directory of name. Its error joins one line for each fault, with file, line and key: all
// faults of the shape or, if there are none, all faults of the values.
func Parse(name string, text []byte) (*Config, error) {
	f := &faults{file: name, lines: map[string]int{}}
	if len(text) > maxSize {
		f.at(0, "%w", errLarge)
		return nil, f.err()
	}
	root, err := readTree(text)
	if err != nil {
		f.syntax(text, err)
		return nil, f.err()
	}
	if isEmpty(root) {
		c := Default()
		return &c, nil
	}
	c := defaults()
	if is := kindOf(root); is != mapping {
		f.at(root.Line, "must be a mapping of keys to values, is %s", is)
		return nil, f.err()
	}
	f.shape("", root.Line, root, reflect.TypeOf(c))
	if err := f.err(); err != nil {
		return nil, err
	}
	if err := c.Prometheus.useProfile(f, profileOf(root)); err != nil {
		return nil, err
	}
	if err := root.Decode(&c); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.fit(f.given)
	c.setDirectory(filepath.Dir(name))
	c.validate(f)
	if err := f.err(); err != nil {
		return nil, err
	}
	return &c, nil
}

var (
	yamlLine      = regexp.MustCompile("^(?:yaml: )?(?:line ([0-9]+): )?")
	unknownAnchor = regexp.MustCompile("^yaml: unknown anchor '(.*)' referenced$")
)

// syntax adds an error of readTree.
func (f *faults) syntax(text []byte, err error) {
	if at, ok := errors.AsType[lineError](err); ok {
		f.at(at.line, "%w", at.error)
		return
	}
	if errors.Is(err, errSeveral) || errors.Is(err, errBomb) {
		f.at(0, "%w", err)
		return
	}
	if found := unknownAnchor.FindStringSubmatch(err.Error()); found != nil {
		// The name is not shown: most likely it is a password that begins with *.
		before, _, _ := bytes.Cut(text, []byte("*"+found[1]))
		f.at(bytes.Count(before, []byte("\n"))+1, "not valid YAML: an alias without an anchor; quote text that begins with *")
		return
	}
	found := yamlLine.FindStringSubmatch(err.Error())
	message := err.Error()[len(found[0]):]
	if line, _ := strconv.Atoi(found[1]); line != 0 {
		// The YAML package counts some of these lines from 0.
		f.at(line, "not valid YAML near this line: %s", message)
		return
	}
	f.at(0, "not valid YAML: %s", message)
}

// setDirectory makes file names relative to the configuration file, as Prometheus does.
func (c *Config) setDirectory(dir string) {
	setDirectoryOfClient(&c.Prometheus.HTTPClientConfig, dir)
	c.CarbonIntensity.setDirectory(dir)
	c.Attribution.PseudonymKeyFile = config.JoinDir(dir, c.Attribution.PseudonymKeyFile)
	if c.MongoDB != nil {
		c.MongoDB.URIFile = config.JoinDir(dir, c.MongoDB.URIFile)
	}
	if c.Lake != nil {
		c.Lake.ObjstoreConfigFile = config.JoinDir(dir, c.Lake.ObjstoreConfigFile)
	}
	if d := c.Directory; d != nil {
		d.File = config.JoinDir(dir, d.File)
		if d.Prometheus != nil {
			setDirectoryOfClient(&d.Prometheus.HTTPClientConfig, dir)
		}
	}
}

func setDirectoryOfClient(h *config.HTTPClientConfig, dir string) {
	h.SetDirectory(dir)
	if h.OAuth2 != nil {
		// SetDirectory of v0.73.1 leaves this one out.
		h.OAuth2.ClientCertificateKeyFile = config.JoinDir(dir, h.OAuth2.ClientCertificateKeyFile)
	}
}
