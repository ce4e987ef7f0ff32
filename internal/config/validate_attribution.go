// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "fmt"

func (a *Attribution) validate(f *faults, haveDirectory bool) {
	validateOneOf(f, "attribution.group_by", a.GroupBy, GroupByProject, GroupByProjectMachine, GroupByDirectory)
	if a.GroupBy == GroupByDirectory && !haveDirectory {
		f.key("attribution.group_by", "directory needs a section directory or mongodb")
	}
	validateOneOf(f, "attribution.user_label", a.UserLabel, UserLabelID, UserLabelPseudonym, UserLabelNone)
	if (a.UserLabel == UserLabelPseudonym) != (a.PseudonymKeyFile != "") {
		f.key("attribution.pseudonym_key_file", "is needed with user_label: pseudonym, and only then")
	}
	if a.MaxUsers < 0 {
		f.key("attribution.max_users", "must not be negative (0: all are named), is %d", a.MaxUsers)
	}
	names, groupOf := map[string]bool{}, map[string]string{}
	for i, group := range a.Groups {
		path := fmt.Sprintf("attribution.groups[%d]", i)
		if group.Name == "" {
			f.key(path+".name", "must not be empty")
		} else if names[group.Name] {
			f.key(path+".name", "must be unique, but %q is used already", group.Name)
		}
		names[group.Name] = true
		if len(group.Projects) == 0 {
			f.key(path+".projects", "must name at least one project")
		}
		for j, project := range group.Projects {
			at := fmt.Sprintf("%s.projects[%d]", path, j)
			if project == "" {
				f.key(at, "must not be empty")
			} else if other, taken := groupOf[project]; taken {
				f.key(at, "%q is in group %q already; a project can be in one group only", project, other)
			} else {
				groupOf[project] = group.Name
			}
		}
	}
}
