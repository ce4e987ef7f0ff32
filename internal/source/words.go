// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// malformed gives the error of a broken answer its reason. An error with a reason keeps it, and
// so does the end of the caller's own context. The text may quote the answer at any length: see
// Doer.Failed.
func malformed(what string, err error) error {
	var f *usage.Failure
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f // without the position in the text, which is not to blame
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	case errors.As(err, &syntax): // its text has a path through the answer
		err = fmt.Errorf("%w at byte %d", syntax.Err, syntax.ByteOffset)
	}
	return &usage.Failure{Reason: usage.ReasonMalformed, Err: fmt.Errorf("%s: %w", what, err)}
}
