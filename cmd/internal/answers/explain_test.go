// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"strings"
	"testing"
)

func TestProjectsThatThereAre(t *testing.T) {
	names := strings.Split("a b c d e f g h i j k l", " ")
	if got, want := projects(names), `it has "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" and 2 more`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
