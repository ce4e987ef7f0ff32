package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v2"
)

// maxSize is far above any real file: whatever is larger was named by mistake.
const maxSize = 1 << 20

// Load reads the file. The error of a file that is not there is fs.ErrNotExist;
// of what is in it, see Parse.
func Load(path string) (*Config, error) {
	text, err := read(path)
	if err != nil {
		var failed *fs.PathError
		if errors.As(err, &failed) {
			// The path of a PathError would be there a second time.
			return nil, fmt.Errorf("%s: %s: %w", path, failed.Op, failed.Err)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return Parse(path, text)
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// One byte more tells a file that is too large from one that just fits.
	return io.ReadAll(io.LimitReader(file, maxSize+1))
}

// Parse reads the text of a file of that name. Relative file names in it are
// taken from the directory of name. Its error joins one line for each fault,
// with name, line and key; first all faults of the shape, and if there are none,
// all faults of the values.
func Parse(name string, text []byte) (*Config, error) {
	f := &faults{file: name, lines: map[string]int{}}
	if len(text) > maxSize {
		f.at(0, "is larger than 1 MiB")
		return nil, f.err()
	}
	root, err := readTree(text)
	if err != nil {
		f.syntax(err)
		return nil, f.err()
	}
	c := Default()
	if root.kind == null {
		return &c, nil
	}
	if root.kind != mapping {
		f.at(root.line, "must be a mapping of keys to values, is %s", root.kind)
		return nil, f.err()
	}
	f.shape("", root.line, root, reflect.TypeOf(c))
	if err := f.err(); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.setDirectory(filepath.Dir(name))
	c.validate(f)
	if err := f.err(); err != nil {
		return nil, err
	}
	return &c, nil
}

var yamlLine = regexp.MustCompile("^(?:yaml: )?(?:line ([0-9]+): )?(?:key (.*) already set in map$)?")

// syntax turns an error of readTree into one fault for each of its lines.
func (f *faults) syntax(err error) {
	if errors.Is(err, errSeveral) {
		f.at(0, "%w", err)
		return
	}
	messages := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		messages = several.Errors
	}
	for _, message := range messages {
		found := yamlLine.FindStringSubmatch(message)
		line, _ := strconv.Atoi(found[1])
		switch {
		case found[2] != "":
			f.at(line, "key %s is there twice", found[2])
		case line != 0:
			// The YAML package counts some of these lines from 0.
			f.at(line, "not valid YAML near this line: %s", message[len(found[0]):])
		default:
			f.at(0, "not valid YAML: %s", message[len(found[0]):])
		}
	}
}

// setDirectory makes file names relative to the configuration file, as
// Prometheus does.
func (c *Config) setDirectory(dir string) {
	h := &c.Prometheus.HTTPClientConfig
	h.SetDirectory(dir)
	if h.OAuth2 != nil {
		// SetDirectory of v0.73.1 leaves this one out.
		h.OAuth2.ClientCertificateKeyFile = config.JoinDir(dir, h.OAuth2.ClientCertificateKeyFile)
	}
	c.Attribution.PseudonymKeyFile = config.JoinDir(dir, c.Attribution.PseudonymKeyFile)
	if c.MongoDB != nil {
		c.MongoDB.URIFile = config.JoinDir(dir, c.MongoDB.URIFile)
	}
}
