package mongo

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// maxText is the longest name that is taken for one, as it is of a label.
const maxText = 1024

// text reads a name. Absent and null are the same, "" and the reason absent.
func text(doc bson.Raw, field, absent string) (value, reason string) {
	v, err := lookup(doc, field)
	if err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return "", absent
	}
	if v.Type != bson.TypeString && v.Type != bson.TypeInt32 && v.Type != bson.TypeInt64 {
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

// plain is a value as text: a string as it is, a whole number by its digits. No
// string means anything but itself. What is none, is not UTF-8, holds a NUL, which
// C strings end at, or is longer than any name is none.
func plain(v bson.RawValue) (string, bool) {
	switch v.Type {
	case bson.TypeInt32:
		return strconv.FormatInt(int64(v.Int32()), 10), true
	case bson.TypeInt64:
		return strconv.FormatInt(v.Int64(), 10), true
	case bson.TypeString:
		s, ok := v.StringValueOK()
		return strings.Clone(s), ok && len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
	}
	return "", false
}

// The years a date can be of: others are a mistake of units, and would not fit
// where times are kept.
var (
	firstDate = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastDate  = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
)

// date reads a time, in whole seconds. Absent and null are the zero time.
func date(doc bson.Raw, field string) (time.Time, string) {
	v, err := lookup(doc, field)
	if err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return time.Time{}, ""
	}
	at, ok := v.TimeOK()
	if !ok || at.Before(firstDate) || at.After(lastDate) {
		return time.Time{}, badType
	}
	return at.UTC().Truncate(time.Second), ""
}

// identity is a document's id as text. The same text of two types is two ids.
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
