/**
 * How long a client whose connection we have ended may go on sending, in milliseconds: octets that
 * arrive at a closed socket would reset it, and with it the answer on its way (RFC 9112 §9.6).
 */
export const LINGER = 2000;
