// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	xdriver "go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// errURI reveals nothing about an address, which is a secret.
var errURI = errors.New("the address is not a valid mongodb:// or mongodb+srv:// URI")

// The server's codes for an account without the permission.
var authCodes = []int{13, 18, 33, 334}

// unauthorized is the server's code for an account without the permission for a command.
const unauthorized = 13

// failedToParse is the server's code for an unknown field.
const failedToParse = 9

// codeNames are the server's own names of the codes that a reader or a writer can meet:
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
var codeNames = map[int]string{
	2: "BadValue", 6: "HostUnreachable", 7: "HostNotFound", 9: "FailedToParse", 11: "UserNotFound", 13: "Unauthorized",
	14: "TypeMismatch", 18: "AuthenticationFailed", 20: "IllegalOperation", 26: "NamespaceNotFound", 43: "CursorNotFound",
	50: "MaxTimeMSExpired", 59: "CommandNotFound", 64: "WriteConcernTimeout", 67: "CannotCreateIndex",
	85: "IndexOptionsConflict", 86: "IndexKeySpecsConflict", 89: "NetworkTimeout", 91: "ShutdownInProgress",
	96: "OperationFailed", 112: "WriteConflict", 115: "CommandNotSupported", 121: "DocumentValidationFailure",
	146: "ExceededMemoryLimit", 166: "CommandNotSupportedOnView", 175: "QueryPlanKilled", 189: "PrimarySteppedDown",
	211: "KeyNotFound", 237: "CursorKilled", 262: "ExceededTimeLimit", 292: "QueryExceededMemoryLimitNoDiskUseAllowed",
	334: "MechanismUnavailable", 10107: "NotWritablePrimary", 10334: "BSONObjectTooLarge", 11000: "DuplicateKey",
	11600: "InterruptedAtShutdown", 11602: "InterruptedDueToReplStateChange", 13388: "StaleConfig",
	13435: "NotPrimaryNoSecondaryOk", 13436: "NotPrimaryOrSecondary",
}

// failure gives an error of the driver its reason, and says what was attempted. All of its text
// is our own: the server's text quotes records, with names and e-mail addresses, and may be
// megabytes long. The end of the caller's own context is not a failure.
func failure(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, context.Canceled)
	}
	if f := (*usage.Failure)(nil); errors.As(err, &f) {
		return fmt.Errorf("%s: %w", what, f)
	}
	f := &usage.Failure{Reason: usage.ReasonServer, Detail: words(err)}
	var refused *auth.Error
	var nobody topology.ServerSelectionError
	switch {
	case hasCode(err, authCodes), errors.As(err, &refused):
		f.Reason, f.Permanent = usage.ReasonAuth, true
		f.Cause = "MongoDB does not accept the login: check user, password and authSource in mongodb.uri"
		if hasCode(err, []int{unauthorized}) && refused == nil {
			f.Cause = what + ": the account may not do that: give it the role read on mongodb.database, and readWrite on mongodb.usage_database"
		}
	case errors.As(err, &nobody): // although it waited for a server until the deadline
		f.Reason = usage.ReasonConnection
		f.Cause = "no MongoDB can be reached (" + words(err) + "): check that it runs, and the hosts in mongodb.uri"
	case driver.IsTimeout(err):
		f.Reason = usage.ReasonTimeout
	case driver.IsNetworkError(err):
		f.Reason = usage.ReasonConnection
	}
	return fmt.Errorf("%s: %w", what, f)
}

func hasCode(err error, wanted []int) bool {
	var command driver.CommandError
	return errors.As(err, &command) && slices.Contains(wanted, int(command.Code))
}

// maxCodes is how many different codes of one answer are named.
const maxCodes = 5

// words describes an error without any text from the server.
func words(err error) string {
	if nobody, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		for _, server := range nobody.Desc.Servers {
			if server.LastError != nil {
				return "no server can be used: " + words(server.LastError)
			}
		}
		return "no server answers"
	}
	said := connection(err)
	if named := codes(err); len(named) > 0 {
		said = "the server refused: " + strings.Join(named, ", ")
	}
	if refused := (*auth.Error)(nil); errors.As(err, &refused) {
		return "authentication failed: " + said
	}
	return said
}

// codes returns the server's codes in an error, with their names.
func codes(err error) []string {
	var all []int
	var server driver.ServerError
	var raw xdriver.Error
	switch {
	case errors.As(err, &server):
		all = server.ErrorCodes()
	case errors.As(err, &raw):
		all = []int{int(raw.Code)}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var named []string
	for i, code := range all {
		if i == maxCodes {
			return append(named, "...")
		}
		if name := codeNames[code]; name != "" {
			named = append(named, fmt.Sprintf("code %d (%s)", code, name))
		} else if code != 0 {
			named = append(named, fmt.Sprintf("code %d", code))
		}
	}
	return named
}

// connection describes what is wrong with a connection.
func connection(err error) string {
	var errno syscall.Errno
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &lookup):
		return "the host name cannot be resolved"
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &host):
		return "the server's TLS certificate cannot be verified"
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case driver.IsTimeout(err), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection"
	case driver.IsNetworkError(err):
		return "the connection broke"
	}
	return "the answer cannot be used"
}
