// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package commandline

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// named says which flag or argument has the value that err is about. Kingpin does not, so the
// values are tried once more.
func named(context *kingpin.ParseContext, err error) error {
	for _, element := range context.Elements {
		var name string
		var value kingpin.Value
		switch clause := element.Clause.(type) {
		case *kingpin.FlagClause:
			m := clause.Model()
			name, value = "--"+m.Name, m.Value
		case *kingpin.ArgClause:
			m := clause.Model()
			name, value = m.Name, m.Value
		default:
			continue
		}
		if refused := value.Set(*element.Value); refused != nil && refused.Error() == err.Error() {
			return fmt.Errorf("%s: %w", name, plain(*element.Value, refused))
		}
	}
	return err
}

// oneOf is kingpin's error for a value that is none of the words.
var oneOf = regexp.MustCompile(`^enum value must be one of (.*), got '`)

// plain is an error of a value in the words of the other errors.
func plain(value string, err error) error {
	if found := oneOf.FindStringSubmatch(err.Error()); found != nil {
		words := strings.Split(found[1], ",")
		last := len(words) - 1
		return fmt.Errorf("must be %s or %s, is %q", strings.Join(words[:last], ", "), words[last], value)
	}
	if _, ok := errors.AsType[*strconv.NumError](err); ok {
		return fmt.Errorf("must be a whole number, is %q", value)
	}
	return err
}

var (
	unexpected = regexp.MustCompile(`^unexpected (argument )?'?(.*?)'?$`)
	repeated   = regexp.MustCompile(`^flag '(.*)' cannot be repeated$`)
)

// inWords mends kingpin's errors that leave one guessing.
func inWords(err error) error {
	if found := unexpected.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Errorf("unexpected argument %q", found[2])
	}
	if found := repeated.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Errorf("--%s: can be given only once", found[1])
	}
	return err
}
