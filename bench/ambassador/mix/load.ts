import { download, get, grpc, slowDownload, slowUpload, upload, webSocket } from './kinds.ts';
import { Tally } from './tally.ts';

/**
 * Loads a proxy on 1,000 connections: `node load.ts PORT GRPC_PORT SECONDS`; without gRPC if its
 * port is 0. Prints a line of JSON: the tally of each kind.
 */
const [port = 0, grpcPort = 0, seconds = 0] = process.argv.slice(2).map(Number);

/** The connections of each kind. */
const MIX = [
  { name: 'small GET', connections: 400, run: get },
  { name: 'upload 1 MiB', connections: 150, run: upload },
  { name: 'download 1 MiB', connections: 150, run: download },
  { name: 'slow reader', connections: 100, run: slowDownload },
  { name: 'slow upstream', connections: 100, run: slowUpload },
  { name: 'WebSocket', connections: 50, run: webSocket },
  { name: 'gRPC stream', connections: 50, run: grpc },
];

const until = performance.now() + seconds * 1000;
const tallies: Record<string, Tally> = {};
const wanted = MIX.filter(({ run }) => run !== grpc || grpcPort !== 0);
await Promise.all(
  wanted.flatMap(({ name, connections, run }) => {
    const tally = new Tally();
    tallies[name] = tally;
    const to = run === grpc ? grpcPort : port;
    const plan = { port: to, pause: 100, running: () => performance.now() < until };
    return Array.from({ length: connections }, () => run(plan, tally));
  }),
);
console.log(JSON.stringify(tallies));
process.exit(0);
