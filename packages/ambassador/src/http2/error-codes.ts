/**
 * Error codes (RFC 9113 §7) and a flag (§6.1) of HTTP/2. They are written out because reading
 * `constants` would load node:http2 at the start: 6 MiB that HTTP/1.1 alone does not need.
 */
export const NO_ERROR = 0x0;
export const REFUSED_STREAM = 0x7;
export const CANCEL = 0x8;
export const ENHANCE_YOUR_CALM = 0xb;
export const FLAG_END_STREAM = 0x1;
