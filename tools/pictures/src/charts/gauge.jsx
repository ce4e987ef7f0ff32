// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Gauges, drawn as SVG after Grafana's core plugin.
import { formattedValueToString } from '@grafana/data';

export function GaugeArc({ field, value, options, width, height, theme }) {
  const { min = 0, max = 100, thresholds } = field;
  const START = 0.9 * Math.PI, SWEEP = 1.2 * Math.PI;
  const title = value.title && options.text?.titleSize !== 0 ? Math.max(12, Math.min(height / 10, 18)) : 0;
  const margin = options.showThresholdLabels ? 16 : 2;
  const radius = Math.min(width / 2 - margin, (height - title * 1.5 - margin) / 1.31);
  if (radius < 5) return null;
  const thick = Math.min(radius / 2.4, 40) / (options.showThresholdLabels ? 1.5 : 1);
  const mark = options.showThresholdMarkers ? thick / 5 : 0;
  const [cx, cy] = [width / 2, radius + margin - 1];
  const angle = (v) => START + SWEEP * Math.min(1, Math.max(0, (v - min) / (max - min || 1)));
  const point = (r, a) => `${cx + r * Math.cos(a)} ${cy + r * Math.sin(a)}`;
  const arc = (r, w, a, b) => {
    const large = b - a > Math.PI ? 1 : 0;
    return `M ${point(r, a)} A ${r} ${r} 0 ${large} 1 ${point(r, b)} L ${point(r - w, b)} A ${r - w} ${r - w} 0 ${large} 0 ${point(r - w, a)} Z`;
  };
  const absolute = (v) => (thresholds?.mode === 'percentage' ? min + ((max - min) * v) / 100 : v);
  const steps = (thresholds?.steps ?? []).map((s) => ({ ...s, value: Math.max(min, absolute(s.value)) }));
  const inner = radius - (mark ? mark + 2 : 0);
  const label = formattedValueToString(value);
  const size = options.text?.valueSize ?? Math.min((1.5 * (inner - thick)) / (label.length * 0.58), radius / 2.2);
  return (
    <svg width={width} height={height} fill={theme.colors.text.primary}>
      {mark > 0 && steps.map((s, i) => {
        const end = steps[i + 1]?.value ?? max;
        return s.value < max && end > s.value && <path key={i} d={arc(radius, mark, angle(s.value), angle(end))} fill={theme.visualization.getColorByName(s.color)} />;
      })}
      <path d={arc(inner, thick, START, START + SWEEP)} fill={theme.colors.background.secondary} />
      {Number.isFinite(value.numeric) && angle(value.numeric) > START && <path d={arc(inner, thick, START, angle(value.numeric))} fill={value.color} />}
      {options.showThresholdLabels && steps.slice(1).map((s, i) => {
        const [x, y] = point(radius + 8, angle(s.value)).split(' ');
        return <text key={i} x={x} y={+y + 3} fontSize={10} textAnchor={x < cx - 5 ? 'end' : x > cx + 5 ? 'start' : 'middle'}>{s.value}</text>;
      })}
      <text x={cx} y={cy + size * 0.3} fontSize={size} fontWeight={500} fill={value.color} textAnchor="middle">{label}</text>
      {title > 0 && <text x={cx} y={height - title * 0.4} fontSize={title} textAnchor="middle">{value.title}</text>}
    </svg>
  );
}
