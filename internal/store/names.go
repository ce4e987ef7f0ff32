package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// names maps what people call things to the rows that stand for them. Rows are
// only ever added, so what is here stays true whoever else writes the store.
type names struct {
	mu       sync.RWMutex
	projects map[string]int64
	machines map[string]int64
	groups   map[string]int64
	users    map[string]*int64 // present group; nil: none yet
	keys     map[usage.Key]int64
	byID     map[int64]identity
}

// identity is a key and the rows that its names stand for.
type identity struct {
	usage.Key
	project, machine int64
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func loadNames(ctx context.Context, db queryer) (*names, error) {
	n := &names{
		projects: map[string]int64{}, machines: map[string]int64{}, groups: map[string]int64{},
		users: map[string]*int64{}, keys: map[usage.Key]int64{}, byID: map[int64]identity{},
	}
	err := each(ctx, db, `
		SELECT 'project', cloud_project_name, project_id FROM dim_project UNION ALL
		SELECT 'machine', machine_name, machine_id FROM dim_machine UNION ALL
		SELECT 'group', group_name, group_id FROM dim_group UNION ALL
		SELECT 'user', user_id, group_id FROM dim_user`, nil,
		func(rows *sql.Rows) error {
			var table, name string
			var id *int64
			if err := rows.Scan(&table, &name, &id); err != nil {
				return err
			}
			switch table {
			case "project":
				n.projects[name] = *id
			case "machine":
				n.machines[name] = *id
			case "group":
				n.groups[name] = *id
			case "user":
				n.users[name] = id
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return n, n.loadKeys(ctx, db)
}

func (n *names) loadKeys(ctx context.Context, db queryer) error {
	n.mu.Lock()
	defer n.mu.Unlock()
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
			n.keys[k.Key], n.byID[id] = id, k
			return nil
		})
}

// each runs a query and calls f for every row.
func each(ctx context.Context, db queryer, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// naming finds and makes names inside one transaction. What it makes is
// remembered in names only once the transaction is committed (see keep): a row
// that was rolled back has no id.
type naming struct {
	*names
	ctx   context.Context
	tx    *sql.Tx
	added struct {
		projects, machines, groups map[string]int64
		users                      map[string]*int64
		keys                       map[usage.Key]int64
		byID                       map[int64]identity
	}
}

func (n *names) in(ctx context.Context, tx *sql.Tx) *naming {
	g := &naming{names: n, ctx: ctx, tx: tx}
	g.added.projects, g.added.machines, g.added.groups = map[string]int64{}, map[string]int64{}, map[string]int64{}
	g.added.users, g.added.keys = map[string]*int64{}, map[usage.Key]int64{}
	g.added.byID = map[int64]identity{}
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

func (g *naming) find(name string, known, added map[string]int64, insert, get string) (int64, error) {
	g.mu.RLock()
	id, ok := known[name]
	g.mu.RUnlock()
	if ok {
		return id, nil
	}
	if id, ok := added[name]; ok {
		return id, nil
	}
	if _, err := g.tx.ExecContext(g.ctx, insert, name); err != nil {
		return 0, err
	}
	if err := g.tx.QueryRowContext(g.ctx, get, name).Scan(&id); err != nil {
		return 0, err
	}
	added[name] = id
	return id, nil
}

// ids finds or makes the rows of the facts' keys.
func (g *naming) ids(facts []usage.Fact) ([]int64, error) {
	ids := make([]int64, len(facts))
	g.mu.RLock()
	for i := range facts {
		ids[i] = g.keys[facts[i].Key] // 0, which no row has, where it is not known
	}
	g.mu.RUnlock()
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

// key makes the row of a key that was not known, and of everything it names.
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
	for _, insert := range []struct {
		sql  string
		args []any
	}{
		{"INSERT OR IGNORE INTO dim_user(user_id) VALUES (?)", []any{k.User}},
		{"INSERT OR IGNORE INTO map_user_project VALUES (?, ?)", []any{k.User, project}},
		{"INSERT OR IGNORE INTO map_project_machine VALUES (?, ?)", []any{project, machine}},
		{
			"INSERT OR IGNORE INTO usage_key(project_id, machine_id, user_id, group_id) VALUES (?, ?, ?, ?)",
			[]any{project, machine, k.User, group},
		},
	} {
		if _, err := g.tx.ExecContext(g.ctx, insert.sql, insert.args...); err != nil {
			return 0, err
		}
	}
	if err := g.tx.QueryRowContext(g.ctx, `SELECT key_id FROM usage_key
		WHERE project_id = ? AND machine_id = ? AND user_id = ? AND group_id = ?`,
		project, machine, k.User, group).Scan(&id); err != nil {
		return 0, err
	}
	g.added.keys[k], g.added.byID[id] = id, identity{Key: k, project: project, machine: machine}
	return id, nil
}

// home sets the present group of a user, by which the views v_group_* add up.
// It only writes a change.
func (g *naming) home(user, group string) error {
	id, err := g.group(group)
	if err != nil {
		return err
	}
	g.mu.RLock()
	have := g.users[user]
	g.mu.RUnlock()
	if have != nil && *have == id {
		return nil
	}
	if _, err := g.tx.ExecContext(g.ctx, "UPDATE dim_user SET group_id = ? WHERE user_id = ?", id, user); err != nil {
		return err
	}
	g.added.users[user] = &id
	return nil
}

// keep remembers what a committed transaction made.
func (g *naming) keep() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range []struct{ to, from map[string]int64 }{
		{g.projects, g.added.projects}, {g.machines, g.added.machines}, {g.groups, g.added.groups},
	} {
		for name, id := range m.from {
			m.to[name] = id
		}
	}
	for user, id := range g.added.users {
		g.users[user] = id
	}
	for k, id := range g.added.keys {
		g.keys[k], g.byID[id] = id, g.added.byID[id]
	}
}

// keyOf is the key of an id, also of one that another program has just added.
func (g *naming) keyOf(ctx context.Context, id int64) (identity, error) {
	if k, ok := g.added.byID[id]; ok {
		return k, nil
	}
	g.mu.RLock()
	k, ok := g.byID[id]
	g.mu.RUnlock()
	if ok {
		return k, nil
	}
	if err := g.loadKeys(ctx, g.tx); err != nil {
		return identity{}, err
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if k, ok = g.byID[id]; !ok {
		return k, fmt.Errorf("usage_key %d does not exist", id)
	}
	return k, nil
}
