// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"slices"
	"strings"
	"unicode"
)

// Part is a part of a key that a label can name.
type Part int

// The parts of a key that are guessed by the names of labels.
const (
	Project Part = iota
	Machine
	User
)

// names are labels that say the part for sure, the likely ones first, and words that suggest it.
var names = map[Part]struct{ sure, words []string }{
	Project: {
		sure: []string{
			"cloud_project_name", "project_name", "project", "openstack_project_name", "openstack_project", "tenant_name", "tenant",
			"cloud_project", "namespace", "k8s_namespace_name", "customer", "team", "account_name", "account", "cloud_account_id", "department",
			"organisation", "organization", "org", "cost_center", "costcenter", "cost_centre", "business_unit", "cloud_project_id",
			"project_id", "tenant_id", "pool",
		},
		words: []string{"project", "tenant", "namespace", "customer", "team", "account", "department", "organi", "cost"},
	},
	Machine: {
		sure: []string{
			"machine_name", "machine_type", "flavor_name", "flavor", "flavour", "instance_type", "node_kubernetes_io_instance_type",
			"host_type", "vm_type", "vm_size", "hardware", "model", "sku", "size", "partition", "machine",
		},
		words: []string{"flavor", "flavour", "instance_type", "machine_type", "vm_size", "hardware"},
	},
	User: {
		sure:  []string{"user", "user_name", "username", "owner", "owner_name", "login", "user_id", "owner_id", "created_by"},
		words: []string{"user", "owner"},
	},
}

// Likeness is how likely a label names a part, by its own name: the higher the likelier, 0: it
// does not look like it.
func Likeness(part Part, label string) int {
	label = snake(label)
	of := names[part]
	if i := slices.Index(of.sure, label); i >= 0 {
		return 2 + len(of.sure) - i
	}
	if slices.Contains(hostNames, label) {
		return 0
	}
	for _, word := range of.words {
		if strings.Contains(label, word) {
			return 1
		}
	}
	return 0
}

// snake writes projectName and project.name as project_name.
func snake(label string) string {
	var b strings.Builder
	for i, r := range label {
		switch {
		case r == '.' || r == '-':
			r = '_'
		case unicode.IsUpper(r):
			if i > 0 {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hostOf is the label that tells most machines apart and that all series have. Of several with as
// many values it is the likeliest.
func hostOf(e Exporter, k known) string {
	likely := k.machineLabels()
	best := -1
	for i, l := range e.Labels {
		if l.Series == e.Series && slices.Contains(likely, l.Name) && (best < 0 || better(l, e.Labels[best], likely)) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return e.Labels[best].Name
}

// machineLabels are the labels that can name a machine, the likely ones first.
func (k known) machineLabels() []string {
	if k.hosts == nil {
		return hostNames
	}
	return k.hosts
}

func better(a, b Label, likely []string) bool {
	if a.Values != b.Values {
		return a.Values > b.Values
	}
	return slices.Index(likely, a.Name) < slices.Index(likely, b.Name)
}
