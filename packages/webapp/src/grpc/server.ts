import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Address, ExpectedError, formatAddress } from '@sidekit/core';
import { echo } from './echo.ts';
import { HealthService } from './health.ts';
import { ECHO, HEALTH } from './services.ts';

/** Concurrent streams of one connection. */
const MAX_STREAMS = 100;
/** How long calls in progress may take at a stop, in milliseconds. */
const DRAIN = 5000;

/** A gRPC server that listens. */
export interface RunningGrpc {
  readonly port: number;
  /** Finishes the calls in progress, and closes. */
  stop(): Promise<void>;
}

/**
 * Serves `demo.Echo` and `grpc.health.v1.Health` in cleartext.
 * @param maxMessage in bytes.
 * @throws {ExpectedError} if the address cannot be bound.
 */
export async function startGrpc(address: Address, maxMessage: number): Promise<RunningGrpc> {
  const health = new HealthService();
  const server = new Server({
    'grpc.max_receive_message_length': maxMessage,
    'grpc.max_concurrent_streams': MAX_STREAMS,
  });
  server.addService(ECHO, echo);
  server.addService(HEALTH, { Check: health.Check, Watch: health.Watch });
  const place = formatAddress(address);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(
    place.startsWith(':') ? `0.0.0.0${place}` : place,
    ServerCredentials.createInsecure(),
    (error, port) => (error ? reject(error) : resolve(port)),
  );
  const port = await promise.catch((error: Error) => {
    throw new ExpectedError(`--grpc-listen ${place} cannot be bound (${error.message})`);
  });
  return {
    port,
    stop: async () => {
      health.stop();
      await drained(server);
    },
  };
}

function drained(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.forceShutdown(), DRAIN);
    server.tryShutdown(() => {
      clearTimeout(late);
      resolve();
    });
  });
}
