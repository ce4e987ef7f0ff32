package config

// validate leaves what an address looks like to the driver: it is a secret, and no
// message could say what is wrong with it.
func (m *MongoDB) validate(f *faults) {
	switch {
	case m.URI == "" && m.URIFile == "":
		f.key("mongodb", "must have uri or uri_file")
	case m.URI != "" && m.URIFile != "":
		f.key("mongodb.uri", "must not be set beside uri_file")
	}
	for _, name := range []struct{ key, value string }{
		{"database", m.Database},
		{"collections.workspaces", m.Collections.Workspaces},
		{"collections.users", m.Collections.Users},
		{"collections.groups", m.Collections.Groups},
		{"collections.hosts", m.Collections.Hosts},
	} {
		if name.value == "" {
			f.key("mongodb."+name.key, "must not be empty")
		}
	}
}
