package intensity

import (
	"bytes"
	"encoding/json"
)

// strictJSON is text, in which NaN and the infinities, which JSON does not
// have and some servers write all the same, are strings. So they spoil their
// own slot and not the whole answer.
func strictJSON(text []byte) []byte {
	if json.Valid(text) {
		return text
	}
	strict := make([]byte, 0, len(text)+16)
	for i := 0; i < len(text); {
		n := 1
		word := notANumber(text[i:])
		switch {
		case word != "":
			n = len(word)
			strict = append(strict, '"')
			strict = append(strict, word...)
			strict = append(strict, '"')
		case text[i] == '"':
			n = stringLength(text[i:])
			fallthrough
		default:
			strict = append(strict, text[i:i+n]...)
		}
		i += n
	}
	return strict
}

// notANumber is the word that text begins with, if it is one of these.
func notANumber(text []byte) string {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return word
		}
	}
	return ""
}

// stringLength is the length of the JSON string that text begins with, quotes
// included.
func stringLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
