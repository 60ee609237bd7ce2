/** gRPC status codes, by number (google.rpc.Code). */
export const GRPC_STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** The codes that the proxy itself uses. */
export const GrpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

const BY_HTTP: Readonly<Record<number, number>> = {
  400: GrpcStatus.internal,
  401: GrpcStatus.unauthenticated,
  403: GrpcStatus.permissionDenied,
  404: GrpcStatus.unimplemented,
  413: GrpcStatus.resourceExhausted,
  429: GrpcStatus.unavailable,
  431: GrpcStatus.resourceExhausted,
  499: GrpcStatus.cancelled,
  502: GrpcStatus.unavailable,
  503: GrpcStatus.unavailable,
  504: GrpcStatus.deadlineExceeded,
};

/**
 * Returns the code for an HTTP status, as gRPC clients map it (http-grpc-status-mapping.md of
 * grpc/grpc). Where the proxy knows more, it is more exact: a body or head that is too large, a
 * timeout, a client that went away.
 */
export function statusOfHttp(status: number): number {
  return BY_HTTP[status] ?? GrpcStatus.unknown;
}

/** Reads a `grpc-status`; UNKNOWN if it is not one. */
export function parseGrpcStatus(text: string): number {
  const code = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return code in GRPC_STATUSES ? code : GrpcStatus.unknown;
}

const FAILURES: ReadonlySet<number> = new Set([
  GrpcStatus.unknown,
  GrpcStatus.internal,
  GrpcStatus.unavailable,
  GrpcStatus.dataLoss,
]);

/** Whether a code is a failure of the server rather than its answer; such failures eject it. */
export function isServerFailure(code: number): boolean {
  return FAILURES.has(code);
}
