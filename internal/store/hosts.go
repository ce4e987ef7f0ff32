package store

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// hostPort takes a label apart: 172.16.100.5:9100, [fd00::5]:9100, vm7. The port
// is nil where there is none.
func hostPort(label string) (host string, port any) {
	if h, p, err := net.SplitHostPort(label); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err == nil {
			return h, int64(n)
		}
		return label, nil
	}
	if inner, ok := strings.CutPrefix(label, "["); ok && strings.HasSuffix(inner, "]") {
		return strings.TrimSuffix(inner, "]"), nil
	}
	return label, nil
}

// hostRow is the usage of one host in one stretch of a piece, as it is stored.
type hostRow struct {
	start, instance, until, machine int64
	amounts
	estimated bool
}

// putHosts replaces what is known by host of the record's interval, estimates
// included. A record that knows nothing by host leaves it.
func (s *Store) putHosts(ctx context.Context, tx *sqlite.Tx, naming *naming, rec usage.Record) error {
	if rec.Hosts == nil {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM workspace_usage WHERE start >= ? AND start < ?", span(rec.Interval)...); err != nil {
		return err
	}
	rows := make([]hostRow, 0, len(rec.Hosts))
	for _, h := range rec.Hosts {
		instance, err := naming.instance(h.Host)
		if err != nil {
			return err
		}
		machine, err := naming.machine(h.Machine)
		if err != nil {
			return err
		}
		rows = append(rows, hostRow{
			start: h.Start.Unix(), instance: instance, until: h.Until.Unix(), machine: machine,
			amounts: amounts{h.CPU, h.Energy},
		})
	}
	return s.putHostRows(ctx, tx, oneEach(rows))
}

// oneEach orders rows as the table has them and adds up those of one stretch,
// which several series of one host have.
func oneEach(rows []hostRow) []hostRow {
	slices.SortStableFunc(rows, func(a, b hostRow) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.instance, b.instance), cmp.Compare(a.until, b.until))
	})
	var merged []hostRow
	for _, r := range rows {
		if n := len(merged); n > 0 && merged[n-1].start == r.start && merged[n-1].instance == r.instance && merged[n-1].until == r.until {
			merged[n-1].plus(r.amounts)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

func (s *Store) putHostRows(ctx context.Context, tx *sqlite.Tx, rows []hostRow) error {
	return s.insert.host.Write(ctx, tx, len(rows), func(to []any, i int) []any {
		r := &rows[i]
		return append(to, r.start, r.instance, r.until, r.machine,
			float64(r.cpu.Busy), float64(r.cpu.Idle), float64(r.energy.Busy), float64(r.energy.Idle), r.estimated)
	})
}
