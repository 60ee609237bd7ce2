import net from 'node:net';

/**
 * Sends GETs at a fixed rate whatever comes back, over kept connections, and prints the latency
 * from when each was due: no request waits unseen behind a slow one (coordinated omission).
 * Arguments: port, requests a second, connections, seconds.
 */
const [port = 0, rate = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: bench\r\n\r\n');

interface Client {
  readonly socket: net.Socket;
  due: number;
}

const free: Client[] = [];
const waiting: number[] = [];
const latencies: number[] = [];
let failed = 0;

function give(client: Client) {
  const due = waiting.shift();
  if (due === undefined) {
    free.push(client);
    return;
  }
  client.due = due;
  client.socket.write(REQUEST);
}

for (let i = 0; i < connections; i++) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const client: Client = { socket, due: 0 };
  // Every answer here is small enough for one segment.
  socket.on('data', () => {
    latencies.push(performance.now() - client.due);
    give(client);
  });
  socket.on('error', () => failed++);
  socket.on('connect', () => free.push(client));
}

const start = performance.now() + 300;
let sent = 0;
function tick() {
  const now = performance.now();
  const target = Math.min(Math.floor(((now - start) / 1000) * rate), rate * seconds);
  for (; sent < target; sent++) {
    waiting.push(start + (sent * 1000) / rate);
    const client = free.pop();
    if (client) give(client);
  }
  if (now - start > seconds * 1000 + 500) finish();
  else setImmediate(tick);
}

function finish() {
  // The first second warms up.
  const sorted = latencies.slice(Math.min(rate, latencies.length / 2)).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const unanswered = sent - latencies.length;
  console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99), failed: failed + unanswered }));
  process.exit(0);
}
setTimeout(tick, 300);
