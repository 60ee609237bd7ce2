import type { ServerSessionOptions } from 'node:http2';
import { type HeadLimits, headerListSize } from './head-limits.ts';

/** Concurrent streams of a client's session. */
export const MAX_STREAMS = 100;

/**
 * Bounds a session in either direction. What is beyond ends the stream or, for floods, the session
 * with ENHANCE_YOUR_CALM; nghttp2 adds limits of its own on CONTINUATION frames and frames that wait.
 */
export function limits(head: HeadLimits): ServerSessionOptions {
  return {
    settings: {
      enablePush: false,
      maxConcurrentStreams: MAX_STREAMS,
      maxHeaderListSize: headerListSize(head),
      /** The bytes of a body that a stream may hold unread. */
      initialWindowSize: 64 * 1024 - 1,
    },
    // Cookies may come in many fields, which count as one.
    maxHeaderListPairs: 2 * head.maxFields,
    /** The memory of node:http2 for one session, in MB. */
    maxSessionMemory: 4,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    /** Resets by the client: 500 at once, 50 a second on average. */
    streamResetBurst: 500,
    streamResetRate: 50,
    strictSingleValueFields: false,
  };
}
