import type http2 from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';

/** The largest response, in bytes: a message of a few. */
const MAX_RESPONSE = 1024;
/** The value of `HealthCheckResponse.status` for a healthy service. */
const SERVING = 1;

/**
 * Asks for the health of a service (health.proto of grpc/grpc, `Health.Check`). Calls `done` once,
 * with the problem or undefined.
 * @param service its name; empty for the whole server.
 */
export function checkGrpcHealth(
  session: ClientHttp2Session,
  authority: string,
  service: string,
  done: (problem: string | undefined) => void,
): void {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    ':authority': authority,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let body: Buffer = Buffer.alloc(0);
  let grpcStatus: string | undefined;
  const note = (fields: http2.IncomingHttpHeaders) => {
    if (fields['grpc-status'] !== undefined) grpcStatus = String(fields['grpc-status']);
  };
  stream.on('response', (fields) => {
    if (fields[':status'] !== 200) done(`status ${fields[':status']}`);
    note(fields);
  });
  stream.on('trailers', note);
  stream.on('data', (chunk: Buffer) => {
    body = Buffer.concat([body, chunk]);
    if (body.length > MAX_RESPONSE) done('the response is too large');
  });
  stream.on('error', (error: Error) => done(error.message));
  stream.on('end', () => {
    if (grpcStatus !== '0') done(`grpc-status ${grpcStatus ?? 'is missing'}`);
    else if (servingStatus(body) === SERVING) done(undefined);
    else done(`the service is not serving (${servingStatus(body)})`);
  });
  stream.end(healthRequest(service));
}

/** Encodes `HealthCheckRequest { string service = 1 }` with the prefix of gRPC's messages. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  // Names have up to 256 characters: a varint of one or two bytes.
  const size = name.length < 128 ? [name.length] : [(name.length & 127) | 128, name.length >> 7];
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([10, ...size]), name]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Decodes `HealthCheckResponse { ServingStatus status = 1 }`; 0, UNKNOWN, if it is anything else. */
function servingStatus(body: Buffer): number {
  const complete = body.length === 7 && body[0] === 0 && body.readUInt32BE(1) === 2;
  return complete && body[5] === 8 ? body[6]! : 0;
}
