import type { MethodDefinition } from '@grpc/grpc-js';
import { decodeMessage, encodeMessage, encodeStatus, type Message } from './message.ts';

/** The states of `HealthCheckResponse` that are used. */
export const SERVING = 1;
export const NOT_SERVING = 2;
export const SERVICE_UNKNOWN = 3;

function method<Response>(
  path: string,
  encode: (response: Response) => Buffer,
  [requestStream, responseStream]: readonly [boolean, boolean],
): MethodDefinition<Message, Response> {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: encodeMessage,
    requestDeserialize: decodeMessage,
    responseSerialize: encode,
    // Only a client reads responses.
    responseDeserialize: () => {
      throw new Error('this is a server');
    },
  };
}

/** `demo.Echo` of echo.proto. */
export const ECHO = {
  Say: method('/demo.Echo/Say', encodeMessage, [false, false]),
  Count: method('/demo.Echo/Count', encodeMessage, [false, true]),
  Chat: method('/demo.Echo/Chat', encodeMessage, [true, true]),
} as const;

/** `grpc.health.v1.Health` (health.proto of grpc/grpc). */
export const HEALTH = {
  Check: method('/grpc.health.v1.Health/Check', encodeStatus, [false, false]),
  Watch: method('/grpc.health.v1.Health/Watch', encodeStatus, [false, true]),
} as const;
