import { setTimeout as delay } from 'node:timers/promises';
import type {
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import type { Message } from './message.ts';

/** The most numbers that one call counts, and the time between two, in milliseconds. */
const MOST = 100;
const PAUSE = 100;

/** Handles the calls of `demo.Echo`. */
export const echo = {
  Say(call: ServerUnaryCall<Message, Message>, reply: sendUnaryData<Message>): void {
    reply(null, call.request);
  },

  async Count(call: ServerWritableStream<Message, Message>): Promise<void> {
    const wanted = Math.min(MOST, Number(call.request.text) || 0);
    for (let i = 1; i <= wanted && !call.cancelled; i++) {
      call.write({ text: String(i) });
      if (i < wanted) await delay(PAUSE);
    }
    call.end();
  },

  Chat(call: ServerDuplexStream<Message, Message>): void {
    call.on('error', () => {});
    call.on('end', () => call.end());
    call.on('data', (message: Message) => {
      // A client that does not read is not read either.
      if (call.write(message)) return;
      call.pause();
      call.once('drain', () => call.resume());
    });
  },
} as const;
