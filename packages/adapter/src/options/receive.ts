import { duration, integer, list, option, size } from '@sidekit/core';
import { listenerAddress } from '../input/receive/listener-address.ts';

/** The settings of the listeners for messages. */
export const receiveOptions = {
  syslog: option(list(listenerAddress('udp', 'tcp', 'unix')), {
    description:
      'Receive syslog (RFC 3164 and 5424) here: `udp::5514`, `tcp::5514` or `unix:/sockets/log.sock`. Without a host, on 127.0.0.1 only, which all containers of the Pod share.',
    default: [],
  }),
  jsonLines: option(list(listenerAddress('tcp', 'unix')), {
    description: 'Receive JSON lines here: `tcp::5170` or `unix:/sockets/json.sock`.',
    default: [],
  }),
  listenConnections: option(integer(1, 10_000), {
    description: 'The largest number of connections of each such listener.',
    default: 64,
  }),
  listenIdle: option(duration(0), {
    description:
      'Connections that have not sent a complete message for so long are closed; 0 keeps them.',
    default: 3_600_000,
  }),
  spoolBytes: option(size(1024 * 1024, 1024 ** 4), {
    description:
      'The size of `spool/` in the state directory, which holds received messages until they are delivered, for syslog and for JSON lines each. If it is full, senders over TCP and Unix sockets wait, and messages over UDP are dropped and counted.',
    default: 64 * 1024 * 1024,
  }),
};
