// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package manual

import (
	"io"
	"strings"
)

// fish asks the program itself, as kingpin's scripts for bash and zsh do. fish proposes files
// where the program has nothing to propose.
const fish = `function __PROGRAM_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -e words[1]
    set -l found (PROGRAM --completion-bash $words "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else if not string match -q -- '-*' "$current"
        __fish_complete_path "$current"
    end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`

// Fish writes the script that completes the command line of a program in fish.
func Fish(w io.Writer, program string) error {
	_, err := io.WriteString(w, strings.ReplaceAll(fish, "PROGRAM", program))
	return err
}
