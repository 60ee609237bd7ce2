import { connect, type IncomingHttpHeaders } from 'node:http2';
import { isIPv6 } from 'node:net';
import { errorText } from '@sidekit/core/tool';
import type { Address, GrpcAction, HandlerOutcome } from './handler.ts';
import { USER_AGENT } from './user-agent.ts';

/** The most that is read of an answer, in bytes. */
const LIMIT = 10 * 1024;
/** Statuses of gRPC (grpc.io, "Status codes"). */
const UNIMPLEMENTED = '12';
/** HealthCheckResponse.ServingStatus of grpc.health.v1. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/**
 * Calls grpc.health.v1.Health/Check over cleartext HTTP/2, as the kubelet does (pkg/probe/grpc):
 * only SERVING is success.
 * @param timeout in milliseconds, for the connection and the call.
 */
export async function grpcCheck(
  { service }: GrpcAction,
  { host, port }: Address,
  timeout: number,
): Promise<HandlerOutcome> {
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const session = connect(`http://${authority}`);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  session.once('error', reject);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': USER_AGENT,
    'grpc-timeout': `${Math.max(1, Math.min(99_999_999, Math.floor(timeout)))}m`,
  });
  const timer = setTimeout(
    () => reject(new Error(`health rpc did not complete within ${timeout / 1000}s`)),
    timeout,
  );
  const answer: Answer = { body: Buffer.alloc(0), headers: {}, trailers: {} };
  stream.once('error', reject);
  stream.once('response', (headers) => {
    answer.headers = headers;
  });
  stream.once('trailers', (trailers) => {
    answer.trailers = trailers;
  });
  stream.on('data', (chunk: Buffer) => {
    answer.body = Buffer.concat([answer.body, chunk]);
    if (answer.body.length > LIMIT) reject(new Error('the answer is longer than 10 KiB'));
  });
  stream.once('close', () => resolve(answer));
  stream.end(requestOf(service));
  try {
    return verdict(await promise, service);
  } catch (error) {
    return { result: 'failure', message: `gRPC probe failed: ${errorText(error)}` };
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

interface Answer {
  body: Buffer;
  headers: IncomingHttpHeaders;
  trailers: IncomingHttpHeaders;
}

/** One message (flag, length, content) of HealthCheckRequest, whose field 1 is the service. */
function requestOf(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function verdict({ body, headers, trailers }: Answer, service: string): HandlerOutcome {
  const fail = (message: string): HandlerOutcome => ({ result: 'failure', message });
  // An answer without a body has its status in the headers ("Trailers-Only").
  const code = String(trailers['grpc-status'] ?? headers['grpc-status'] ?? '');
  const text = String(trailers['grpc-message'] ?? headers['grpc-message'] ?? '').slice(0, 200);
  if (code === UNIMPLEMENTED) {
    return fail('this server does not implement the grpc health protocol (grpc.health.v1.Health)');
  }
  if (code === '') return fail(`no gRPC answer: HTTP status ${headers[':status'] ?? 'missing'}`);
  if (code !== '0') return fail(`error: health rpc probe failed: code ${code} ${text}`.trim());
  const status = servingStatus(body);
  if (status === 1) return { result: 'success' };
  const name = (status === undefined ? undefined : STATUSES[status]) ?? 'unreadable';
  return fail(`service unhealthy (responded with "${name}"${service ? ` for ${service}` : ''})`);
}

/** Reads field 1 (varint) of HealthCheckResponse; undefined if the message is malformed. */
function servingStatus(body: Buffer): number | undefined {
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5)
    return undefined;
  const message = body.subarray(5);
  if (message.length === 0) return 0;
  return message.length === 2 && message[0] === 0x08 ? message[1] : undefined;
}
