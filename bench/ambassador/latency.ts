import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from '../../images/node-binary.ts';
import { table } from '../../scripts/support/output.ts';
import { median } from '../support/statistics.ts';
import type { Contestant } from './contestants.ts';

/** Requests a second: below what the slowest contestant can do on one core. */
const RATE = 1500;
const SECONDS = 6;
const ROUNDS = 2;

/** Prints the latency of GETs at a fixed rate. */
export function latency(contestants: readonly Contestant[]): void {
  const program = fileURLToPath(new URL('./open-loop.ts', import.meta.url));
  const rows = [[`at ${RATE} requests/s`, 'p50 ms', 'p99 ms', 'failed']];
  for (const { name, ports } of contestants) {
    if (ports.http === undefined || !['nginx', 'ambassador', 'http-proxy'].includes(name)) continue;
    const results: { p50: number; p99: number; failed: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const args = [program, ports.http, RATE, 64, SECONDS].map(String);
      results.push(
        JSON.parse(
          execFileSync('taskset', ['-c', '1', nodeBinary(), ...args], { encoding: 'utf8' }),
        ),
      );
    }
    rows.push([
      name,
      median(results.map(({ p50 }) => p50)).toFixed(2),
      median(results.map(({ p99 }) => p99)).toFixed(2),
      String(Math.max(...results.map(({ failed }) => failed))),
    ]);
  }
  console.log(`\nLatency, 64 connections, sent when due\n${table(rows)}`);
}
