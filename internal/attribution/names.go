package attribution

import (
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// folded is the user under which those who are not named are shown together.
const folded = "other"

// isNobody says that an owner's name can't be a user's: it is empty, no label
// can hold it, or it stands for something else wherever users are shown.
func isNobody(owner string) bool {
	return owner == folded || !isName(owner)
}

// isName says that a label can hold the name and that it means somebody.
func isName(name string) bool {
	return name != "" && name != usage.Unattributed && utf8.ValidString(name)
}
