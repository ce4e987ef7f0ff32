// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

// Adjustment is what has changed in the store since it was told: the difference between what it
// has now for the month of an earlier statement, and what that statement and all adjustments since
// have said.
type Adjustment struct {
	Statement int    `json:"statement"` // the earlier one
	Month     string `json:"month"`     // its month

	Busy              Energy `json:"busy_kwh"`
	Idle              Energy `json:"idle_kwh"`
	Measured          Energy `json:"measured_kwh"`
	Energy            Energy `json:"energy_kwh"`
	BusyEmissions     Carbon `json:"busy_gco2eq"`
	IdleEmissions     Carbon `json:"idle_gco2eq"`
	MeasuredEmissions Carbon `json:"measured_gco2eq"`
	Emissions         Carbon `json:"emissions_gco2eq"`
	Embodied          Carbon `json:"embodied_gco2eq,omitempty"`

	Since   int      `json:"since"` // the newest statement that looked before
	Reasons []Reason `json:"reasons"`
}

// Reason is why intervals of a month are others than they were.
type Reason struct {
	Why       string `json:"why"`
	Intervals int    `json:"intervals"`
}

// Amounts are those of an adjustment.
func (a Adjustment) Amounts() Amounts {
	return Amounts{a.Busy, a.Idle, a.Measured, a.BusyEmissions, a.IdleEmissions, a.MeasuredEmissions, a.Embodied}
}

// Stated is what a statement says of its month.
func (d Document) Stated() Amounts {
	if d.Whole == nil {
		return Amounts{}
	}
	return d.Whole.Amounts()
}

// Told is what the statements of one subject have told of the month of one of them: what it stated,
// and all adjustments in others.
func Told(all []Document, number int) (told Amounts) {
	for _, d := range all {
		if d.Number == number {
			told = told.Plus(d.Stated())
		}
		for _, a := range d.Adjustments {
			if a.Statement == number {
				told = told.Plus(a.Amounts())
			}
		}
	}
	return told
}

// Adjust lists what has changed since the statements of one subject were issued, in their order. now
// is what the store has for the month of a statement, and why what it knows of the reason.
// What is told with the result is exactly what the store has.
func Adjust(all []Document, now func(Document) (Amounts, error), why func(Document) ([]Reason, error)) ([]Adjustment, error) {
	changed := []Adjustment{}
	for _, d := range all {
		is, err := now(d)
		if err != nil {
			return nil, err
		}
		by := is.Minus(Told(all, d.Number))
		if by == (Amounts{}) {
			continue
		}
		a := Adjustment{
			Statement: d.Number, Month: d.Month, Since: all[len(all)-1].Number,
			Busy: by.Busy, Idle: by.Idle, Measured: by.Measured, Energy: by.Energy(),
			BusyEmissions: by.BusyEmissions, IdleEmissions: by.IdleEmissions, MeasuredEmissions: by.MeasuredEmissions,
			Emissions: by.Emissions(), Embodied: by.Embodied,
		}
		if a.Reasons, err = why(d); err != nil {
			return nil, err
		}
		changed = append(changed, a)
	}
	return changed, nil
}
