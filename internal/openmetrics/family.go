// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package openmetrics

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	nameForm  = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelForm = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

const totalSuffix = "_total"

// sampleName is the name of the samples.
func (f Family) sampleName() string {
	if f.Type == Counter {
		return f.Name + totalSuffix
	}
	return f.Name
}

func (f Family) check() error {
	switch {
	case !nameForm.MatchString(f.Name):
		return errors.New("is not a valid metric name")
	case f.Type != Gauge && f.Type != Counter:
		return fmt.Errorf("type %q: must be %s or %s", f.Type, Gauge, Counter)
	case strings.HasSuffix(f.Name, totalSuffix):
		return fmt.Errorf("must not end in %s; samples of a counter get it", totalSuffix)
	case f.Unit != "" && !strings.HasSuffix(f.Name, "_"+f.Unit):
		return fmt.Errorf("must end in its unit, _%s", f.Unit)
	}
	for i, label := range f.Labels {
		switch {
		case !labelForm.MatchString(label) || strings.HasPrefix(label, "__"):
			return fmt.Errorf("label %q: is not a valid label name", label)
		case slices.Contains(f.Labels[:i], label):
			return fmt.Errorf("label %q: is a duplicate", label)
		}
	}
	return nil
}
