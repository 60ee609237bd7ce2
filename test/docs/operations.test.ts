import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { parse } from 'yaml';
import { command } from '../engine/command.ts';
import { type Metric, metricsOf, metricTable, servedMetrics } from './metrics.ts';

const PAGE = 'docs/operations.md';
const TABLE = /(<!-- metrics -->\n)([\s\S]*?)(<!-- \/metrics -->)/;
const RULES = 'docs/alerts/sidekit.yaml';
const RULE_TESTS = 'docs/alerts/sidekit.test.yaml';

interface Alert {
  readonly alert: string;
  readonly expr: string;
}

let metrics: Metric[] = [];
const page = readFileSync(PAGE, 'utf8');
const alerts: Alert[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  ({ rules }: { rules: Alert[] }) => rules,
);
const dashboard = JSON.parse(readFileSync('docs/dashboards/sidekit.json', 'utf8'));

before(async () => {
  metrics = await servedMetrics();
});

/** The formatter pads the cells of a table. */
function cells(table: string): string[] {
  return table
    .trim()
    .split('\n')
    .map((row) => row.replace(/ *\| */g, '|').replace(/-{3,}/g, '---'));
}

test('the table of metrics is what the sidecars serve (SIDEKIT_UPDATE=1 writes it)', () => {
  const wanted = metricTable(metrics);
  if (process.env.SIDEKIT_UPDATE === '1') {
    writeFileSync(
      PAGE,
      page.replace(TABLE, (_, begin, _old, end) => `${begin}\n${wanted}\n\n${end}`),
    );
    return;
  }
  assert.deepEqual(cells(TABLE.exec(page)?.[2] ?? ''), cells(wanted));
});

test('alerts read only metrics that a sidecar serves', () => {
  const known = new Set(metrics.map(({ name }) => name));
  for (const { alert, expr } of alerts) {
    const read = metricsOf(expr);
    assert.ok(read.length > 0, alert);
    for (const name of read) assert.ok(known.has(name), `${alert} reads ${name}`);
  }
});

test('the dashboard reads only metrics that a sidecar serves, and some of each sidecar', () => {
  const known = new Map(metrics.map(({ name, source }) => [name, source]));
  const read: string[] = dashboard.panels.flatMap(({ targets = [] }) =>
    targets.flatMap(({ expr }: { expr: string }) => metricsOf(expr)),
  );
  for (const name of read) assert.ok(known.has(name), `a panel reads ${name}`);
  const shown = new Set(read.map((name) => known.get(name)));
  assert.deepEqual(shown, new Set(known.values()));
});

test('no two panels lie over each other or share an id', () => {
  const taken = new Set<string>();
  const ids = new Set<number>();
  for (const { id, title, gridPos } of dashboard.panels) {
    assert.ok(!ids.has(id), title);
    ids.add(id);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(x < 24 && !taken.has(`${x},${y}`), `${title} at ${x},${y}`);
        taken.add(`${x},${y}`);
      }
    }
  }
});

test('each alert has its meaning and remedy on the page, and a unit test for each of two cases', () => {
  const headings = [...page.matchAll(/^\| `([A-Z]\w+)` +\|/gm)].map(([, name]) => name);
  assert.deepEqual(
    headings,
    alerts.map(({ alert }) => alert),
  );
  const [trouble, ordinary] = parse(readFileSync(RULE_TESTS, 'utf8')).tests;
  for (const { alert_rule_test: cases } of [trouble, ordinary]) {
    assert.deepEqual(
      cases.map(({ alertname }: { alertname: string }) => alertname),
      alerts.map(({ alert }) => alert),
    );
  }
  for (const { exp_alerts: expected } of trouble.alert_rule_test) assert.ok(expected.length > 0);
  for (const { exp_alerts: expected } of ordinary.alert_rule_test) assert.equal(expected.length, 0);
});

test('promtool accepts the alert rules and their unit tests', async (context) => {
  const there = await command('promtool', ['--version']).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (!there) {
    assert.notEqual(process.getuid?.(), 0, 'npm run test:docs installs promtool: run that');
    return context.skip('promtool is not installed: it comes with Prometheus');
  }
  for (const args of [
    ['check', 'rules', RULES],
    ['test', 'rules', RULE_TESTS],
  ]) {
    const { code, stdout, stderr } = await command('promtool', args);
    assert.equal(code, 0, stdout + stderr);
  }
});

test('expressions are read apart into their metrics', () => {
  const expression =
    'sum by (le, x) (rate(a_seconds_bucket{b=~"c.."}[5m])) / on (instance) d_total offset 5m > 0.1 and e';
  assert.deepEqual(metricsOf(expression), ['a_seconds', 'd_total', 'e']);
});
