package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
)

// forgetUser removes a person from the store. Its output never names the person,
// because it may end up in a ticket or a log.
type forgetUser struct {
	site
	user string
	yes  bool
}

func (f *forgetUser) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("forget-user", "Remove a person from the store. All totals stay the same.").HelpLong(`
The person's past usage is kept under a random alias, their name and workspaces are
deleted, and their future usage is "unattributed". The file is rewritten so that its
free pages hold no trace; this takes as long as copying the file and temporarily needs
as much free space again. carbon_exporter may run at the same time. This cannot be
undone.

Example:

    carbontool forget-user alice --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	f.site.register(c)
	c.Flag("yes", "Do not ask for confirmation.").BoolVar(&f.yes)
	c.Arg("ID", "Id of the user, as in the label user and the table dim_user.").Required().StringVar(&f.user)
	return c
}

func (f *forgetUser) run(ctx context.Context, s streams) error {
	if !f.yes && !progress.Terminal(s.in) {
		return wrongUsef("standard input is not a terminal, so there is nobody to confirm: add --yes")
	}
	c, err := f.config()
	if err != nil {
		return err
	}
	st, err := f.open(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	if !f.yes {
		question := fmt.Sprintf("Forget %q in %s? This cannot be undone. Type yes: ", f.user, f.storagePath)
		if err := confirm(ctx, s, question); err != nil {
			return err
		}
	}
	alias, found, err := st.Forget(ctx, f.user)
	if found {
		f.report(s.out, c, alias, err == nil)
	}
	if err == nil && !found {
		return fmt.Errorf("forget a user in %s: no such user, or already forgotten", f.storagePath)
	}
	return err
}

// report prints what was done and what remains to do.
func (f *forgetUser) report(out io.Writer, c *config.Config, alias string, rewritten bool) {
	fmt.Fprintf(out, "Removed the user from %s. Past usage now belongs to %s, all totals are unchanged, and future usage is unattributed.\n", f.storagePath, alias)
	if rewritten {
		fmt.Fprintln(out, "The file was rewritten, so its free pages hold no trace of the user.")
	}
	fmt.Fprintln(out, "Not covered; remove these yourself:")
	if m := c.MongoDB; m != nil {
		fmt.Fprintf(out, "- the documents in MongoDB, database %s (%s, %s, %s)\n", m.Database, m.Collections.Users, m.Collections.Groups, m.Collections.Workspaces)
		if m.UsageDatabase != "" {
			fmt.Fprintf(out, "- documents of user_usage in MongoDB, database %s, for intervals deleted by --storage.retention;\n"+
				"  carbon_exporter rewrites all others without the user\n", m.UsageDatabase)
		}
	}
	fmt.Fprint(out, "- series in Prometheus that have the label user, from carbon_exporter and from the machines\n"+
		"- backups, copies and exports of the store\n")
}

// confirm asks on a terminal and fails unless the answer is yes.
func confirm(ctx context.Context, s streams, question string) error {
	fmt.Fprint(s.err, question)
	answer := make(chan string, 1)
	// A read from a terminal cannot be cancelled: after Ctrl-C it ends with the program.
	go func() {
		line, _ := bufio.NewReader(s.in).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.err)
		return errors.New("nothing was changed")
	case said := <-answer:
		if !strings.EqualFold(said, "yes") {
			return errors.New("the answer was not yes, nothing was changed")
		}
		return nil
	}
}
