// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/cim"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// exportCIM writes execution unit records for EGI's accounting.
type exportCIM struct {
	export
	unit        cim.Site
	owner       string
	factor      float64
	factorGiven bool
}

// Who the owner of a record can be.
const (
	ownerProject = "project"
	ownerGroup   = "group"
)

func (e *exportCIM) register(app *kingpin.Application) *kingpin.CmdClause {
	c := e.export.register(app, "cim", "Write energy records for EGI (GreenDIGIT CIM).", `
Writes execution unit records of the GreenDIGIT Common Information Model, as sites
send them to EGI's accounting: a JSON array of the usage of each unit on each day, in
the time zone of the store. A unit is the machines of one type of one project, and of
one group with --owner=group. It has the same ExecUnitID on every day and in every
export, so that sending a day again replaces it. Records have no person.

EnergyWh includes the PUE, as everywhere here, so PUE is 1: the service must not count
it twice. CI_g and CFP_g are given once all energy of the record has a carbon
intensity. What is not known is left out, and is never 0. Every record is held to the
schema before it is written.

Example:

    carbontool export cim --site-name=RAL-LCG2 --cloud-type=openstack \
      --from=yesterday --to=today --output=records.json
`)
	c.Flag("site-name", "Name of the site, as it is registered in GOCDB.").Required().PlaceHolder("NAME").StringVar(&e.unit.Name)
	c.Flag("cloud-service", "CloudComputeService: the name of the service in the site. Default: the name of the site.").PlaceHolder("NAME").StringVar(&e.unit.Service)
	c.Flag("cloud-type", "CloudType: what the cloud is made with, such as openstack.").Default("carbon_exporter").StringVar(&e.unit.CloudType)
	c.Flag("owner", "Whose usage a record is, which EGI takes for a virtual organisation: project or group.").
		Default(ownerProject).EnumVar(&e.owner, ownerProject, ownerGroup)
	c.Flag("cpu-normalization-factor", "CPUNormalizationFactor of the site. Without it, records have none. Energy is not multiplied by it.").
		PlaceHolder("FACTOR").IsSetByUser(&e.factorGiven).Float64Var(&e.factor)
	return c
}

// checkFlags refuses what no record can have.
func (e *exportCIM) checkFlags() error {
	switch {
	case strings.TrimSpace(e.unit.Name) == "":
		return wrongUsef("--site-name: is empty; give the name of the site")
	case strings.TrimSpace(e.unit.CloudType) == "":
		return wrongUsef("--cloud-type: is empty")
	case e.factorGiven && !(e.factor > 0 && e.factor <= maxFlag):
		return wrongUsef("--cpu-normalization-factor: must be a positive number, is %v", e.factor)
	}
	if e.factorGiven {
		e.unit.CPUFactor = &e.factor
	}
	if e.unit.Service == "" {
		e.unit.Service = e.unit.Name
	}
	return nil
}

// maxFlag is more than any factor or price can be: infinity is a typing error.
const maxFlag = 1e12

func (e *exportCIM) run(ctx context.Context, s streams) error {
	if err := e.checkFlags(); err != nil {
		return err
	}
	now := time.Now()
	x, err := e.open(ctx, now)
	if err != nil {
		return err
	}
	defer x.Close()
	open := func(out io.Writer) (dayWriter[cim.Record], error) { return cim.NewWriter(out) }
	return writeDays(ctx, s, &e.export, x, now, e.unitOf, open, e.recordOf)
}

// unitOf is the key of the execution unit that usage is of. People are in none.
func (e *exportCIM) unitOf(k usage.Key) usage.Key {
	unit := usage.Key{Project: k.Project, Machine: k.Machine}
	if e.owner == ownerGroup {
		unit.Group = k.Group
	}
	return unit
}

func (e *exportCIM) recordOf(day answers.Day, k answers.KeyUse) cim.Record {
	u := cim.Unit{Site: e.unit, Owner: k.Project, Key: k.Key}
	if e.owner == ownerGroup {
		u.Owner = k.Group
	}
	return u.Record(day.Covered, k.Tally)
}
