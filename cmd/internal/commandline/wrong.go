// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package commandline

import "fmt"

// Wrong is a wrong use that only shows once the arguments are parsed, such as an invalid date or
// two flags that exclude each other.
type Wrong struct{ error }

func (w Wrong) Unwrap() error { return w.error }

// Wrongf makes a Wrong.
func Wrongf(format string, args ...any) error { return Wrong{fmt.Errorf(format, args...)} }
