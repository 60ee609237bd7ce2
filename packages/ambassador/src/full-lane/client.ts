import type { Socket } from 'node:net';
import type { ParsedSocket } from './parsed-socket.ts';
import type { FullLaneRequest } from './request.ts';

/** The state of a connection. */
export interface Client {
  requests: number;
  /** Time since when no request is in progress, in milliseconds of the clock. */
  quietSince: number;
  /** Bytes that the socket had read by then; more means the start of a head. */
  readBefore: number;
  /** Time since when a head has been arriving; 0 if none is. */
  headSince: number;
  /** Time until which a socket that we ended is still read; 0 while it is open. */
  lingerUntil: number;
  /** The latest request. */
  last: FullLaneRequest | undefined;
  /** The request in progress, and those behind it, which begin one after the other. */
  readonly served: FullLaneRequest[];
  /** Whether a request was refused: what follows is not read. */
  refusing: boolean;
  /** Whether the next request arrived during the one before it, in the fast lane. */
  behind: boolean;
  /** Is called after the responses to the requests in progress. */
  next: (() => void) | undefined;
  /** Bytes of a message whose method the parser does not know: another parser reads them then. */
  refused: Buffer | undefined;
  /** The method of the first request, if the parser of node:http does not know it. */
  method: string | undefined;
  parsed: ParsedSocket | undefined;
  /** Forgets the connection when its socket closes. */
  readonly forget: () => void;
}

/** Returns the state of a connection without a request. @param forget is called when it closes. */
export function newClient(socket: Socket, now: number, forget: () => void): Client {
  return {
    requests: 0,
    quietSince: now,
    readBefore: socket.bytesRead,
    headSince: 0,
    lingerUntil: 0,
    last: undefined,
    served: [],
    refusing: false,
    behind: false,
    next: undefined,
    refused: undefined,
    method: undefined,
    parsed: undefined,
    forget,
  };
}
