// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package manual

import (
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/manual/manualtest"
)

// odd is a program whose texts are full of what means something to roff.
func odd() *kingpin.Application {
	app := kingpin.New("odd", "Says .Dd and 'Sh at the start. .Ed begins a sentence.")
	app.HelpFlag.Short('h')
	app.Flag("path.file", `A path such as C:\new, "quoted" or 'so', of 5 °C.`).Default(".Nm").String()
	app.Flag("no", "A macro.").PlaceHolder("No").Required().String()
	app.Flag("at-most", "A limit.").PlaceHolder(".").String()
	app.Flag("secret", "Not for people.").Hidden().Bool()
	app.Flag("fast", "A switch.").Bool()
	both := app.Command("check", "Check.")
	c := both.Command("all", "Check it all.").HelpLong(`
A paragraph of
two lines.

'Nm begins this one.

Example:

    odd check all  --no=1
      indented \e
    .Sh NAME
`)
	c.Arg("file", "What to check.").Required().Strings()
	c.Arg("Sh", "Perhaps more.").String()
	both.Command("Op", "Hardly anything.")
	return app
}

var oddPage = Page{
	Summary:     `odd - a "program"`,
	Description: []string{"First.", "Second. 'Third."},
	Exit:        []Item{{"0", "Well."}},
	Files:       []Item{{".hidden", "A file."}},
	Examples:    []Item{{"odd --no=1\nodd -- .Sh", "Twice:"}},
	SeeAlso:     []string{"even"},
	Web:         "https://example.org/",
	Release:     "1.2.3",
	Date:        time.Date(2026, 11, 1, 23, 0, 0, 0, time.UTC),
}

func written(t *testing.T, p Page, app *kingpin.Application) string {
	t.Helper()
	var b strings.Builder
	if err := p.Write(&b, app.Model()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNoTextIsACommandToRoff(t *testing.T) {
	page := written(t, oddPage, odd())
	manualtest.Lint(t, page)
	read := manualtest.Read(t, page)
	for _, want := range []string{
		"ODD(1)", "November 1, 2026", "odd 1.2.3",
		`odd – odd - a "program"`,
		"SYNOPSIS odd --no=No [option ...] command [argument ...]",
		"Says .Dd and 'Sh at the start. .Ed begins a sentence.",
		"Second. 'Third.",
		`--path.file=file A path such as C:\new, "quoted" or 'so', of 5 °C. The default is .Nm.`,
		"--at-most=.", "--[no-]fast A switch.", "-h, --help",
		"check all odd check all file ... [Sh] Check it all. file ... What to check. Sh Perhaps more.",
		"A paragraph of two lines. 'Nm begins this one. Example: odd check all --no=1 indented \\e .Sh NAME",
		"check Op odd check Op Hardly anything.", ".hidden A file.", "EXIT STATUS 0 Well.", "Twice: odd --no=1 odd -- .Sh",
		"SEE ALSO even(1), https://example.org/",
	} {
		if !strings.Contains(read, want) {
			t.Errorf("%q is not in it", want)
		}
	}
	if strings.Contains(read, "secret") {
		t.Error("it has a hidden flag")
	}
	if t.Failed() {
		t.Log(read)
	}
}

func TestTheSamePageTwice(t *testing.T) {
	if a, b := written(t, oddPage, odd()), written(t, oddPage, odd()); a != b {
		t.Error("two pages differ")
	}
}

func TestFishIsToldTheNameOfTheProgram(t *testing.T) {
	var b strings.Builder
	if err := Fish(&b, "odd"); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Contains(got, "PROGRAM") || !strings.HasSuffix(got, "complete -c odd -f -a '(__odd_complete)'\n") {
		t.Errorf("got\n%s", got)
	}
}
