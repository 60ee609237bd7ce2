/**
 * How long a connection that we ended is still read, in milliseconds: data that arrives at a closed
 * socket would reset it and destroy the response in transit (RFC 9112 §9.6).
 */
export const LINGER = 2000;
