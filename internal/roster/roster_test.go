// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package roster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var london = func() *time.Location {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	return zone
}()

// written is a file that was written a while ago.
func written(t *testing.T, name, text string) *File {
	t.Helper()
	f := &File{Path: filepath.Join(t.TempDir(), name), Zone: london}
	write(t, f, text)
	return f
}

func write(t *testing.T, f *File, text string) {
	t.Helper()
	if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-time.Minute)
	if err := os.Chtimes(f.Path, before, before); err != nil {
		t.Fatal(err)
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// The same rows in every format and spelling.
func TestFormats(t *testing.T) {
	const rows = `host,owner,from,to,group,project,machine
172.16.100.5:9100,ada,2026-01-31,2026-07-01T12:00:00Z,muons,IDAaaS,Muon
WS-1.example.org.,bob,2026-07-01 12:00,,"neutrons, cold",,
172.16.100.5,carl,2026-07-01T13:00:00+01:00,9999-12-31,,IDAaaS,Muon XL
ws-2,,,,,TDAaaS,
,dora,2026-03-01,,muons,,
`
	want := directory.Census{
		Table: true, Refused: map[string]bool{},
		Owners: []directory.Claim{
			{Of: "172.16.100.5", Holder: "ada", From: at("2026-01-31T00:00:00Z"), To: at("2026-07-01T12:00:00Z")},
			{Of: "ws-1.example.org", Holder: "bob", From: at("2026-07-01T11:00:00Z")}, // summer time
			{Of: "172.16.100.5", Holder: "carl", From: at("2026-07-01T12:00:00Z")},
		},
		Members: []directory.Claim{
			{Of: "ada", Holder: "muons", From: at("2026-01-31T00:00:00Z"), To: at("2026-07-01T12:00:00Z")},
			{Of: "dora", Holder: "muons", From: at("2026-03-01T00:00:00Z")},
			{Of: "bob", Holder: "neutrons, cold", From: at("2026-07-01T11:00:00Z")},
		},
		People: []directory.Person{{ID: "ada"}, {ID: "dora"}, {ID: "bob"}, {ID: "carl"}},
		Hosts:  []directory.Placement{{Host: "172.16.100.5", Project: "IDAaaS", Machine: "Muon XL"}, {Host: "ws-2", Project: "TDAaaS"}},
	}
	for _, c := range []struct{ name, file, text string }{
		{"CSV", "owners.csv", rows},
		{"with a byte order mark and the line ends of Windows", "owners.CSV", "\ufeff" + strings.ReplaceAll(rows, "\n", "\r\n")},
		{"of a spreadsheet that writes semicolons", "owners.csv", separated(rows, ";")},
		{"with tabs", "owners.csv", separated(rows, "\t")},
		{"in any case, with spaces, empty lines, a remark and empty columns", "owners.csv", "# ours\n\n Host, Owner ,FROM,to,Group,project,machine,,\n" + strings.SplitN(strings.ReplaceAll(rows, "\n", ",,\n"), "\n", 2)[1] + "\n,,,,,,,,\n"},
		{"without a line end", "owners.csv", strings.TrimSuffix(rows, "\n")},
		{"JSON", "owners.json", `[
	{"host": "172.16.100.5:9100", "owner": "ada", "from": "2026-01-31", "to": "2026-07-01T12:00:00Z", "group": "muons", "project": "IDAaaS", "machine": "Muon"},
	{"machine": null, "host": "WS-1.example.org.", "owner": "bob", "from": "2026-07-01 12:00", "group": "neutrons, cold"},
	{"host": "172.16.100.5", "owner": "carl", "from": "2026-07-01T13:00:00+01:00", "to": "9999-12-31", "project": "IDAaaS", "machine": "Muon XL"},
	{"host": "ws-2", "project": "TDAaaS"},
	{"owner": "dora", "from": "2026-03-01", "group": "muons"}
]`},
		{"YAML", "owners.yml", `
- {host: "172.16.100.5:9100", owner: ada, from: 2026-01-31, to: 2026-07-01T12:00:00Z, group: muons, project: IDAaaS, machine: Muon}
- host: WS-1.example.org.
  owner: bob
  from: 2026-07-01 12:00
  to:
  group: neutrons, cold
- {host: 172.16.100.5, owner: carl, from: "2026-07-01T13:00:00+01:00", to: 9999-12-31, project: IDAaaS, machine: Muon XL}
- {host: ws-2, project: TDAaaS}
- {owner: dora, from: 2026-03-01, group: muons}
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := written(t, c.file, c.text)
			census, rejects, err := f.Census(t.Context())
			if err != nil || len(rejects) != 0 {
				t.Fatal(rejects, err)
			}
			if !reflect.DeepEqual(census, want) {
				t.Errorf("got  %+v\nwant %+v", census, want)
			}
			if err := f.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// separated has another separator, so that the comma in a cell needs no quotes.
func separated(rows, by string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(rows, `"neutrons, cold"`, "neutrons@ cold"), ",", by), "@", ",")
}

func TestNumbersAreNames(t *testing.T) {
	for file, text := range map[string]string{
		"owners.json": `[{"host": "h", "owner": 1042}]`, "owners.yaml": "[{host: h, owner: 1042}]", "owners.csv": "host,owner\nh,1042\n",
	} {
		census, _, err := written(t, file, text).Census(t.Context())
		if want := []directory.Claim{{Of: "h", Holder: "1042"}}; err != nil || !reflect.DeepEqual(census.Owners, want) {
			t.Errorf("%s: got %v, %v", file, census.Owners, err)
		}
	}
}

// What cannot be read as a whole says so, with the line, and without the name of anybody.
func TestBrokenFiles(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"nothing in it", "o.csv", "", "is empty; line 1 must name the columns"},
		{"only a header", "o.csv", "host,owner\n", "has no rows"},
		{"no header", "o.csv", "172.16.100.5,ada\n", "line 1: must name the columns, of which these are known: host, owner, from, to, group, project, machine"},
		{"a column that is none", "o.csv", "\nhost,ownr\nh,ada\n", `line 2: unknown column "ownr"; the columns are host, owner, from, to, group, project, machine`},
		{"a column twice", "o.csv", "host,owner,host\nh,ada,h\n", `line 1: has the column "host" twice`},
		{"a quote that never ends", "o.csv", "host,owner\nh,ada\ng,\"bob\nx,carl\n", "line 3: a cell begins with a quote that never ends"},
		{"a quote in a cell", "o.csv", "host,owner\nh,ad\"a\n", `line 2: bare " in non-quoted-field`},
		{"half a row at the end", "o.csv", "host,owner,group\nh,ada,g\nk,bo", "line 3: ends in the middle, as if the file were still being written"},
		{"UTF-16", "o.csv", "\xff\xfeh\x00", "is UTF-16; save it as UTF-8"},
		{"Latin-1", "o.csv", "host,owner\nh,ada\ng,J\xf6rg\n", "line 3: is not UTF-8; save the file as UTF-8"},
		{"half of JSON", "o.json", "[\n{\"host\": \"h\", \"owner\": \"ada\"},\n{\"host\": ", "line 3: ends in the middle, as if the file were still being written"},
		{"no JSON", "o.json", "[\n{\"host\": h}]", "line 2: is not valid JSON"},
		{"an object", "o.json", `{"host": "h"}`, "must be a list of rows such as {host: 172.16.100.5, owner: ada}"},
		{"a list of names", "o.json", `["ada"]`, "line 1: must be a list of rows such as {host: 172.16.100.5, owner: ada}"},
		{"two lists", "o.json", `[{"host": "h", "owner": "ada"}] []`, "line 1: has more after the end of the list"},
		{"an empty list", "o.json", `[]`, "has no rows"},
		{"a column of JSON that is none", "o.json", "[{\"host\": \"h\"},\n{\"host\": \"h\", \"user\": \"ada\"}]", `line 2: unknown column "user"; the columns are host, owner, from, to, group, project, machine`},
		{"no YAML", "o.yaml", "- {host: h, owner: ada\n- {", "line 1: is not valid YAML"},
		{"a mapping", "o.yaml", "h: ada", "must be a list of rows such as {host: 172.16.100.5, owner: ada}"},
		{"an empty YAML file", "o.yaml", "# none yet\n", "has no rows"},
		{"no row that can be used", "o.csv", "host,owner,from\nh,ada,soon\ng,ada,later\n", "none of its 2 rows can be used; rows are refused: line 2 and 1 more: " + explained[badDate]},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := written(t, c.file, c.text)
			_, _, err := f.Census(t.Context())
			var failure *usage.Failure
			if !errors.As(err, &failure) || failure.Reason != usage.ReasonMalformed || failure.Detail != c.file+": "+c.want+"; owners stay as last read" {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if err := f.Check(); err == nil || err.Error() != f.Path+": "+c.want {
				t.Errorf("check says %v", err)
			}
			for _, name := range []string{"ada", "172.16", "bob"} {
				if !strings.Contains(c.want, "172.16.100.5, owner: ada") && strings.Contains(fmt.Sprint(err), name) {
					t.Errorf("it shows %s", name)
				}
			}
		})
	}
}

func TestBadRowsAreRefusedOneByOne(t *testing.T) {
	for _, c := range []struct{ name, row, reason string }{
		{"cells that are missing", "h,ada", badCells},
		{"cells too many", "h,ada,,,,,,x", badCells},
		{"a date that is a word", "h,ada,soon,,,,", badDate},
		{"a day that is none", "h,ada,,2026-02-30,,,", badDate},
		{"a time before there was Unix", "h,ada,1926-01-01,,,,", badDate},
		{"a time that ends before it begins", "h,ada,2026-03-01,2026-02-01,,,", endsBefore},
		{"a time without length", "h,ada,2026-03-01,2026-03-01,,,", endsBefore},
		{"nothing but an owner", ",ada,,,,,", missingHost},
		{"a group of nobody", "h,,,,muons,,", groupOfNone},
		{"an e-mail address", "h,ada@example.org,,,,,", ownerIsEmail},
		{"a name of 2 KiB", "h," + strings.Repeat("a", 2048) + ",,,,,", badText},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := written(t, "o.csv", "host,owner,from,to,group,project,machine\nk,bob,,,,,\n"+c.row+"\n"+c.row+"\n")
			census, rejects, err := f.Census(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := []directory.RecordReject{{Collection: "file", Reason: c.reason, Count: 2, Where: "line 3"}}
			if !slices.Equal(rejects, want) {
				t.Errorf("got %v, want %v", rejects, want)
			}
			if len(census.Owners) != 1 || census.Refused["h"] != strings.HasPrefix(c.row, "h") {
				t.Errorf("owners %v, refused %v", census.Owners, census.Refused)
			}
			if err := f.Check(); err == nil || !strings.HasSuffix(err.Error(), "/o.csv: rows are refused: line 3 and 1 more: "+explained[c.reason]) {
				t.Errorf("check says %v", err)
			}
		})
	}
	f := written(t, "o.csv", "host,owner\nh,ada@example.org\n")
	f.Emails = true
	if census, rejects, err := f.Census(t.Context()); err != nil || len(rejects) != 0 || census.Owners[0].Holder != "ada@example.org" {
		t.Errorf("an address that nobody sees: %v, %v", rejects, err)
	}
	for reason, text := range explained {
		if text == "" || strings.HasSuffix(text, ".") {
			t.Errorf("%s: %q", reason, text)
		}
	}
}

// A file that somebody writes is read once it is whole.
func TestAFileThatIsBeingWritten(t *testing.T) {
	f := written(t, "o.csv", "host,owner\nh,ada\ng,bob\n")
	first, _, err := f.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path, []byte("host,owner\nh,ada\n"), 0o600); err != nil { // so far
		t.Fatal(err)
	}
	if census, _, err := f.Census(t.Context()); err != nil || !reflect.DeepEqual(census, first) {
		t.Errorf("half a file: %v, %v", census, err)
	}
	write(t, f, "host,owner\nh,ada\ng,carl\n")
	if census, _, err := f.Census(t.Context()); err != nil || census.Owners[1].Holder != "carl" {
		t.Errorf("the whole file: %v, %v", census, err)
	}

	// Nothing is known yet: the first reading waits for it.
	f = &File{Path: f.Path, Zone: london}
	if err := os.WriteFile(f.Path, []byte("host,owner\nh,dora\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), quiet/4)
	defer cancel()
	if _, _, err := f.Census(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if census, _, err := f.Census(t.Context()); err != nil || census.Owners[0].Holder != "dora" {
		t.Errorf("after a while: %v, %v", census, err)
	}
}

func TestAFileThatIsNotThere(t *testing.T) {
	f := &File{Path: filepath.Join(t.TempDir(), "o.csv"), Zone: london}
	var failure *usage.Failure
	if _, _, err := f.Census(t.Context()); !errors.As(err, &failure) || failure.Reason != usage.ReasonConnection || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	write(t, f, "host,owner\nh,ada\n")
	if _, _, err := f.Census(t.Context()); err != nil {
		t.Error(err)
	}
}

// FuzzRows reads whatever bytes a file could have.
func FuzzRows(f *testing.F) {
	for _, text := range []string{
		"host,owner\nh,ada\n", "\ufeffhost;owner;from\r\n\"h\";ada;2026-01-01", `[{"host":"h","owner":7,"to":null}]`, "- {host: h, owner: ada}\n- &a {host: g}\n- *a\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"o.csv", "o.json", "o.yaml"} {
			rows, err := parse(name, []byte(text))
			if err != nil {
				if strings.ContainsAny(err.Error(), "\n\r\x00") {
					t.Errorf("%s: %q", name, err)
				}
				continue
			}
			r, err := (&File{Zone: london}).read(rows)
			if err != nil {
				continue
			}
			for _, c := range slices.Concat(r.census.Owners, r.census.Members) {
				if c.Of == "" || len(c.Holder) > usage.MaxName+17 || !c.To.IsZero() && !c.To.After(c.From) {
					t.Errorf("%s: %+v", name, c)
				}
			}
		}
	})
}
