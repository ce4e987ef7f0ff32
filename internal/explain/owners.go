// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

func ownersOf(k Known) []Owner {
	all := []Owner{}
	for _, title := range k.Titles {
		o := Owner{User: title.User, Records: []Title{}, Groups: []Group{}}
		for _, t := range title.Tenures {
			o.Records = append(o.Records, Title{t.Document, t.Host, moment(t.From), moment(t.To)})
		}
		for _, m := range title.Memberships {
			o.Groups = append(o.Groups, Group{m.Group, moment(m.From), moment(m.To)})
		}
		all = append(all, o)
	}
	return all
}

func changesOf(k Known) []Change {
	all := []Change{}
	worth := func(p usage.Price) Worth {
		return Worth{float64(p.Intensity), p.Kind, p.Provider, p.Grid, p.Basis.String()}
	}
	for _, c := range k.Changes {
		all = append(all, Change{
			At: text(c.At), Piece: text(c.Piece), Why: c.Why, Was: worth(c.Was), Is: worth(c.Is),
			EnergyWas: float64(c.EnergyWas), EnergyIs: float64(c.EnergyIs),
		})
	}
	return all
}
