import type { Engine } from '../../engine/engine.ts';
import type { ContainerSpec, ExecAction, HttpGet, TcpSocketAction } from '../../manifest/types.ts';

/** The action of a probe or a lifecycle hook: one of these. */
export interface Handler {
  readonly exec?: ExecAction | undefined;
  readonly httpGet?: HttpGet | undefined;
  readonly tcpSocket?: TcpSocketAction | undefined;
  readonly grpc?: GrpcAction | undefined;
  readonly sleep?: { readonly seconds: number } | undefined;
}

export interface GrpcAction {
  readonly port: number;
  readonly service: string;
}

/** The result of an action. An error is the engine's or this machine's: it is no verdict on the container. */
export interface HandlerOutcome {
  readonly result: 'success' | 'failure' | 'error';
  readonly message?: string;
}

export interface HandlerTarget {
  readonly engine: Engine;
  readonly container: ContainerSpec;
  readonly id: string;
  /** Returns the address that leads from this machine to a port of the Pod. */
  readonly reach: (port: number) => Address;
  /** Whether a program listens on a port of the Pod; undefined if only a connection can tell. */
  readonly listens: (port: number) => boolean | undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}
