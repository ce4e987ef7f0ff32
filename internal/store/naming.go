// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// naming finds and adds names inside one transaction. What it adds becomes part of names only
// after the commit (see keep): a row that was rolled back has no id.
type naming struct {
	*register
	names *names
	ctx   context.Context
	tx    *sqlite.Tx
	added struct {
		projects, machines, groups, instances map[string]int64

		users map[string]*int64
		keys  map[usage.Key]int64
		byID  map[int64]identity

		people map[string]bool // rows of dim_user
		links  map[link]bool
	}
	gone map[string]bool // answers of isGone in this transaction
}

func newNaming(ctx context.Context, tx *sqlite.Tx, n *names, b *register) *naming {
	// The driver starts a goroutine for each call that could be cancelled, and there are many.
	g := &naming{register: b, names: n, ctx: context.WithoutCancel(ctx), tx: tx, gone: map[string]bool{}}
	g.added.projects, g.added.machines, g.added.groups = map[string]int64{}, map[string]int64{}, map[string]int64{}
	g.added.instances = map[string]int64{}
	g.added.users, g.added.keys = map[string]*int64{}, map[usage.Key]int64{}
	g.added.byID = map[int64]identity{}
	g.added.people, g.added.links = map[string]bool{}, map[link]bool{}
	return g
}

func (g *naming) project(name string) (int64, error) {
	return g.find(name, g.projects, g.added.projects,
		"INSERT OR IGNORE INTO dim_project(cloud_project_name) VALUES (?)",
		"SELECT project_id FROM dim_project WHERE cloud_project_name = ?")
}

func (g *naming) machine(name string) (int64, error) {
	return g.find(name, g.machines, g.added.machines,
		"INSERT OR IGNORE INTO dim_machine(machine_name) VALUES (?)",
		"SELECT machine_id FROM dim_machine WHERE machine_name = ?")
}

func (g *naming) group(name string) (int64, error) {
	return g.find(name, g.groups, g.added.groups,
		"INSERT OR IGNORE INTO dim_group(group_name) VALUES (?)",
		"SELECT group_id FROM dim_group WHERE group_name = ?")
}

// instance returns the id of a host by its label as received, adding a row if there is none.
func (g *naming) instance(label string) (int64, error) {
	host, port := hostPort(label)
	return g.find(label, g.instances, g.added.instances,
		"INSERT INTO dim_instance(raw_label, host, port) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM dim_instance WHERE raw_label = ?1)",
		"SELECT min(instance_id) FROM dim_instance WHERE raw_label = ?", host, port)
}

// find returns the id of a name. If there is no row it adds one, from the name and more, with
// the statement insert.
func (g *naming) find(name string, known, added map[string]int64, insert, get string, more ...any) (int64, error) {
	g.names.mu.RLock()
	id, ok := known[name]
	g.names.mu.RUnlock()
	if ok {
		return id, nil
	}
	if id, ok := added[name]; ok {
		return id, nil
	}
	if _, err := g.tx.ExecContext(g.ctx, insert, append([]any{name}, more...)...); err != nil {
		return 0, err
	}
	if err := g.tx.QueryRowContext(g.ctx, get, name).Scan(&id); err != nil {
		return 0, err
	}
	added[name] = id
	return id, nil
}

// ids returns the ids of the facts' keys, adding rows for new ones.
func (g *naming) ids(facts []usage.Fact) ([]int64, error) {
	ids := make([]int64, len(facts))
	g.names.mu.RLock()
	for i := range facts {
		ids[i] = g.keys[facts[i].Key] // 0, which no row has, if unknown
	}
	g.names.mu.RUnlock()
	for i := range facts {
		if ids[i] != 0 {
			continue
		}
		id, err := g.key(facts[i].Key)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// key adds a row for a new key, and for every name in it that is new.
func (g *naming) key(k usage.Key) (id int64, err error) {
	if id, ok := g.added.keys[k]; ok {
		return id, nil
	}
	project, err := g.project(k.Project)
	if err != nil {
		return 0, err
	}
	machine, err := g.machine(k.Machine)
	if err != nil {
		return 0, err
	}
	group, err := g.group(k.Group)
	if err != nil {
		return 0, err
	}
	if err := g.user(k.User); err != nil {
		return 0, err
	}
	if err := g.link(link{"map_user_project", k.User, project}); err != nil {
		return 0, err
	}
	if err := g.link(link{"map_project_machine", project, machine}); err != nil {
		return 0, err
	}
	err = g.tx.QueryRowContext(g.ctx, `INSERT OR IGNORE INTO usage_key(project_id, machine_id, user_id, group_id) VALUES (?, ?, ?, ?)
		RETURNING key_id`, project, machine, k.User, group).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) { // another program has added it
		err = g.tx.QueryRowContext(g.ctx, `SELECT key_id FROM usage_key
			WHERE project_id = ? AND machine_id = ? AND user_id = ? AND group_id = ?`,
			project, machine, k.User, group).Scan(&id)
	}
	if err != nil {
		return 0, err
	}
	g.added.keys[k], g.added.byID[id] = id, identity{Key: k, project: project, machine: machine}
	return id, nil
}

// link is a row of a table that maps one name to another.
type link struct {
	table    string
	from, to any
}

// link adds a row, unless there is one. A hundred thousand keys have few.
func (g *naming) link(l link) error {
	if g.added.links[l] {
		return nil
	}
	g.added.links[l] = true
	_, err := g.tx.ExecContext(g.ctx, "INSERT OR IGNORE INTO "+l.table+" VALUES (?, ?)", l.from, l.to)
	return err
}

// user adds a row for a user, unless there is one.
func (g *naming) user(id string) error {
	if g.added.people[id] {
		return nil
	}
	g.added.people[id] = true
	_, err := g.tx.ExecContext(g.ctx, "INSERT OR IGNORE INTO dim_user(user_id) VALUES (?)", id)
	return err
}

// livesIn reports whether a group is the present one of a user, according to their usage.
func (g *naming) livesIn(user, group string) bool {
	g.names.mu.RLock()
	defer g.names.mu.RUnlock()
	have, ok := g.added.users[user]
	if !ok {
		have = g.users[user]
	}
	id, known := g.added.groups[group]
	if !known {
		id, known = g.groups[group]
	}
	return have != nil && known && *have == id
}

// home sets the present group of a user according to their usage; the views v_group_* add up by
// it. A person whose group comes from the directory keeps that.
func (g *naming) home(user, group string) error {
	id, err := g.group(group)
	if err != nil {
		return err
	}
	if _, err := g.tx.ExecContext(g.ctx, `UPDATE dim_user SET group_id = ?1
		WHERE user_id = ?2 AND group_id IS NOT ?1 AND NOT (
			EXISTS (SELECT 1 FROM setting WHERE name = 'homes' AND value = 'directory')
			AND EXISTS (SELECT 1 FROM directory_person WHERE user_id = ?2))`, id, user); err != nil {
		return err
	}
	g.added.users[user] = &id
	return nil
}

// keep adds what a committed transaction added to names, unless somebody was forgotten since:
// it may concern that person, and is read again when needed.
func (g *naming) keep() {
	g.names.mu.Lock()
	defer g.names.mu.Unlock()
	if g.names.register != g.register {
		return
	}
	for _, m := range []struct{ to, from map[string]int64 }{
		{g.projects, g.added.projects}, {g.machines, g.added.machines}, {g.groups, g.added.groups}, {g.instances, g.added.instances},
	} {
		maps.Copy(m.to, m.from)
	}
	maps.Copy(g.users, g.added.users)
	for k, id := range g.added.keys {
		g.keys[k], g.byID[id] = id, g.added.byID[id]
	}
}

// keyOf returns the key of an id, even if another program has just added it.
func (g *naming) keyOf(ctx context.Context, id int64) (identity, error) {
	if k, ok := g.added.byID[id]; ok {
		return k, nil
	}
	g.names.mu.RLock()
	k, ok := g.byID[id]
	g.names.mu.RUnlock()
	if ok {
		return k, nil
	}
	if err := g.lookAgain(ctx); err != nil {
		return identity{}, err
	}
	g.names.mu.RLock()
	defer g.names.mu.RUnlock()
	if k, ok = g.byID[id]; !ok {
		return k, fmt.Errorf("usage_key %d does not exist", id)
	}
	return k, nil
}

// lookAgain reads the keys that other programs have added. Keys that this transaction added are
// left out until it is committed.
func (g *naming) lookAgain(ctx context.Context) error {
	g.names.mu.Lock()
	defer g.names.mu.Unlock()
	return readKeys(ctx, g.tx, func(id int64, k identity) {
		if _, own := g.added.byID[id]; !own {
			g.keys[k.Key], g.byID[id] = id, k
		}
	})
}
