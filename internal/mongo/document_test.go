// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestMeasuredUsageIsWrittenWhereThereIsAny(t *testing.T) {
	priced := &usage.ByMode[usage.Grams]{Busy: 100, Idle: 10, Measured: 200}
	for _, c := range []struct {
		name string
		of   usage.RollupMember
		want string
	}{
		{"no devices: the fields of before", usage.RollupMember{Energy: usage.ByMode[usage.KWh]{Busy: 1, Idle: 0.1}, Emissions: priced}, ""},
		{"devices", usage.RollupMember{Energy: usage.ByMode[usage.KWh]{Busy: 1, Idle: 0.1, Measured: 2}, Emissions: priced}, "measured_kwh=2 measured_gco2eq=200"},
		{"devices without a price, which is not 0 g", usage.RollupMember{Energy: usage.ByMode[usage.KWh]{Measured: 2}}, "measured_kwh=2 measured_gco2eq=null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, field := range document("user", usage.Rollup{}, c.of) {
				if strings.HasPrefix(field.Key, "measured") {
					text, err := bson.MarshalExtJSON(bson.D{{Key: "v", Value: field.Value}}, false, false)
					if err != nil {
						t.Fatal(err)
					}
					value := strings.TrimSuffix(strings.TrimPrefix(string(text), `{"v":`), "}")
					got = append(got, field.Key+"="+strings.TrimSuffix(value, ".0"))
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
