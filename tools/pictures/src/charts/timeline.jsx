// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// State timelines and status histories, drawn as SVG after Grafana's core plugins.
import { FieldType } from '@grafana/data';
import { FONT, Legend, nameOf, shown, Svg, textWidth, TimeAxis, write } from './frame.jsx';

/** The rows of a timeline: { name, field, spans: [{ from, to, value }] }, equal neighbours merged. */
function timelines(frames, merge, range) {
  return frames.flatMap((frame) => {
    const time = frame.fields.find((f) => f.type === FieldType.time);
    if (!time) return [];
    const step = time.config.interval ?? Infinity;
    return frame.fields.filter((f) => f !== time && shown(f)).map((field) => {
      const spans = [];
      time.values.forEach((t, i) => {
        const value = field.values[i], next = Math.min(time.values[i + 1] ?? Infinity, t + step, range.to.valueOf()), last = spans.at(-1);
        if (value === null || value === undefined || next <= t) return;
        if (merge && last && last.to === t && write(field, last.value) === write(field, value)) last.to = next;
        else spans.push({ from: t, to: next, value });
      });
      return { name: nameOf(field, frame, frames), field, spans };
    });
  });
}

export function StateTimeline({ panel, options, frames, width, height, range, env }) {
  const rows = timelines(frames, options.mergeValues && panel.type === 'state-timeline', range);
  if (!rows.length) throw new Error('Data is missing a time field');
  const states = new Map(rows.flatMap((r) => r.spans.map((s) => [write(r.field, s.value), r.field.display(s.value).color])));
  const items = states.size <= 12 ? [...states].map(([label, color]) => ({ label, color })) : [];
  const opacity = panel.fieldConfig.defaults.custom.fillOpacity / 100;
  return (
    <Legend width={width} height={height} legend={options.legend} items={items}>
      {(w, h) => {
        const left = Math.min(w / 3, Math.max(...rows.map((r) => textWidth(r.name))) + 14), bottom = h - 24, slot = bottom / rows.length, bar = slot * options.rowHeight;
        const [from, to] = [range.from.valueOf(), range.to.valueOf()];
        const x = (t) => left + ((Math.max(t, from) - from) / (to - from)) * (w - left);
        return (
          <Svg width={w} height={h} env={env}>
            <TimeAxis range={range} x={x} top={0} bottom={bottom} width={w - left} env={env} />
            {rows.map((row, i) => (
              <g key={i}>
                <text x={left - 8} y={slot * (i + 0.5) + 4} textAnchor="end">{row.name}</text>
                {row.spans.map((s, j) => {
                  const { color } = row.field.display(s.value), label = write(row.field, s.value), room = x(s.to) - x(s.from), gap = panel.type === 'status-history' ? room * 0.1 : 0;
                  return (
                    <g key={j}>
                      <rect x={x(s.from)} y={slot * i + (slot - bar) / 2} width={Math.max(0.5, room - gap)} height={bar} fill={color} fillOpacity={opacity} stroke={opacity < 1 && room > 3 ? color : 'none'} />
                      {options.showValue !== 'never' && room > textWidth(label) + 8 && bar > FONT && <text x={x(s.from) + 5} y={slot * (i + 0.5) + 4}>{label}</text>}
                    </g>
                  );
                })}
              </g>
            ))}
          </Svg>
        );
      }}
    </Legend>
  );
}
