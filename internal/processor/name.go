// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package processor

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// longest is the longest name that is looked at. The processor itself has room for 48 bytes.
const longest = 200

// Name is what the name of a processor says.
type Name struct {
	Family string
	Model  string // as in the table of models, "9354" or "e52680v4"; empty if the name tells only the family
	Cores  int    // per package, as AMD's names say; 0 if the name does not
	// Virtual names are given by a hypervisor or stand for a core that several makers build: the
	// machine beneath may be of a newer family.
	Virtual bool
}

//go:embed families.csv
var familiesCSV []byte

// family is how the names of one family read, once they are cleaned.
type family struct {
	name           string
	model, virtual *regexp.Regexp
}

// families are in order: the first that fits counts. They are written by hand, so a fault in
// them is one of the program.
var families = sync.OnceValue(func() []family {
	rows, err := csv.NewReader(bytes.NewReader(familiesCSV)).ReadAll()
	if err != nil {
		panic(err)
	}
	var all []family
	for _, row := range rows[1:] {
		f := family{name: row[0], model: whole(row[1])}
		if row[2] != "" {
			f.virtual = whole(row[2])
		}
		all = append(all, f)
	}
	return all
})

// whole is a pattern at the beginning of a name that ends where a word does.
func whole(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + pattern + `)(?:-v\d)?(?: |$)`)
}

// Recognise reads a name as Linux, Windows and hypervisors write it. It is false for a name of
// no family, such as that of QEMU's own processor.
func Recognise(name string) (Name, bool) {
	if len(name) > longest {
		return Name{}, false
	}
	cleaned, cores := clean(name)
	for _, f := range families() {
		if m := f.model.FindStringSubmatch(cleaned); m != nil {
			key := strings.NewReplacer(" ", "", "-", "").Replace(strings.Join(m[1:], ""))
			return Name{Family: f.name, Model: key, Cores: cores}, true
		}
		if f.virtual != nil && f.virtual.MatchString(cleaned) {
			return Name{Family: f.name, Virtual: true}, true
		}
	}
	return Name{}, false
}

var marks = strings.NewReplacer("(r)", " ", "(tm)", " ", "(c)", " ", "®", " ", "™", " ", "©", " ", "(", " ", ")", " ", ",", " ")

// clean returns the words that tell models apart, in lower case, and the number of cores if it is
// one of the words: "epyc 9354" and 32 of "AMD EPYC(TM) 9354 32-Core Processor".
func clean(name string) (cleaned string, cores int) {
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToLower(name))
	name, _, _ = strings.Cut(name, "@")
	var words []string
	for word := range strings.FieldsSeq(marks.Replace(name)) {
		switch word {
		case "amd", "intel", "cpu", "processor", "dual-core", "quad-core", "six-core", "eight-core":
			continue
		}
		if n, ok := strings.CutSuffix(word, "-core"); ok {
			if n, err := strconv.ParseUint(n, 10, 16); err == nil {
				cores = int(n)
				continue
			}
		}
		words = append(words, word)
	}
	return strings.Join(words, " "), cores
}
