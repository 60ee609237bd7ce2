/**
 * Prints what every sidecar serves at /metrics, one after another; runs in a sandbox, where their
 * default ports are free. Each is set up so that all its metrics are registered.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { eventually, TestProcess } from '@sidekit/test-kit';
import { freshTmp } from './fresh-tmp.ts';

execFileSync('ip', ['link', 'set', 'lo', 'up']);
freshTmp();
mkdirSync('/tmp/logs');
const listeners = [
  { name: 'web', listen: ':8080', upstream: ['http://127.0.0.1:5000'] },
  { name: 'database', protocol: 'tcp', listen: ':5432', upstream: ['tcp://127.0.0.1:5433'] },
];
// No collector answers, which does not matter here.
const tracesEndpoint = 'http://127.0.0.1:1/v1/traces';
writeFileSync('/tmp/ambassador.yaml', JSON.stringify({ listeners, tracesEndpoint }));
const sequences = [{ name: 'once', when: [{ start: true }], steps: [{ pause: '1ms' }] }];
// Nor does the API server.
const leadership = { lease: 'web' };
writeFileSync('/tmp/plan.yaml', JSON.stringify({ sequences, leadership }));
const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' };

// Nor this URL.
const jsonEndpoints = [{ url: 'http://127.0.0.1:1', metrics: [] }];
writeFileSync('/tmp/adapter.yaml', JSON.stringify({ jsonEndpoints }));
const inputs = ['--include=/tmp/logs/*.log', '--syslog=udp::5514', '--statsd=:8125'];

const SIDECARS: readonly (readonly [port: number, name: string, ...args: string[]])[] = [
  [9901, 'ambassador', '--config=/tmp/ambassador.yaml'],
  [9902, 'adapter', '--config=/tmp/adapter.yaml', '--format=combined', ...inputs],
  [9903, 'file-writer', '--source=clock', '--target=/tmp/clock'],
  [9904, 'mq', 'producer', '--source=http'],
  [9905, 'mq', 'consumer'],
  [9906, 'coordinator', '--config=/tmp/plan.yaml', '--state-dir=/tmp/state'],
];

const found: Record<string, string> = {};
for (const [port, name, ...args] of SIDECARS) {
  const words = [`packages/${name}/src/main.ts`, ...args];
  await using sidecar = new TestProcess(process.execPath, words, { env });
  // A loaded machine takes its time to load a program; an end before that is an error with its log.
  await sidecar.event('starting', 60_000);
  // The admin port is open before the program registers its own metrics.
  const own = `\n# TYPE ${name.replace('-', '_')}_`;
  const page = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return text.includes(own) && text;
  };
  found[name] = (found[name] ?? '') + (await eventually(page, { what: `metrics of ${name}` }));
}
console.log(JSON.stringify(found));
