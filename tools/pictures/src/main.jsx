// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Loads every panel, draws the whole dashboard once, and reports what was drawn.
import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';
import '@fontsource/inter/600.css';
import { createTheme, dateMath, dateTimeFormat, rangeUtil, ThemeContext } from '@grafana/data';
import { GlobalStyles, Icon, PanelChrome } from '@grafana/ui';
import { Component } from 'react';
import { createRoot } from 'react-dom/client';
import { layout } from './layout.js';
import { load, rangeVariables } from './load.js';
import { Visualization } from './panels.jsx';
import { notDrawn, plugins } from './plugins.js';
import { constant, interpolate, resolve } from './variables.js';

const MARGIN = 16, GAP = 8, ROW = 30, HEAD = 96; // px; gap and row height are those of Grafana's grid
window.__grafana_public_path__ = '/public/';

const input = await (await fetch('/input.json')).json();
const { dashboard } = input;
const theme = createTheme({ colors: { mode: input.theme } });
const timeZone = !dashboard.timezone || dashboard.timezone === 'browser' ? 'utc' : dashboard.timezone;
const raw = { from: input.from ?? dashboard.time?.from ?? 'now-24h', to: input.to ?? dashboard.time?.to ?? 'now' };
const range = { from: dateMath.parse(raw.from, false, timeZone), to: dateMath.parse(raw.to, true, timeZone), raw };
if (!range.from?.isValid() || !range.to?.isValid() || !(range.from < range.to)) throw new Error(`no such time range: ${raw.from} to ${raw.to}`);

const builtIn = { ...rangeVariables(range), __dashboard: constant('__dashboard', dashboard.title), __interval: constant('__interval', '1m'), __rate_interval: constant('__rate_interval', '1m') };
const variables = await resolve(dashboard.templating?.list ?? [], input.variables, builtIn, range);
for (const v of Object.values(variables)) { // an interval variable may say auto
  if (/^\$__auto/.test(v.values[0])) v.values = [rangeUtil.calculateInterval(range, 30, '10s').interval];
}

const column = (document.documentElement.clientWidth - 2 * MARGIN - 23 * GAP) / 24;
const boxes = layout(dashboard.panels, variables).map((b) => ({
  ...b, left: MARGIN + b.x * (column + GAP), top: HEAD + b.y * (ROW + GAP), width: b.w * (column + GAP) - GAP, height: b.h * (ROW + GAP) - GAP,
}));
const allPanels = dashboard.panels.flatMap((p) => [p, ...(p.panels ?? [])]);
const env = { variables: { ...builtIn, ...variables }, range, theme, timeZone, panels: allPanels, scrapeInterval: input.scrapeInterval };
const panels = await Promise.all(boxes.filter((b) => b.panel.type !== 'row').map(async (box) => ({ box, ...(await load(box, env)) })));
for (const { panel, report } of panels) {
  if (plugins[panel.type]) continue;
  report.drawn = false;
  if (!notDrawn.includes(panel.type)) report.error ??= `no panel plugin of type ${panel.type}`;
}

const centred = { height: '100%', display: 'flex', alignItems: 'center', justifyContent: 'center', textAlign: 'center', color: theme.colors.text.secondary };

class Guard extends Component {
  state = {};
  static getDerivedStateFromError(error) { return { error }; }
  componentDidCatch(error) { this.props.report.error ??= error.message; }
  render() { return this.state.error ? <Message>{this.state.error.message}</Message> : this.props.children; }
}

const Message = ({ children }) => <div style={centred}>{children}</div>;

function Content({ loaded, width, height }) {
  const { panel, report } = loaded;
  if (!report.drawn) return <div style={{ ...centred, border: `1px dashed ${theme.colors.border.strong}` }}>not drawn: {panel.type}</div>;
  if (panel.type !== 'text' && !loaded.frames.some((f) => f.length)) return <Message>{report.error ?? panel.fieldConfig.defaults.noValue ?? 'No data'}</Message>;
  return <Guard report={report}><Visualization {...loaded} width={width} height={height} env={env} /></Guard>;
}

const at = ({ left, top, width, height }) => ({ position: 'absolute', left, top, width, height });

const Panel = ({ loaded }) => {
  const { panel, box, report, text } = loaded;
  return (
    <div style={at(box)}>
      <PanelChrome title={report.title} description={panel.description && text(panel.description)} width={box.width} height={box.height}
        padding={panel.type === 'table' ? 'none' : 'md'} displayMode={panel.transparent ? 'transparent' : 'default'} hoverHeader={!report.title} statusMessage={report.error}
        titleItems={panel.timeFrom && !panel.hideTimeOverride ? <span style={{ color: theme.colors.text.secondary, fontSize: 12 }}>Last {panel.timeFrom}</span> : undefined}>
        {(width, height) => <Content loaded={loaded} width={width} height={height} />}
      </PanelChrome>
    </div>
  );
};

const Row = ({ panel, scope, ...box }) => (
  <div style={{ ...at(box), display: 'flex', alignItems: 'center', gap: 8, fontWeight: 500, fontSize: 16 }}>
    <Icon name="angle-down" />{interpolate(panel.title, { ...env.variables, ...scope }, 'text')}
  </div>
);

const chip = { border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2, padding: '5px 8px', lineHeight: '20px', whiteSpace: 'nowrap', overflow: 'hidden', textOverflow: 'ellipsis', maxWidth: 300 };

function Head() {
  const format = (m) => dateTimeFormat(m, { timeZone });
  return (
    <header style={{ padding: `10px ${MARGIN}px`, height: HEAD, overflow: 'hidden' }}>
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', marginBottom: 8 }}>
        <span style={{ fontSize: 18, fontWeight: 500 }}>{dashboard.title}</span>
        <span style={{ ...chip, maxWidth: 'none' }}>{format(range.from)} to {format(range.to)} {timeZone === 'utc' ? 'UTC' : timeZone}</span>
      </div>
      <div style={{ display: 'flex', gap: 8, fontSize: 12 }}>
        {Object.values(variables).filter((v) => v.hide !== 2).map((v) => (
          <span key={v.name} style={{ display: 'flex', minWidth: 0 }}>
            {v.hide !== 1 && <span style={{ ...chip, background: theme.colors.background.secondary, fontWeight: 500 }}>{v.label ?? v.name}</span>}
            <span style={chip}>{v.error ? 'None' : v.texts.join(' + ')}</span>
          </span>
        ))}
      </div>
    </header>
  );
}

const height = Math.ceil(Math.max(HEAD, ...boxes.map((b) => b.top + b.height)) + MARGIN);
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <div style={{ position: 'relative', height }}>
      <Head />
      {boxes.filter((b) => b.panel.type === 'row').map((b, i) => <Row key={i} {...b} />)}
      {panels.map((loaded, i) => <Panel key={i} loaded={loaded} />)}
    </div>
  </ThemeContext.Provider>,
);

/** Waits until nothing on the page has changed for a while: uPlot and the legends measure themselves before they settle. */
function settled(quiet = 400) {
  return new Promise((done) => {
    const observer = new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(end, quiet); });
    const end = () => { observer.disconnect(); done(); };
    let timer = setTimeout(end, quiet);
    observer.observe(document.documentElement, { subtree: true, childList: true, attributes: true, characterData: true });
  });
}

await settled();
await document.fonts.ready;
await settled();
await fetch('/report', { method: 'POST', body: JSON.stringify({
  height, dashboard: dashboard.title, from: range.from.toISOString(), to: range.to.toISOString(),
  variables: Object.values(variables).map(({ name, values, all = false, error = null }) => ({ name, values, all, error })),
  panels: panels.map((p) => p.report),
}) });
