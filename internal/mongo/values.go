// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxText is the longest text accepted as a name, in bytes.
const maxText = 1024

// name reads a name, cut like a label value. Absent and null are the same: "" and the reason
// absent.
func name(doc bson.Raw, field, absent string) (value, reason string) {
	value, reason = text(doc, field, absent)
	return usage.Name(value), reason
}

// host reads a host's name in the spelling by which series and directories are compared.
func host(doc bson.Raw, field string) (value, reason string) {
	label, reason := text(doc, field, missingHostname)
	value = directory.HostName(usage.HostLabel(label))
	if value == "" && reason == "" {
		reason = missingHostname
	}
	return value, reason
}

func text(doc bson.Raw, field, absent string) (value, reason string) {
	v, err := lookup(doc, field)
	if err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return "", absent
	}
	if v.Type != bson.TypeString && !isNumber(v) {
		return "", badType
	}
	value, ok := plain(v)
	switch {
	case !ok:
		return "", badText
	case value == "":
		return "", absent
	}
	return value, ""
}

// plain returns a value as text: a string as it is, a whole number by its digits. A string is
// only ever a name, never part of a query. It refuses text that is not UTF-8, contains a NUL,
// which ends a string in C, or is longer than any name.
func plain(v bson.RawValue) (string, bool) {
	if n, ok := number(v); ok {
		return strconv.FormatInt(n, 10), true
	}
	if v.Type != bson.TypeString {
		return "", false
	}
	s, ok := v.StringValueOK()
	if !ok || len(s) > maxText || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", false
	}
	return strings.Clone(s), true
}

func isNumber(v bson.RawValue) bool {
	_, ok := number(v)
	return ok
}

// maxWhole is where a double no longer tells two whole numbers apart.
const maxWhole = 1 << 53

// number returns a whole number. JavaScript stores each as a double.
func number(v bson.RawValue) (int64, bool) {
	switch v.Type {
	case bson.TypeInt32:
		return int64(v.Int32()), true
	case bson.TypeInt64:
		return v.Int64(), true
	case bson.TypeDouble:
		f := v.Double()
		return int64(f), f == math.Trunc(f) && math.Abs(f) < maxWhole
	}
	return 0, false
}

// The valid years of a date. Others are a mistake of units, and the store cannot hold them.
var (
	firstDate = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastDate  = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
)

// date reads a time, in whole seconds. Absent, null and what stands for "not set" are the zero
// time.
func date(doc bson.Raw, field string) (time.Time, string) {
	v, err := lookup(doc, field)
	if err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return time.Time{}, ""
	}
	at, ok := v.TimeOK()
	switch at = at.UTC(); {
	case !ok:
		return time.Time{}, badType
	case isNotSet(at):
		return time.Time{}, ""
	case at.Before(firstDate) || at.After(lastDate):
		return time.Time{}, badType
	}
	return at.Truncate(time.Second), ""
}

// isNotSet reports whether a date is one that programs write for none: the zero times of Go, C#
// and Unix, and the last year that most can write. By its time zone it can be a day off.
func isNotSet(at time.Time) bool {
	switch at.Year() {
	case 0:
		return at.YearDay() == 366 // 31 December
	case 1, 9999:
		return true
	case 10000:
		return at.YearDay() == 1
	case 1969:
		return at.YearDay() == 365
	}
	return at.Year() == 1970 && at.YearDay() == 1
}

// identity returns a document's id as text. Equal texts of two types are different ids.
func identity(doc bson.Raw) string {
	v, err := doc.LookupErr("_id")
	if err != nil {
		return ""
	}
	switch v.Type {
	case bson.TypeObjectID:
		return v.ObjectID().Hex()
	case bson.TypeString:
		if s, ok := v.StringValueOK(); ok {
			return strconv.Quote(s)
		}
	}
	return v.String() // extended JSON: {"$numberInt":"7"}
}
