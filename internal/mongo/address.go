package mongo

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// CheckAddress says whether an address is valid. It asks nobody, so that the hosts of
// a mongodb+srv:// address, which are found in DNS, remain unchecked.
func CheckAddress(uri string) error {
	if host, ok := strings.CutPrefix(uri, "mongodb+srv://"); ok {
		uri = "mongodb://" + host
	}
	if options.Client().ApplyURI(uri).Validate() != nil {
		return errURI // the driver's words may quote it
	}
	return nil
}
