// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Pies and donuts, drawn as SVG after Grafana's core plugin.
import { formattedValueToString } from '@grafana/data';
import { Legend, Svg } from './frame.jsx';

export function PieChart({ values, options, width, height, env }) {
  const parts = values.filter((v) => v.display.numeric > 0);
  const total = parts.reduce((n, v) => n + v.display.numeric, 0);
  const percent = (v) => `${((100 * v.display.numeric) / total).toFixed(v.field.decimals ?? 0)}%`;
  const wanted = options.legend.values ?? [];
  const items = values.map((v) => ({
    label: v.display.title ?? '', color: v.display.color,
    getDisplayValues: () => [
      ...(wanted.includes('value') ? [{ ...v.display, title: 'Value' }] : []),
      ...(wanted.includes('percent') ? [{ numeric: v.display.numeric / total, text: percent(v), title: 'Percent' }] : []),
    ],
  }));
  return (
    <Legend width={width} height={height} legend={options.legend} items={items}>
      {(w, h) => {
        const r = Math.max(0, Math.min(w, h) / 2 - 10);
        const hole = options.pieType === 'donut' ? r * 0.6 : 0;
        const at = (radius, a) => `${radius * Math.sin(a)} ${-radius * Math.cos(a)}`;
        let end = 0;
        return (
          <Svg width={w} height={h} env={env}>
            <g transform={`translate(${w / 2} ${h / 2})`} stroke={env.theme.colors.background.primary}>
              {parts.map((v, i) => {
                const start = end;
                end += Math.min((2 * Math.PI * v.display.numeric) / total, 2 * Math.PI - 1e-4);
                const middle = (start + end) / 2, large = end - start > Math.PI ? 1 : 0;
                const label = [options.displayLabels.includes('name') && v.display.title, options.displayLabels.includes('value') && formattedValueToString(v.display), options.displayLabels.includes('percent') && percent(v)].filter(Boolean);
                const [x, y] = at(hole ? (r + hole) / 2 : r * 0.62, middle).split(' ');
                return (
                  <g key={i}>
                    <path d={`M ${at(r, start)} A ${r} ${r} 0 ${large} 1 ${at(r, end)} L ${at(hole, end)} A ${hole} ${hole} 0 ${large} 0 ${at(hole, start)} Z`} fill={v.display.color} />
                    {end - start > 0.3 && label.map((s, j) => (
                      <text key={j} x={x} y={+y + 4 + (j - (label.length - 1) / 2) * 15} stroke="none" textAnchor="middle" fill={env.theme.colors.getContrastText(v.display.color)}>{s}</text>
                    ))}
                  </g>
                );
              })}
            </g>
          </Svg>
        );
      }}
    </Legend>
  );
}
