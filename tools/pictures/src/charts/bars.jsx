// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Bar charts, drawn as SVG after Grafana's core plugin.
import { FieldType, getFieldColorModeForField, getFieldSeriesColor, outerJoinDataFrames } from '@grafana/data';
import { grid, Legend, nameOf, shown, Svg, textWidth, ticks, write } from './frame.jsx';

export function BarChart({ panel, options, frames, width, height, env }) {
  const frame = frames.length === 1 ? frames[0] : outerJoinDataFrames({ frames });
  const xField = (options.xField && frame.fields.find((f) => f.name === options.xField || nameOf(f, frame, [frame]) === options.xField))
    ?? frame.fields.find((f) => f.type === FieldType.string) ?? frame.fields.find((f) => f.type === FieldType.time);
  const fields = frame.fields.filter((f) => f.type === FieldType.number && f !== xField && shown(f));
  if (!xField || !fields.length) throw new Error('Bar charts need a string or time field and a number field');
  fields.forEach((f, i) => (f.state = { ...f.state, seriesIndex: i }));
  const colorBy = options.colorByField && frame.fields.find((f) => nameOf(f, frame, [frame]) === options.colorByField);
  const color = (f, v, i) => (colorBy ? colorBy.display(colorBy.values[i]).color : getFieldColorModeForField(f).isByValue ? f.display(v).color : getFieldSeriesColor(f, env.theme).color);
  const items = fields.map((f) => ({ label: nameOf(f, frame, [frame]), color: getFieldSeriesColor(f, env.theme).color }));
  return (
    <Legend width={width} height={height} legend={options.legend} items={colorBy ? [] : items}>
      {(w, h) => <Bars {...{ panel, options, frame, xField, fields, color, env }} width={w} height={h} />}
    </Legend>
  );
}

function Bars({ panel, options, frame, xField, fields, color, width, height, env }) {
  const count = frame.length, stacked = options.stacking !== 'none', percent = options.stacking === 'percent';
  const horizontal = options.orientation === 'horizontal' || (options.orientation === 'auto' && width < height);
  const sums = Array.from({ length: count }, (_, i) => fields.reduce((n, f) => n + Math.max(0, f.values[i] ?? 0), 0));
  const value = (f, i) => (percent ? (f.values[i] ?? 0) / (sums[i] || 1) : f.values[i] ?? 0);
  const each = fields.flatMap((f) => Array.from({ length: count }, (_, i) => value(f, i)));
  const { min, max } = fields[0].config;
  const low = min ?? Math.min(0, ...each), top = max ?? (percent ? 1 : Math.max(...(stacked ? sums : each)));
  const scale = ticks(low, top || 1, (horizontal ? width : height) / (horizontal ? 90 : 40));
  const step = scale.length > 1 ? scale[1] - scale[0] : top;
  const high = max ?? (percent ? 1 : Math.ceil(top / step - 1e-9) * step || 1);
  if (max === undefined && high > scale.at(-1) + step / 2) scale.push(high);
  const writeValue = (v) => (percent ? `${Math.round(v * 100)}%` : write(fields[0], v));
  const names = Array.from({ length: count }, (_, i) => write(xField, xField.values[i]));
  const longest = Math.max(...names.map(textWidth));
  const left = horizontal ? Math.min(longest, width / 3) + 10 : Math.max(...scale.map((v) => textWidth(writeValue(v)))) + 12;
  const turned = options.xTickLabelRotation || 0;
  const bottom = horizontal || !turned ? 24 : 14 + Math.abs(Math.sin((turned * Math.PI) / 180)) * Math.min(longest, height / 2);
  const long = horizontal ? width - left - 40 : height - bottom - 18, across = horizontal ? height - bottom : width - left;
  const slot = across / count, group = slot * options.groupWidth, bar = (group / (stacked ? 1 : fields.length)) * options.barWidth;
  const along = (v) => ((v - low) / (high - low || 1)) * long;
  const rect = (start, thick, a, b) => (horizontal ? { x: left + along(a), y: start, width: along(b) - along(a), height: thick }
    : { x: left + start, y: 18 + long - along(b), width: thick, height: along(b) - along(a) });
  const every = horizontal || turned ? 1 : Math.ceil((Math.min(longest, 150) + 8) / slot);
  const opacity = panel.fieldConfig.defaults.custom.fillOpacity / 100;
  return (
    <Svg width={width} height={height} env={env}>
      {scale.map((v) => (horizontal
        ? <g key={v}><line x1={left + along(v)} x2={left + along(v)} y1={0} y2={across} stroke={grid(env.theme)} /><text x={left + along(v)} y={height - 6} textAnchor="middle">{writeValue(v)}</text></g>
        : <g key={v}><line x1={left} x2={width} y1={18 + long - along(v)} y2={18 + long - along(v)} stroke={grid(env.theme)} /><text x={left - 8} y={22 + long - along(v)} textAnchor="end">{writeValue(v)}</text></g>))}
      {names.map((name, i) => {
        const middle = slot * (i + 0.5);
        let base = 0;
        return (
          <g key={i}>
            {i % every === 0 && (horizontal ? <text x={left - 8} y={middle + 4} textAnchor="end">{name}</text>
              : turned ? <text transform={`translate(${left + middle} ${height - bottom + 14}) rotate(${-turned})`} textAnchor={turned > 0 ? 'end' : 'start'}>{name}</text>
                : <text x={left + middle} y={height - 6} textAnchor="middle">{name}</text>)}
            {fields.map((f, j) => {
              const v = value(f, i);
              if (f.values[i] === null || f.values[i] === undefined || Number.isNaN(v)) return null;
              const [a, b] = stacked ? [base, (base += v)] : [Math.min(0, v), Math.max(0, v)];
              const start = middle - group / 2 + (stacked ? 0 : (group / fields.length) * j) + ((group / (stacked ? 1 : fields.length)) * (1 - options.barWidth)) / 2;
              const box = rect(start, bar, Math.max(a, low), b), fill = color(f, f.values[i], i), label = write(f, f.values[i]);
              const fits = options.showValue === 'always' || (options.showValue === 'auto' && (horizontal ? bar > 10 && (!stacked || textWidth(label) < box.width) : textWidth(label) < bar + 4 && (!stacked || box.height > 18)));
              const inside = stacked ? 0.5 : 1;
              return (
                <g key={j}>
                  <rect {...box} rx={options.barRadius * bar} fill={fill} fillOpacity={opacity} stroke={fill} />
                  {fits && (horizontal ? <text x={box.x + box.width * inside + (stacked ? 0 : 5)} y={box.y + bar / 2 + 4} textAnchor={stacked ? 'middle' : 'start'}>{label}</text>
                    : <text x={box.x + bar / 2} y={stacked ? box.y + box.height / 2 + 4 : box.y - 5} textAnchor="middle">{label}</text>)}
                </g>
              );
            })}
          </g>
        );
      })}
    </Svg>
  );
}
