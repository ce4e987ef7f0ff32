// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Rows and repeats unfolded, and everything floating up in 24 columns, as Grafana's grid does it.

const inOrder = (panels) => [...panels].sort((a, b) => place(a).y - place(b).y || place(a).x - place(b).x);
const place = (p) => ({ x: 0, y: 0, w: 12, h: 8, ...p.gridPos });

/** @returns {{panel, scope, x, y, w, h}[]} scope holds the values of the variables repeated over */
export function layout(panels, variables) {
  const bottoms = Array(24).fill(0);
  const placed = [];
  const put = (panel, scope, wantedX, wantedW, h) => {
    const w = Math.min(24, wantedW), x = Math.max(0, Math.min(wantedX, 24 - w));
    const y = Math.max(...bottoms.slice(x, x + w));
    bottoms.fill(y + h, x, x + w);
    placed.push({ panel, scope, x, y, w, h });
  };
  for (const { row, children } of sections(panels)) {
    for (const scope of scopes(row?.repeat, {}, variables)) {
      if (row) put(row, scope, 0, 24, 1);
      for (const panel of inOrder(children)) {
        const { x, w, h } = place(panel);
        const copies = scopes(panel.repeat, scope, variables);
        const across = Math.min(copies.length, panel.maxPerRow ?? 4);
        copies.forEach((s, i) => (panel.repeat && panel.repeatDirection !== 'v'
          ? put(panel, s, (i % across) * (24 / across | 0), 24 / across | 0, h) : put(panel, s, x, w, h)));
      }
    }
  }
  return placed;
}

function sections(panels) {
  const found = [{ children: [] }];
  for (const p of inOrder(panels)) {
    if (p.type === 'row') found.push({ row: p, children: [...(p.panels ?? [])] });
    else found.at(-1).children.push(p);
  }
  return found;
}

function scopes(name, scope, variables) {
  const v = variables[name];
  if (!name || !v) return [scope];
  const text = (value) => v.options?.find((o) => o.value === value)?.text ?? value;
  return v.values.map((value) => ({ ...scope, [name]: { ...v, values: [value], texts: [text(value)], all: false } }));
}
