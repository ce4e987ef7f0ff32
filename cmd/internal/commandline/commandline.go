// Package commandline parses arguments without ending the process, so that tests can call a
// whole program. It must not know any flag. Start with Parse.
package commandline

import (
	"errors"
	"io"

	"github.com/alecthomas/kingpin/v2"
)

// ErrAnswered means that the arguments requested a text, such as --help, which has been
// written.
var ErrAnswered = errors.New("answered")

// Parse returns the name of the command in the arguments, if there are commands. Kingpin would
// end the process after --help and --version, whose text goes to stdout; Parse returns
// ErrAnswered instead.
func Parse(app *kingpin.Application, args []string, stdout io.Writer) (command string, err error) {
	app.UsageWriter(stdout)
	app.Terminate(func(int) { panic(ErrAnswered) })
	defer func() {
		switch reason := recover(); reason {
		case nil:
		case ErrAnswered:
			err = ErrAnswered
		default:
			panic(reason)
		}
	}()
	return app.Parse(args)
}
