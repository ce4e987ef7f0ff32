// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package manual

import (
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

func hasShown(flags []*kingpin.FlagModel) bool {
	return slices.ContainsFunc(flags, func(f *kingpin.FlagModel) bool { return !f.Hidden })
}

// synopsis is how a program or one of its commands is called.
func (r *roff) synopsis(program, command string, flags *kingpin.FlagGroupModel, args *kingpin.ArgGroupModel, commands bool) {
	r.macro("Nm", program)
	if command != "" {
		r.macro("Cm", strings.Fields(command)...)
	}
	optional := false
	for _, f := range flags.Flags {
		switch {
		case f.Hidden:
		case f.Required:
			r.flag("Fl", "-"+f.Name, f)
		default:
			optional = true
		}
	}
	if optional {
		r.macro("Op", "Ar", "option ...")
	}
	for _, a := range args.Args {
		switch {
		case a.Hidden:
		case a.Required:
			r.macro("Ar", argument(a))
		default:
			r.macro("Op", "Ar", argument(a))
		}
	}
	if commands {
		r.macro("Ar", "command")
		r.macro("Op", "Ar", "argument ...")
	}
}

// argument is the name of an argument; one that takes several values has dots.
func argument(a *kingpin.ArgModel) string {
	name := a.PlaceHolder
	if name == "" {
		name = a.Name
	}
	name = strings.Trim(name, "<>")
	if many, ok := a.Value.(interface{ IsCumulative() bool }); ok && many.IsCumulative() {
		name += " ..."
	}
	return name
}

func (r *roff) arguments(args []*kingpin.ArgModel) {
	if !slices.ContainsFunc(args, func(a *kingpin.ArgModel) bool { return !a.Hidden }) {
		return
	}
	r.list(func() {
		for _, a := range args {
			if !a.Hidden {
				r.macro("It", "Ar", argument(a))
				r.text(a.HelpWithEnvar())
			}
		}
	})
}

// flags lists what is not hidden, with the default where there is one.
func (r *roff) flags(flags []*kingpin.FlagModel) {
	if !hasShown(flags) {
		return
	}
	r.list(func() {
		for _, f := range flags {
			if f.Hidden {
				continue
			}
			if f.Short != 0 {
				r.macro("It", "Fl", string(f.Short), ",", "Fl", "-"+f.Name)
			} else {
				r.flag("It Fl", "-"+f.Name, f)
			}
			r.text(f.HelpWithEnvar())
			if said := strings.Join(f.Default, ", "); said != "" && !f.IsBoolFlag() {
				r.text("The default is " + said + ".")
			}
		}
	})
}

// flag writes a flag with the name of its value. A switch can be turned off, too.
func (r *roff) flag(macro, name string, f *kingpin.FlagModel) {
	if f.IsBoolFlag() {
		r.macro(macro, "-[no-]"+strings.TrimPrefix(name, "-"))
		return
	}
	value := f.PlaceHolder
	if value == "" {
		value = f.Name[strings.LastIndexAny(f.Name, ".-")+1:]
	}
	r.macro(macro, name, "Ns", "=", "Ns", "Ar", value)
}
