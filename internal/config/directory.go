// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// Directory says who has which host, in place of MongoDB. Exactly one of File and Prometheus is
// set.
type Directory struct {
	File       string               `yaml:"file,omitempty"` // .csv, .json, .yaml or .yml
	Prometheus *DirectoryPrometheus `yaml:"prometheus,omitempty"`
	Refresh    model.Duration       `yaml:"refresh"` // how often it is read
}

// DirectoryPrometheus is an info metric of a Prometheus.
type DirectoryPrometheus struct {
	URL      config.URL      `yaml:"url,omitempty"` // none: the server of the section prometheus, with its client
	Metric   string          `yaml:"metric"`        // empty: only Names are read
	Matchers string          `yaml:"matchers"`
	Labels   DirectoryLabels `yaml:"labels"`
	Names    DirectoryNames  `yaml:"names"`

	HTTPClientConfig config.HTTPClientConfig `yaml:",inline"` // of URL
}

// DirectoryLabels names the labels of the info metric; empty: it does not say.
type DirectoryLabels struct {
	Host    string `yaml:"host"`
	Owner   string `yaml:"owner"`
	Project string `yaml:"project"`
	Machine string `yaml:"machine"`
	Group   string `yaml:"group"`
}

// DirectoryNames are metrics that give the names of ids.
type DirectoryNames struct {
	Project NameMetric `yaml:"project"`
	User    NameMetric `yaml:"user"`
	Group   NameMetric `yaml:"group"`
}

// NameMetric is a metric with an id in one label and its name in another. Without Metric there
// is none.
type NameMetric struct {
	Metric   string `yaml:"metric"`
	Matchers string `yaml:"matchers"`
	ID       string `yaml:"id"`
	Name     string `yaml:"name"`
}

// Any returns whether any metric gives names.
func (n DirectoryNames) Any() bool {
	return n.Project.Metric != "" || n.User.Metric != "" || n.Group.Metric != ""
}

// UnmarshalYAML sets the section's defaults first.
func (p *DirectoryPrometheus) UnmarshalYAML(section *yaml.Node) error {
	names := NameMetric{ID: "id", Name: "name"}
	*p = DirectoryPrometheus{
		Labels:           DirectoryLabels{Host: "instance"},
		Names:            DirectoryNames{Project: names, User: names, Group: names},
		HTTPClientConfig: config.DefaultHTTPClientConfig,
	}
	type plain DirectoryPrometheus
	return section.Decode((*plain)(p))
}

// defaultRefresh is how often a directory is read that does not say.
func (d *Directory) defaultRefresh() model.Duration {
	if d.Prometheus != nil {
		return model.Duration(5 * time.Minute)
	}
	return model.Duration(30 * time.Second)
}

// directoryFormats are the endings of a directory's file.
var directoryFormats = []string{".csv", ".json", ".yaml", ".yml"}

func (d *Directory) validate(f *faults, withMongoDB bool) {
	switch {
	case withMongoDB:
		f.key("directory", "must not be set together with mongodb: owners can come from one place only; remove one of the two sections")
	case d.File == "" && d.Prometheus == nil:
		f.key("directory", "must have file or prometheus")
	case d.File != "" && d.Prometheus != nil:
		f.key("directory.prometheus", "must not be set together with file")
	}
	if d.File != "" && !slices.Contains(directoryFormats, strings.ToLower(filepath.Ext(d.File))) {
		f.key("directory.file", "must end in .csv, .json, .yaml or .yml, is %q", d.File)
	}
	validateWithin(f, "directory.refresh", d.Refresh, minRefresh, maxRefresh)
	if d.Prometheus != nil {
		d.Prometheus.validate(f)
	}
}

func (p *DirectoryPrometheus) validate(f *faults) {
	const path = "directory.prometheus"
	own := !reflect.DeepEqual(p.HTTPClientConfig, config.DefaultHTTPClientConfig)
	switch {
	case p.URL.URL != nil:
		validateURL(f, path+".url", p.URL)
	case own:
		f.key(path, "must have a url of its own to have credentials and other settings of a client of its own")
	}
	if err := p.HTTPClientConfig.Validate(); err != nil {
		f.key(path, "%w", err)
	}
	if p.Metric == "" && !p.Names.Any() {
		f.key(path, "must have metric, or names")
	}
	if p.Metric != "" {
		p.validateMetric(f, path)
	}
	for _, names := range []struct {
		key string
		NameMetric
	}{{"project", p.Names.Project}, {"user", p.Names.User}, {"group", p.Names.Group}} {
		if names.Metric != "" {
			names.validate(f, path+".names."+names.key)
		}
	}
}

func (p *DirectoryPrometheus) validateMetric(f *faults, path string) {
	validateMetricName(f, path+".metric", p.Metric, "libvirt_domain_openstack_info")
	if fault := matchersFault(p.Matchers); fault != "" {
		f.key(path+".matchers", "%s", fault)
	}
	l := p.Labels
	validateLabelName(f, path+".labels.host", l.Host, "instance")
	for _, label := range []struct{ part, name string }{
		{"owner", l.Owner}, {"project", l.Project}, {"machine", l.Machine}, {"group", l.Group},
	} {
		if label.name != "" {
			validateLabelName(f, path+".labels."+label.part, label.name, label.part)
		}
	}
	switch {
	case l.Owner == "" && l.Group != "":
		f.key(path+".labels.group", "must be set together with owner: a group is one of users")
	case l.Owner == "" && l.Project == "" && l.Machine == "":
		f.key(path+".labels", "must name the label of owner, project or machine")
	}
}

func (n NameMetric) validate(f *faults, path string) {
	validateMetricName(f, path+".metric", n.Metric, "openstack_identity_project_info")
	if fault := matchersFault(n.Matchers); fault != "" {
		f.key(path+".matchers", "%s", fault)
	}
	validateLabelName(f, path+".id", n.ID, "id")
	validateLabelName(f, path+".name", n.Name, "name")
}

func validateMetricName(f *faults, path, name, example string) {
	if !isMetric(name) {
		f.key(path, "must be a metric name such as %s, is %q", example, name)
	}
}

func validateLabelName(f *faults, path, name, example string) {
	if !isLabel(name) {
		f.key(path, "must be a label name such as %s, is %q", example, name)
	}
}
