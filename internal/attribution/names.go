// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// folded is the user that stands for all users who are not shown by name.
const folded = "other"

// isNobody reports whether an owner's name cannot be a user's: it is empty, cannot be a label
// value, or means something else wherever users are shown.
func isNobody(owner string) bool {
	return owner == folded || !isName(owner)
}

// isName reports whether a name can be a label value and stands for a user.
func isName(name string) bool {
	return name != "" && name != usage.Unattributed && utf8.ValidString(name)
}
