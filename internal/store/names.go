// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"sync"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// names maps the names of things to the ids of their rows. Rows are only ever added, so an
// entry stays true whoever else writes to the store. The exception is a person who is
// forgotten, by this program or another: then all names are read again (see in).
type names struct {
	mu       sync.RWMutex // guards register, its maps, and aliases
	register *register
	aliases  map[string]string // by the id of a person who was forgotten while this program ran
}

// register is what one reading of the names found, with what was added since.
type register struct {
	projects  map[string]int64
	machines  map[string]int64
	groups    map[string]int64
	instances map[string]int64  // by label
	users     map[string]*int64 // id of the present group; nil: none yet
	keys      map[usage.Key]int64
	byID      map[int64]identity
	ordered   []int64 // the ids of keys in order of the keys, as of some time: see naming.ordered
	forgotten forgotten
}

// identity is a key and the ids of its project and machine type.
type identity struct {
	usage.Key
	project, machine int64
}

func loadNames(ctx context.Context, db queryer) (*names, error) {
	b, err := readRegister(ctx, db)
	return &names{register: b, aliases: map[string]string{}}, err
}

func readRegister(ctx context.Context, db queryer) (*register, error) {
	b := &register{
		projects: map[string]int64{}, machines: map[string]int64{}, groups: map[string]int64{}, instances: map[string]int64{},
		users: map[string]*int64{}, keys: map[usage.Key]int64{}, byID: map[int64]identity{},
	}
	err := each(ctx, db, `
		SELECT 'project', cloud_project_name, project_id FROM dim_project UNION ALL
		SELECT 'machine', machine_name, machine_id FROM dim_machine UNION ALL
		SELECT 'group', group_name, group_id FROM dim_group UNION ALL
		SELECT 'instance', raw_label, instance_id FROM dim_instance WHERE raw_label IS NOT NULL UNION ALL
		SELECT 'user', user_id, group_id FROM dim_user`, nil,
		func(rows *sql.Rows) error {
			var table, name string
			var id *int64
			if err := rows.Scan(&table, &name, &id); err != nil {
				return err
			}
			switch table {
			case "project":
				b.projects[name] = *id
			case "machine":
				b.machines[name] = *id
			case "group":
				b.groups[name] = *id
			case "instance":
				b.instances[name] = *id
			case "user":
				b.users[name] = id
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	if err := readKeys(ctx, db, func(id int64, k identity) { b.keys[k.Key], b.byID[id] = id, k }); err != nil {
		return nil, err
	}
	b.forgotten, err = readForgotten(ctx, db)
	return b, err
}

func readKeys(ctx context.Context, db queryer, f func(id int64, k identity)) error {
	return each(ctx, db, `
		SELECT k.key_id, k.project_id, k.machine_id, p.cloud_project_name, m.machine_name, k.user_id, g.group_name
		FROM usage_key k JOIN dim_project p USING (project_id) JOIN dim_machine m USING (machine_id)
		JOIN dim_group g ON g.group_id = k.group_id`, nil,
		func(rows *sql.Rows) error {
			var id int64
			var k identity
			if err := rows.Scan(&id, &k.project, &k.machine, &k.Project, &k.Machine, &k.User, &k.Group); err != nil {
				return err
			}
			f(id, k)
			return nil
		})
}

// in returns the names for use in one transaction. A transaction that sees more forgotten
// people than the names know of reads the names again; one that sees fewer began earlier, and
// knows no key that the names lack.
func (n *names) in(ctx context.Context, tx *sqlite.Tx) (*naming, error) {
	var forgotten int
	// The driver starts a goroutine for a call that could be cancelled.
	quiet := context.WithoutCancel(ctx)
	if err := tx.QueryRowContext(quiet, "SELECT count(*) FROM forgotten").Scan(&forgotten); err != nil {
		return nil, err
	}
	n.mu.RLock()
	b := n.register
	n.mu.RUnlock()
	if forgotten > len(b.forgotten.ids) {
		fresh, err := readRegister(ctx, tx)
		if err != nil {
			return nil, err
		}
		b = n.turn(fresh)
	}
	return newNaming(ctx, tx, n, b), nil
}

// turn replaces the register by a newer one, unless another transaction already has.
func (n *names) turn(fresh *register) *register {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(fresh.forgotten.ids) <= len(n.register.forgotten.ids) {
		return n.register
	}
	for id, k := range n.register.byID {
		if is := fresh.byID[id].User; is != k.User {
			n.aliases[k.User] = is
		}
	}
	n.register = fresh
	return fresh
}

// alias returns what a user is called now.
func (n *names) alias(user string) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if alias, ok := n.aliases[user]; ok {
		return alias
	}
	return user
}

// homesMoved drops the cached present groups after something other than usage changed them.
func (n *names) homesMoved() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.register.users)
}
