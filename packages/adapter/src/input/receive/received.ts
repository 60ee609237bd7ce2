import type { Counter, Family, Registry } from '@sidekit/core';

/** The reasons for which a received message is dropped. */
export type DropCause = 'spool_full' | 'incomplete';
/** The reasons for which the adapter closes or refuses a connection. */
export type CloseCause = 'too_many' | 'idle' | 'framing' | 'failed';

/** The counters of all listeners. */
export interface ReceiveMetrics {
  readonly messages: Family<Counter>;
  readonly cut: Family<Counter>;
  readonly dropped: Family<Counter>;
  readonly closed: Family<Counter>;
}

export function receiveMetrics(registry: Registry): ReceiveMetrics {
  const counters = (name: string, help: string) =>
    registry.counters({ name: `adapter_${name}_total`, help });
  return {
    messages: counters('received_messages', 'Messages received, by listener.'),
    cut: counters('cut_messages', 'Received messages of which only the beginning was kept.'),
    dropped: counters('dropped_messages', 'Received messages dropped, by listener and cause.'),
    closed: counters(
      'closed_connections',
      'Connections of senders refused or closed, by listener and cause.',
    ),
  };
}
