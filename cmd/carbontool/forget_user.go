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

// forgetUser removes a person from the store. What it says names nobody: it may
// end up in a ticket or a log.
type forgetUser struct {
	site
	user string
	yes  bool
}

func (f *forgetUser) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("forget-user", "Remove a person from the store; every sum stays as it is.").HelpLong(`
The person's usage goes on under a random alias, the name and the workspaces go,
and what the person uses from now on is nobody's ("unattributed"). The file is
rewritten so that its free pages hold nothing either: this takes as long as
copying it, and as much space again for that time. carbon_exporter may run
meanwhile. It cannot be undone.

Example:

    carbontool forget-user alice --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	f.site.register(c)
	c.Flag("yes", "Do not ask.").BoolVar(&f.yes)
	c.Arg("ID", "The user's id, as in the label user and in dim_user.").Required().StringVar(&f.user)
	return c
}

func (f *forgetUser) run(ctx context.Context, s streams) error {
	if !f.yes && !progress.Terminal(s.in) {
		return wrongUsef("nobody can be asked, as standard input is no terminal: give --yes")
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
		return fmt.Errorf("forget a user in %s: there is no such user, or none any more", f.storagePath)
	}
	return err
}

// report says what was done and what is left to do.
func (f *forgetUser) report(out io.Writer, c *config.Config, alias string, rewritten bool) {
	fmt.Fprintf(out, "The user is forgotten in %s. Past usage is now of %s, every sum is as it was; usage to come is unattributed.\n", f.storagePath, alias)
	if rewritten {
		fmt.Fprintln(out, "The file was rewritten: its free pages hold nothing of the user either.")
	}
	fmt.Fprintln(out, "Not covered, and yours to remove:")
	if m := c.MongoDB; m != nil {
		fmt.Fprintf(out, "- MongoDB's own record, in the database %s (%s, %s, %s)\n", m.Database, m.Collections.Users, m.Collections.Groups, m.Collections.Workspaces)
		if m.UsageDatabase != "" {
			fmt.Fprintf(out, "- what MongoDB's user_usage, in the database %s, has of intervals that --storage.retention took away;\n"+
				"  the others carbon_exporter writes anew without the user\n", m.UsageDatabase)
		}
	}
	fmt.Fprint(out, "- Prometheus' history: series with the label user, of carbon_exporter and of the machines\n"+
		"- backups, copies and exports of the store\n")
}

// confirm asks on a terminal, and is an error unless the answer is yes.
func confirm(ctx context.Context, s streams, question string) error {
	fmt.Fprint(s.err, question)
	answer := make(chan string, 1)
	// Nothing ends a read from a terminal: after Ctrl-C it ends with the program.
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
