package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// errURI says that an address is none, and not what it looks like.
var errURI = errors.New("the address is no valid mongodb:// or mongodb+srv:// URI, or its host names have no records")

// The server's codes that mean the account may not do this:
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
var authCodes = []int32{13, 18, 33, 334}

// failedToParse is its code for a field that it does not know.
const failedToParse = 9

// failure gives an error of the driver its reason, and says what was attempted.
// The end of the caller's own context is nobody's failure.
func failure(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, err)
	}
	f := &usage.Failure{Reason: usage.ReasonServer, Err: err}
	var refused *auth.Error
	var nobody topology.ServerSelectionError
	switch {
	case hasCode(err, authCodes), errors.As(err, &refused):
		f.Reason, f.Permanent = usage.ReasonAuth, true
	case errors.As(err, &nobody): // though it waited for somebody until the deadline
		f.Reason = usage.ReasonConnection
	case driver.IsTimeout(err):
		f.Reason = usage.ReasonTimeout
	case driver.IsNetworkError(err):
		f.Reason = usage.ReasonConnection
	}
	return fmt.Errorf("%s: %w", what, f)
}

func hasCode(err error, codes []int32) bool {
	var command driver.CommandError
	return errors.As(err, &command) && slices.Contains(codes, command.Code)
}
