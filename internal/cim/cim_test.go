// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package cim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	start = time.Date(2026, 10, 1, 0, 0, 0, 0, time.FixedZone("BST", 3600))
	day   = usage.Period{From: start, To: start.AddDate(0, 0, 1)}
	unit  = Unit{
		Site: Site{Name: "RAL-LCG2", CloudType: "openstack", Service: "IRIS"}, Owner: "ISIS",
		Key: usage.Key{Project: "ISIS", Machine: "Muon"},
	}
)

// tally is 2 kWh of 900 busy seconds of 3600, at 100 gCO2eq/kWh.
func tally() usage.Tally {
	return usage.Tally{
		CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: 900, Idle: 2700},
		Energy: usage.ByMode[usage.KWh]{Busy: 1.5, Idle: 0.25, Measured: 0.25}, Priced: true,
		Emissions: usage.ByMode[usage.Grams]{Busy: 150, Idle: 25, Measured: 25},
	}
}

// written is a record as a writer writes it alone.
func written(t *testing.T, r Record) string {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// wholeRecord has the UUID that others make of the same name, too.
const wholeRecord = `[
{"SiteName":"RAL-LCG2","CloudType":"openstack","CloudComputeService":"IRIS","ExecUnitID":"608dd108-5feb-54fc-ba1a-ad7fedde6ad0","StartExecTime":"2026-09-30T23:00:00Z","EndExecTime":"2026-10-01T23:00:00Z","EnergyWh":2000,"Work":0.45,"Efficiency":0.25,"WallClockTime_s":86400,"CpuDuration_s":900,"ExecUnitFinished":0,"Status":"running","Owner":"ISIS","PUE":1,"CI_g":100,"CFP_g":200}
]
`

func TestRecord(t *testing.T) {
	if got := written(t, unit.Record(day, tally())); got != wholeRecord {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNotKnownIsLeftOut(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*usage.Tally)
		absent []string
	}{
		{"no carbon intensity", func(u *usage.Tally) { u.Priced, u.Unpriced, u.Emissions = false, 2, usage.ByMode[usage.Grams]{} }, []string{"CI_g", "CFP_g"}},
		{"a carbon intensity of a part alone", func(u *usage.Tally) { u.Unpriced = 0.5 }, []string{"CI_g", "CFP_g"}},
		{"devices alone", func(u *usage.Tally) { u.CPU = usage.BusyIdle[usage.CPUSeconds]{} }, []string{"CpuDuration_s", "Efficiency", "Work"}},
		{"no energy", func(u *usage.Tally) { u.Energy, u.Emissions = usage.ByMode[usage.KWh]{}, usage.ByMode[usage.Grams]{} }, []string{"Work", "CI_g"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := tally()
			tc.change(&u)
			var got []map[string]any
			if err := json.Unmarshal([]byte(written(t, unit.Record(day, u))), &got); err != nil {
				t.Fatal(err)
			}
			absent := slices.Concat(tc.absent, []string{"SuspendDuration_s", "CPUNormalizationFactor"}) // nobody has said those
			for _, name := range absent {
				if v, there := got[0][name]; there {
					t.Errorf("%s is %v", name, v)
				}
			}
			if want := 19 - len(absent); len(got[0]) != want {
				t.Errorf("%d fields, want %d: %v", len(got[0]), want, got[0])
			}
		})
	}
}

func TestAUnitIsItselfAlone(t *testing.T) {
	seen := map[string]Unit{}
	for _, u := range []Unit{
		unit,
		{Site: unit.Site, Owner: "g", Key: usage.Key{Project: "ISIS", Machine: "Muon", Group: "g"}},
		{Site: unit.Site, Owner: "ISI", Key: usage.Key{Project: "SISIS", Machine: "Muon"}},
		{Site: unit.Site, Owner: "ISIS", Key: usage.Key{Project: "ISIS", Machine: "SANS"}},
		{Site: Site{Name: "RAL-LCG2", Service: "other"}, Owner: "ISIS", Key: unit.Key},
		{Site: Site{Name: "DL", Service: "IRIS"}, Owner: "ISIS", Key: unit.Key},
	} {
		id := u.ID()
		if was, twice := seen[id]; twice || id != u.ID() || !uuidForm.MatchString(id) {
			t.Errorf("%s is %+v and %+v", id, u, was)
		}
		seen[id] = u
	}
}

func TestRecordsOfSeveral(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := w.Write(unit.Record(day, tally())); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var got []Record
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got) != 3 || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestNoRecordsAreAnEmptyArray(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out)
	if err == nil {
		err = w.Close()
	}
	if err != nil || out.String() != "[]\n" {
		t.Errorf("%v: %q", err, out.String())
	}
}

func TestWhatIsNotOfTheSchemaIsNotWritten(t *testing.T) {
	u := unit
	u.Owner = " "
	var out bytes.Buffer
	w, err := NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(u.Record(day, tally())); err == nil || err.Error() != "record of  , 2026-09-30T23:00:00Z: Owner: must not be empty" || out.Len() > 0 {
		t.Errorf("%v: %s", err, out.String())
	}
}

// published are records as others send them: of the README of the service, and of cASO's tests.
var published = []string{
	`{"SiteName": "IFCA-LCG2", "EnergyWh": 82.79, "Work": 96.58, "StartExecTime": "2025-09-15T18:00:01Z", "EndExecTime": "2025-09-16T00:00:01Z",
	  "Status": "running", "Owner": "openrisknet.org", "ExecUnitID": "77666a0e-5aac-409d-befd-e427386b554b", "ExecUnitFinished": 0,
	  "WallClockTime_s": 15853, "SuspendDuration_s": 0, "CpuDuration_s": 7996, "CPUNormalizationFactor": 2.27, "Efficiency": 0.37,
	  "CloudType": "openstack", "CloudComputeService": "ifca"}`,
	`{"ExecUnitID": "e3c5aeef-37b8-4332-ad9f-9d068f156dc2", "StartExecTime": "2023-05-25T12:00:00Z", "EndExecTime": "2023-05-25T18:00:00Z",
	  "EnergyWh": 5.0, "Work": 10.0, "Efficiency": 0.5, "WallClockTime_s": 3600, "CpuDuration_s": 1800, "SuspendDuration_s": 0,
	  "CPUNormalizationFactor": 2.7, "ExecUnitFinished": 0, "Status": "running", "Owner": "VO 1 FQAN", "SiteName": "TEST-Site",
	  "CloudType": "caso/5.2.2 (OpenStack)", "CloudComputeService": "Fake Cloud Service"}`,
}

func TestTheSchemaTakesWhatIsPublished(t *testing.T) {
	s, err := Cloud()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range published {
		if err := s.Check([]byte(record)); err != nil {
			t.Errorf("%v: %s", err, record)
		}
	}
}

func TestTheSchemaRefuses(t *testing.T) {
	s, err := Cloud()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, from, to, want string }{
		{"a field that there is not", `"Status"`, `"State"`, "State: the schema has no such field\nStatus: is missing"},
		{"a field that is missing", `"EnergyWh": 82.79, `, ``, "EnergyWh: is missing"},
		{"a number as text", `82.79`, `"82.79"`, `EnergyWh: must be a number, is "82.79"`},
		{"energy that is not known", `82.79`, `null`, `EnergyWh: must be a number, is null`},
		{"energy below nothing", `82.79`, `-1`, `EnergyWh: must not be negative, is -1`},
		{"a part of a second", `15853`, `15853.5`, `WallClockTime_s: must be an integer, is 15853.5`},
		{"a text that is none", `"running"`, `null`, `Status: must be a string, is null`},
		{"an empty text", `"openrisknet.org"`, `""`, `Owner: must not be empty`},
		{"an identifier that is none", `77666a0e-`, ``, `ExecUnitID: must be a UUID, is "5aac-409d-befd-e427386b554b"`},
		{"a time of a zone", `2025-09-16T00:00:01Z`, `2025-09-16T00:00:01+02:00`, `EndExecTime: must be a time in UTC, is "2025-09-16T00:00:01+02:00"`},
		{"an end before the start", `2025-09-16T`, `2025-09-14T`, `EndExecTime: must be after StartExecTime`},
		{"a value that is not allowed", `"ExecUnitFinished": 0`, `"ExecUnitFinished": 2`, `ExecUnitFinished: must be one of 0, 1, is 2`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bad := strings.Replace(published[0], tc.from, tc.to, 1)
			if err := s.Check([]byte(bad)); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
