// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// columns are families with a series for each key, which are nearly all of a large site's
// exposition: a number for each family, mode and key, and each key once. A hundred thousand keys
// take 20 megabytes so; as metrics of client_golang they would take a gigabyte.
type columns struct {
	before, after []named // those that come before the label mode, and after it
	keys          []usage.Key
	order         []int32 // of the keys, as a registry orders series: by the values of their labels

	rows map[usage.Key]int32 // while the columns are made
}

// named is a label of all series of columns, and where its value is in their keys.
type named struct {
	name string
	of   func(*usage.Key) *string
}

// newColumns makes columns for so many keys. Keys are ordered by group, machine, project and user,
// whatever these mean: so must the labels be.
func newColumns(keys int, before, after []named) *columns {
	return &columns{before: before, after: after, rows: make(map[usage.Key]int32, keys), keys: make([]usage.Key, 0, keys)}
}

func project(k *usage.Key) *string { return &k.Project }
func machine(k *usage.Key) *string { return &k.Machine }
func user(k *usage.Key) *string    { return &k.User }
func group(k *usage.Key) *string   { return &k.Group }

// usageColumns have the labels of usage that are not left out.
func usageColumns(keys int, fold usage.Fold) *columns {
	labels := func(all ...named) []named {
		return slices.DeleteFunc(all, func(l named) bool {
			return l.name == "project" && fold.Project || l.name == "machine" && fold.Machine || l.name == "user" && fold.User || l.name == "group" && fold.Group
		})
	}
	return newColumns(keys, labels(named{"group", group}, named{"machine", machine}), labels(named{"project", project}, named{"user", user}))
}

// keyed is a family with a series for each key, by mode or not.
type keyed struct {
	*family
	*columns
	column []column
	// modes has the mode of each column; nil: there is one column, without a mode.
	modes []usage.Mode
}

// column has a value for each key; NaN: none. A column without any value is nil.
type column []float64

var none = math.NaN()

// row returns the row of a key, which may be new.
func (c *columns) row(k usage.Key) int32 {
	r, ok := c.rows[k]
	if !ok {
		r = int32(len(c.keys))
		c.rows[k] = r
		c.keys = append(c.keys, k)
	}
	return r
}

// set sets the value of a row. The rows after the last that was set have none.
func (k *keyed) set(i int, r int32, v float64) {
	c := k.column[i]
	if c == nil {
		c = make(column, 0, cap(k.keys))
	}
	for int(r) >= len(c) {
		c = append(c, none)
	}
	c[r] = v
	k.column[i] = c
}

// at returns the value of a row.
func (c column) at(r int32) (v float64, ok bool) {
	if int(r) >= len(c) {
		return 0, false
	}
	v = c[r]
	return v, v == v
}

// byMode sets what is measured only where there are devices that measure: most keys have none.
func byMode[T ~float64](f *keyed, r int32, devices bool, v usage.ByMode[T]) {
	f.set(0, r, float64(v.Busy))
	f.set(1, r, float64(v.Idle))
	if devices {
		f.set(2, r, float64(v.Measured))
	}
}

// finish orders the keys. It leaves out those that no label can hold, and says so.
func (c *columns) finish() error {
	var errs []error
	c.rows = nil
	c.order = make([]int32, 0, len(c.keys))
	for i, k := range c.keys {
		if !utf8.ValidString(k.Project) || !utf8.ValidString(k.Machine) || !utf8.ValidString(k.User) || !utf8.ValidString(k.Group) {
			errs = append(errs, fmt.Errorf("label value of %+q is not valid UTF-8", k))
			continue
		}
		c.order = append(c.order, int32(i))
	}
	slices.SortFunc(c.order, func(i, j int32) int {
		a, b := &c.keys[i], &c.keys[j]
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Machine, b.Machine),
			strings.Compare(a.Project, b.Project), strings.Compare(a.User, b.User))
	})
	return errors.Join(errs...)
}

// runs calls f with each run of keys of one group and machine. In a run, the series of one mode
// come before those of the next.
func (c *columns) runs(f func(run []int32)) {
	for rest := c.order; len(rest) > 0; {
		first := &c.keys[rest[0]]
		n := 1
		for n < len(rest) && c.keys[rest[n]].Group == first.Group && c.keys[rest[n]].Machine == first.Machine {
			n++
		}
		f(rest[:n])
		rest = rest[n:]
	}
}

// samples counts them.
func (k *keyed) samples() (n int) {
	for _, c := range k.column {
		for _, v := range c {
			if v == v {
				n++
			}
		}
	}
	return n
}
