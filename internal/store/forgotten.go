package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// forgotten tells whose usage is nobody's from now on, without naming anybody:
// it holds hashes of ids, keyed with a salt of the store's own.
type forgotten struct {
	salt []byte
	ids  map[[sha256.Size]byte]bool
}

func readForgotten(ctx context.Context, db queryer) (forgotten, error) {
	f := forgotten{ids: map[[sha256.Size]byte]bool{}}
	err := db.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'forgotten_salt'").Scan(&f.salt)
	if errors.Is(err, sql.ErrNoRows) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	return f, each(ctx, db, "SELECT hash FROM forgotten", nil, func(rows *sql.Rows) error {
		var hash []byte
		if err := rows.Scan(&hash); err != nil {
			return err
		}
		f.ids[[sha256.Size]byte(hash)] = true
		return nil
	})
}

func (f forgotten) hash(user string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, f.salt)
	mac.Write([]byte(user))
	return [sha256.Size]byte(mac.Sum(nil))
}

func (f forgotten) holds(user string) bool {
	return len(f.ids) > 0 && f.ids[f.hash(user)]
}

// isGone says whether a user was forgotten.
func (g *naming) isGone(user string) bool {
	if len(g.forgotten.ids) == 0 {
		return false
	}
	gone, asked := g.gone[user]
	if !asked {
		gone = g.forgotten.holds(user)
		g.gone[user] = gone
	}
	return gone
}

// whose is the user that usage of a user is booked to: nobody, once forgotten.
func (g *naming) whose(user string) string {
	if g.isGone(user) {
		return usage.Unattributed
	}
	return user
}

// booked gives the facts as they are to be booked: what comes of people who were
// forgotten is nobody's, and added up where it becomes one key's.
func (g *naming) booked(facts []usage.Fact) []usage.Fact {
	type place struct {
		usage.Key
		start int64
	}
	var moved map[place][]usage.Fact
	for _, f := range facts {
		if g.isGone(f.User) {
			if moved == nil {
				moved = map[place][]usage.Fact{}
			}
			f.User = usage.Unattributed
			p := place{f.Key, f.Start.Unix()}
			moved[p] = append(moved[p], f)
		}
	}
	if moved == nil {
		return facts
	}
	var all []usage.Fact
	for _, f := range facts {
		p := place{f.Key, f.Start.Unix()}
		switch others, ok := moved[p]; {
		case g.isGone(f.User):
		case ok:
			moved[p] = append(others, f)
		default:
			all = append(all, f)
		}
	}
	for _, same := range moved {
		all = append(all, together(same))
	}
	return all
}

// together adds up facts of one key and piece, exactly, so that their order does
// not matter.
func together(facts []usage.Fact) usage.Fact {
	f := facts[0]
	if len(facts) == 1 {
		return f
	}
	var cpu usage.BusyIdleSum[usage.CPUSeconds]
	var energy usage.BusyIdleSum[usage.KWh]
	for _, o := range facts {
		cpu.Add(o.CPU)
		energy.Add(o.Energy)
	}
	f.CPU, f.Energy = cpu.BusyIdle(), energy.BusyIdle()
	return f
}
