// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package cim

import (
	_ "embed" // for cloud.csv
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed cloud.csv
var cloud string

// Schema is what a record may have, by field.
type Schema map[string]field

type field struct {
	kind     string
	required bool
	allowed  []string // empty: all
}

// Cloud returns the schema of records of a cloud; cloud.csv says where it is from.
func Cloud() (Schema, error) {
	r := csv.NewReader(strings.NewReader(cloud))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("cloud.csv: %w", err)
	}
	s := Schema{}
	for _, row := range rows[1:] {
		f := field{kind: row[1], required: row[2] == "true"}
		if row[3] != "" {
			f.allowed = strings.Split(row[3], "; ")
		}
		s[row[0]] = f
	}
	return s, nil
}

// Check says what of a record, as JSON, is not as the schema has it.
func (s Schema) Check(record []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(record, &values); err != nil {
		return err
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f, known := s[name]
		if !known {
			faults = append(faults, fmt.Errorf("%s: the schema has no such field", name))
		} else if err := f.check(values[name]); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if _, there := values[name]; s[name].required && !there {
			faults = append(faults, fmt.Errorf("%s: is missing", name))
		}
	}
	if len(faults) == 0 {
		faults = append(faults, ordered(values))
	}
	return errors.Join(faults...)
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (f field) check(raw json.RawMessage) error {
	text := string(raw)
	switch f.kind {
	case "float", "integer":
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("must be a number, is %s", text)
		}
		if _, err := strconv.ParseInt(text, 10, 64); f.kind == "integer" && err != nil {
			return fmt.Errorf("must be an integer, is %s", text)
		}
		if v < 0 {
			return fmt.Errorf("must not be negative, is %s", text)
		}
	default:
		var s string
		if err := json.Unmarshal(raw, &s); err != nil || text == "null" {
			return fmt.Errorf("must be a string, is %s", text)
		}
		_, noTime := time.Parse("2006-01-02T15:04:05Z", s)
		switch {
		case strings.TrimSpace(s) == "":
			return errors.New("must not be empty")
		case f.kind == "uuid" && !uuidForm.MatchString(s):
			return fmt.Errorf("must be a UUID, is %q", s)
		case f.kind == "datetime" && noTime != nil:
			return fmt.Errorf("must be a time in UTC, is %q", s)
		}
		text = s
	}
	if len(f.allowed) > 0 && !slices.Contains(f.allowed, text) {
		return fmt.Errorf("must be one of %s, is %s", strings.Join(f.allowed, ", "), text)
	}
	return nil
}

// ordered checks that a record is of some time.
func ordered(values map[string]json.RawMessage) error {
	at := func(name string) (t time.Time) {
		_ = json.Unmarshal(values[name], &t) // its form was checked
		return t
	}
	if !at("StartExecTime").Before(at("EndExecTime")) {
		return errors.New("EndExecTime: must be after StartExecTime")
	}
	return nil
}
