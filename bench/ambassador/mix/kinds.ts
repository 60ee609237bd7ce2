import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tally } from './tally.ts';

/** The conditions of a connection. */
export interface Plan {
  readonly port: number;
  /** Time between two requests, in milliseconds. */
  readonly pause: number;
  running(): boolean;
}

const LARGE = Buffer.alloc(1024 * 1024, 'x');
/** The message that `upstream.ts` echoes: a masked message of a WebSocket whose mask is zero. */
const MESSAGE = Buffer.concat([
  Buffer.from([0x82, 0xfe, 0x40, 0x00, 0, 0, 0, 0]),
  Buffer.alloc(16 * 1024, 'x'),
]);
const ECHO = MESSAGE.length - 4;
/** A message of gRPC with its prefix, and how many a stream has. */
const CALL = Buffer.concat([Buffer.from([0, 0, 0, 4, 0]), Buffer.alloc(1024, 'x')]);
const CALLS = 20;

/** Uses one connection for one kind of requests. */
type Kind = (plan: Plan, tally: Tally) => Promise<void>;

/** Sends requests in turn on a kept connection. @param rest slows reading, in milliseconds. */
function requests(method: string, path: string, body?: Buffer, rest = 0): Kind {
  return async (plan, tally) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    // Not all at once.
    await sleep(Math.random() * 500);
    while (plan.running()) {
      try {
        const status = await exchange({ ...plan, agent, method, path }, body, rest);
        tally.count(status, status === 200);
        await sleep(status === 200 ? plan.pause : 1000);
      } catch (error) {
        tally.break(`${method} ${path}: ${(error as Error).message}`);
        await sleep(1000);
      }
    }
    agent.destroy();
  };
}

/** Resolves to the status of a complete response. */
async function exchange(
  options: http.RequestOptions,
  body: Buffer | undefined,
  rest: number,
): Promise<number> {
  const request = http.request({ host: '127.0.0.1', ...options });
  const responded = once(request, 'response');
  request.end(body);
  const [response] = (await responded) as [http.IncomingMessage];
  // A refusal may come before the body was sent.
  request.on('error', () => {});
  let read = 0;
  for await (const chunk of response) {
    read += chunk.length;
    if (rest === 0 || read < 64 * 1024) continue;
    read = 0;
    await sleep(rest);
  }
  if (!response.complete) throw new Error('the response is incomplete');
  return response.statusCode ?? 0;
}

export const get: Kind = requests('GET', '/small');
export const upload: Kind = requests('POST', '/sink', LARGE);
export const download: Kind = requests('GET', '/large');
/** Reads 64 KiB every 50 ms. */
export const slowDownload: Kind = requests('GET', '/large', undefined, 50);
export const slowUpload: Kind = requests('POST', '/slow-sink', LARGE);

/** Sends messages over one WebSocket, each after the echo of the one before. */
export const webSocket: Kind = async (plan, tally) => {
  while (plan.running()) {
    try {
      await echoes(plan, tally);
    } catch (error) {
      tally.break(`WebSocket: ${(error as Error).message}`);
      await sleep(1000);
    }
  }
};

async function echoes(plan: Plan, tally: Tally): Promise<void> {
  const request = http.request({
    ...{ host: '127.0.0.1', port: plan.port, path: '/ws', agent: false },
    headers: { Connection: 'Upgrade', Upgrade: 'websocket' },
  });
  const upgraded = once(request, 'upgrade');
  const refused = once(request, 'response');
  request.end();
  const [response, socket] = (await Promise.race([upgraded, refused])) as [
    http.IncomingMessage,
    Socket | undefined,
  ];
  if (socket === undefined) {
    tally.count(response.statusCode ?? 0, false);
    response.resume();
    await sleep(1000);
    return;
  }
  while (plan.running()) {
    socket.write(MESSAGE);
    for (let received = 0; received < ECHO; ) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) {
        if (socket.readableEnded) throw new Error('closed');
        await Promise.race([once(socket, 'readable'), once(socket, 'end')]);
      } else received += chunk.length;
    }
    tally.count(101, true);
    await sleep(plan.pause);
  }
  socket.destroy();
}

/** Makes one streaming call after another on one HTTP/2 connection. */
export const grpc: Kind = async (plan, tally) => {
  let session: http2.ClientHttp2Session | undefined;
  while (plan.running()) {
    try {
      if (session === undefined || session.closed || session.destroyed) {
        session = http2.connect(`http://127.0.0.1:${plan.port}`);
        session.on('error', () => {});
      }
      const status = await call(session, plan);
      tally.count(status, status === '0');
      if (status !== '0') await sleep(1000);
    } catch (error) {
      tally.break(`gRPC: ${(error as Error).message}`);
      await sleep(1000);
    }
  }
  session?.destroy();
};

/** Resolves to the `grpc-status` of a call. */
async function call(session: http2.ClientHttp2Session, plan: Plan): Promise<string> {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/grpc.Echo/Stream', te: 'trailers' },
    'content-type': 'application/grpc',
  });
  let status: string | undefined;
  const note = (fields: http2.IncomingHttpHeaders) => {
    status ??= fields['grpc-status'] as string | undefined;
  };
  stream.on('response', note);
  stream.on('trailers', note);
  const closed = once(stream, 'close');
  let received = 0;
  let sent = 0;
  const send = () => {
    if (stream.destroyed || stream.writableEnded) return;
    if (sent === CALLS || !plan.running()) stream.end();
    else stream.write(CALL);
    sent++;
  };
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received < CALL.length * sent) return;
    if (plan.pause === 0) send();
    else setTimeout(send, plan.pause);
  });
  send();
  await closed;
  if (status === undefined) throw new Error(`a stream without a status, ${stream.rstCode}`);
  return status;
}
