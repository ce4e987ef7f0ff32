// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/prometheus/common/model"
)

func (p *Prometheus) validate(f *faults) {
	validateURL(f, "prometheus.url", p.URL)
	if p.Timeout == 0 {
		f.key("prometheus.timeout", "must be positive, is %s", p.Timeout)
	}
	if p.MaxSamplesPerQuery < 0 {
		f.key("prometheus.max_samples_per_query", "must not be negative (0: only the server limits a query), is %d", p.MaxSamplesPerQuery)
	}
	if !isMetric(p.Metric) {
		f.key("prometheus.metric", "must be a metric name such as node_cpu_seconds_total, is %q", p.Metric)
	}
	validateUnit(f, "prometheus.unit", p.Unit)
	if fault := matchersFault(p.Matchers); fault != "" {
		f.key("prometheus.matchers", "%s", fault)
	}
	p.Labels.validate(f)
	if p.BusyQuery == "" && p.CoresQuery == "" {
		for _, label := range []struct{ part, name string }{{"mode", p.Labels.Mode}, {"cpu", p.Labels.CPU}} {
			if label.name == "" {
				f.key("prometheus.labels."+label.part, "must not be empty, or prometheus.cores_query must be set: without this label the cores cannot be counted")
			}
		}
	}
	p.validateModes(f)
	p.validateQueries(f)
	validateInfo(f, "prometheus.info", p.Info, []string{p.Labels.Host}, false)
	p.Shares.validate(f)
	p.Processors.validate(f)
	p.Memory.validate(f)
	if err := p.HTTPClientConfig.Validate(); err != nil {
		f.key("prometheus", "%w", err)
	}
}

func (p Processors) validate(f *faults) {
	if p.Query == "" {
		return
	}
	validateLabelName(f, "prometheus.processors.labels.host", p.Labels.Host, "instance")
	validateLabelName(f, "prometheus.processors.labels.model", p.Labels.Model, "model_name")
	if p.Labels.Package != "" {
		validateLabelName(f, "prometheus.processors.labels.package", p.Labels.Package, "package")
	}
}

func (m Memory) validate(f *faults) {
	if m.Query != "" {
		validateLabelName(f, "prometheus.memory.labels.host", m.Labels.Host, "instance")
	}
}

// What is replaced in a given query: the length of the window, as a duration such as 30m and as a
// number.
const (
	windowVariable  = "$__interval"
	secondsVariable = "$__interval_seconds"
)

// variable finds what looks like a variable of Grafana.
var variable = regexp.MustCompile(`\$__[a-zA-Z0-9_]+`)

func (p *Prometheus) validateQueries(f *faults) {
	validateQueries(f, "prometheus", p.BusyQuery, p.IdleQuery, p.CoresQuery)
	other := p.Fallback
	validateQueries(f, "prometheus.fallback", other.BusyQuery, other.IdleQuery, other.CoresQuery)
	if other.BusyQuery == "" && other.CoresQuery != "" {
		f.key("prometheus.fallback.cores_query", "must be set together with busy_query")
	}
	if other.Host != "" && !isLabel(other.Host) {
		f.key("prometheus.fallback.host", "must be a label name such as instance, is %q", other.Host)
	}
}

// validateQueries checks the queries of one section.
func validateQueries(f *faults, section, busy, idle, cores string) {
	switch {
	case busy != "" && idle == "" && cores == "":
		f.key(section+".busy_query", "must be set together with idle_query or cores_query")
	case busy == "" && idle != "":
		f.key(section+".idle_query", "must be set together with busy_query")
	case busy != "" && idle != "" && hasWindow(busy) != hasWindow(idle):
		f.key(section+".busy_query", "must contain %s or %s if and only if idle_query does: both must cover the same time",
			windowVariable, secondsVariable)
	}
	for _, query := range []struct{ key, text string }{
		{"busy_query", busy}, {"idle_query", idle}, {"cores_query", cores},
	} {
		for _, name := range variable.FindAllString(query.text, -1) {
			if name != windowVariable && name != secondsVariable {
				f.key(section+"."+query.key, "must not contain %s: only %s and %s are replaced", name, windowVariable, secondsVariable)
			}
		}
	}
}

func hasWindow(query string) bool {
	return strings.Contains(query, windowVariable) // also at the beginning of secondsVariable
}

func (l Labels) validate(f *faults) {
	of := map[string]string{}
	// In this order a fault is seldom about a label that has its default.
	for _, label := range []struct{ part, name string }{
		{"mode", l.Mode},
		{"cpu", l.CPU},
		{"project", l.Project},
		{"machine", l.Machine},
		{"host", l.Host},
		{"user", l.User},
	} {
		path := "prometheus.labels." + label.part
		if label.name == "" && (label.part == "cpu" || label.part == "mode") {
			continue
		}
		if !isLabel(label.name) {
			f.key(path, "must be a label name such as %s, is %q", label.part, label.name)
			continue
		}
		if other, taken := of[label.name]; taken {
			f.key(path, "must be a label of its own, is %q, the same as %s", label.name, other)
			continue
		}
		of[label.name] = label.part
	}
}

// dotted is what names of OpenTelemetry look like where Prometheus 3 keeps them.
var dotted = regexp.MustCompile(`^[\pL_:][\pL\pN_:/-]*\.[\pL\pN_:./-]*$`)

// isMetric reports whether a text is the name of a metric, and isLabel whether it is that of a
// label. Prometheus 3 takes any text, but one that has no dot and would have been no name before
// is a slip.
func isMetric(name string) bool {
	return model.LegacyValidation.IsValidMetricName(name) || dotted.MatchString(name)
}

func isLabel(name string) bool {
	return model.LegacyValidation.IsValidLabelName(name) || dotted.MatchString(name)
}

// simpleWord excludes modes that would change the regular expression they are joined to.
var simpleWord = regexp.MustCompile(`^[a-zA-Z0-9_]+$`)

func (p *Prometheus) validateModes(f *faults) {
	in := map[string]string{}
	for _, modes := range []struct {
		key   string
		names []string
		none  bool // may be empty
	}{
		{"busy_modes", p.BusyModes, false}, {"idle_modes", p.IdleModes, false}, {"other_modes", p.OtherModes, true},
	} {
		path := "prometheus." + modes.key
		if len(modes.names) == 0 && !modes.none {
			f.key(path, "must name at least one mode")
		}
		for i, mode := range modes.names {
			at := fmt.Sprintf("%s[%d]", path, i)
			if !simpleWord.MatchString(mode) {
				f.key(at, "must be a simple word such as user, is %q", mode)
			} else if other, taken := in[mode]; taken {
				f.key(at, "%q is in %s already; each mode can be listed once", mode, other)
			} else {
				in[mode] = modes.key
			}
		}
	}
}

// matchersFault returns what is wrong with text that goes inside the braces of a selector, or
// "". The server checks the rest.
func matchersFault(matchers string) string {
	var quote rune
	escaped := false
	for _, r := range matchers {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && quote != '`' && r == '\\':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune("\"'`", r):
			quote = r
		case r == '{' || r == '}':
			return fmt.Sprintf("must be without the braces, is %q", matchers)
		}
	}
	if quote != 0 {
		return fmt.Sprintf("has an unterminated quote: %q", matchers)
	}
	if strings.HasPrefix(strings.TrimSpace(matchers), ",") {
		return fmt.Sprintf("must not begin with a comma, is %q", matchers)
	}
	return ""
}
