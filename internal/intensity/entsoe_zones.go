// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
)

//go:embed entsoe_zones.csv
var zonesCSV []byte

// zoneEICs are the codes of entsoe_zones.csv by the names of zones, as sameZone writes them.
var zoneEICs = sync.OnceValue(func() map[string]string {
	r := csv.NewReader(bytes.NewReader(zonesCSV))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("entsoe_zones.csv: %v", err)) // it is written by hand
	}
	found := map[string]string{}
	for _, row := range rows[1:] {
		found[sameZone(row[0])] = row[1]
	}
	return found
})

// sameZone writes all spellings of a zone alike: DE_LU, de-lu, DELU.
func sameZone(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToUpper(name))
}

// ZoneEIC returns the EIC of a zone, which may be one already.
func ZoneEIC(zone string) (string, error) {
	if eic, ok := zoneEICs()[sameZone(zone)]; ok {
		return eic, nil
	}
	eic := strings.ToUpper(strings.TrimSpace(zone))
	switch {
	case len(eic) != eicLength:
		return "", fmt.Errorf("%q is no bidding zone or country that we know; set the EIC of the area, which has %d characters, such as 10YFR-RTE------C", zone, eicLength)
	case !validEIC(eic):
		return "", fmt.Errorf("%q is no EIC: its last character does not fit the others; compare it with ENTSO-E's list of areas", zone)
	}
	return eic, nil
}

// eicLength is how many characters an Energy Identification Code has, the last of them a check.
const eicLength = 16

// validEIC checks the last character of a code by ENTSO-E's rule: the others, weighted 16 to 2,
// modulo 37.
func validEIC(eic string) bool {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
	sum := 0
	for i := range eicLength - 1 {
		value := strings.IndexByte(alphabet, eic[i])
		if value < 0 {
			return false
		}
		sum += value * (eicLength - i)
	}
	return eic[eicLength-1] == alphabet[36-(sum+36)%37]
}
