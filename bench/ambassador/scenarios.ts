import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A port of a contestant: HTTP/1.1, with a JSON access log, TCP, HTTP/2, or gRPC. */
export type PortName = 'http' | 'logged' | 'stream' | 'h2' | 'grpc';

export interface Scenario {
  readonly name: string;
  readonly port: PortName;
  readonly connections: number;
  readonly path: string;
  /** How many times longer its rounds are, so that opening the connections weighs little. */
  readonly longer?: number;
  /** Streams on each connection, over HTTP/2 in cleartext. */
  readonly streams?: number;
  /** A script for wrk, where it sends bodies. */
  readonly script?: string;
  /** The share of nginx's requests a second that the ambassador must reach. */
  readonly target?: number;
  /** Who is measured beside nginx and the ambassador. */
  readonly peers: readonly string[];
}

/** A server that shows what HTTP/2 costs in Node, without a proxy. */
export const FLOOR = 'node:http2 alone';
const ALL = ['http-proxy', '@fastify/http-proxy', 'undici'];

export const SCENARIOS: readonly Scenario[] = [
  { name: 'GET 100 B', port: 'http', connections: 64, path: '/', target: 0.75, peers: ALL },
  {
    name: 'GET 100 B, JSON access log',
    port: 'logged',
    connections: 64,
    path: '/',
    target: 0.65,
    peers: [],
  },
  {
    name: 'POST 1 KiB',
    port: 'http',
    connections: 64,
    path: '/post',
    script: 'post.lua',
    target: 0.8,
    peers: ['http-proxy'],
  },
  { name: 'download 1 MiB', port: 'http', connections: 16, path: '/large', target: 0.7, peers: [] },
  {
    name: 'upload 1 MiB',
    port: 'http',
    connections: 16,
    path: '/sink',
    script: 'upload.lua',
    target: 0.7,
    peers: [],
  },
  { name: 'TCP, GET 100 B', port: 'stream', connections: 64, path: '/', target: 0.8, peers: [] },
  { name: 'TCP, download 1 MiB', port: 'stream', connections: 16, path: '/large', peers: [] },
  {
    name: 'gRPC unary, 8 connections × 16 streams',
    port: 'grpc',
    connections: 8,
    streams: 16,
    path: '/bench.Echo/Say',
    target: 1,
    peers: [],
  },
  {
    name: 'HTTP/2 to HTTP/1.1, 8 connections × 16 streams',
    port: 'h2',
    connections: 8,
    streams: 16,
    path: '/',
    target: 0.8,
    peers: [FLOOR],
  },
  { name: 'GET 100 B, 1 connection', port: 'http', connections: 1, path: '/', peers: [] },
  {
    name: 'GET 100 B, 1,000 connections',
    port: 'http',
    connections: 1000,
    path: '/',
    longer: 4,
    target: 0.7,
    peers: [],
  },
];

/** Writes the scripts that scenarios name, and the message of a call. */
export function writeScripts(directory: string): void {
  writeFileSync(join(directory, 'call'), Buffer.from([0, 0, 0, 0, 4, ...Buffer.from('ping')]));
  for (const [name, size] of [
    ['post.lua', 1024],
    ['upload.lua', 1024 * 1024],
  ] as const)
    writeFileSync(
      join(directory, name),
      `wrk.method = "POST"\nwrk.body = string.rep("x", ${size})\n`,
    );
}
