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
	// A UTF-8 name would have to be quoted in the query.
	if !model.LegacyValidation.IsValidMetricName(p.Metric) {
		f.key("prometheus.metric", "must be a metric name such as node_cpu_seconds_total, is %q", p.Metric)
	}
	if fault := matchersFault(p.Matchers); fault != "" {
		f.key("prometheus.matchers", "%s", fault)
	}
	p.Labels.validate(f)
	p.validateModes(f)
	if (p.BusyQuery == "") != (p.IdleQuery == "") {
		given, missing := "busy_query", "idle_query"
		if p.BusyQuery == "" {
			given, missing = missing, given
		}
		f.key("prometheus."+given, "must be set together with %s", missing)
	} else if window := "$__interval"; strings.Contains(p.BusyQuery, window) != strings.Contains(p.IdleQuery, window) {
		f.key("prometheus.busy_query", "must contain %s if and only if idle_query does: both must cover the same time", window)
	}
	if err := p.HTTPClientConfig.Validate(); err != nil {
		f.key("prometheus", "%w", err)
	}
}

func (l Labels) validate(f *faults) {
	of := map[string]string{}
	// In this order a fault is seldom about a label that has its default.
	for _, label := range []struct{ part, name string }{
		{"mode", l.Mode}, {"cpu", l.CPU},
		{"project", l.Project}, {"machine", l.Machine}, {"host", l.Host}, {"user", l.User},
	} {
		path := "prometheus.labels." + label.part
		if !model.LegacyValidation.IsValidLabelName(label.name) {
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
