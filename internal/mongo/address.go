// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// CheckAddress checks the syntax of an address. It sends nothing, so the hosts of a
// mongodb+srv:// address, which are found through DNS, are not checked.
func CheckAddress(uri string) error {
	if host, ok := strings.CutPrefix(uri, "mongodb+srv://"); ok {
		uri = "mongodb://" + host
	}
	if options.Client().ApplyURI(uri).Validate() != nil {
		return errURI // the driver's error may quote it
	}
	return nil
}
