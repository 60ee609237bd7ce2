import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  type StringValueSchema,
} from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';

interface Method<Kind> {
  methodKind: Kind;
  input: typeof StringValueSchema;
  output: typeof StringValueSchema;
}

/** A service of texts. */
export type Words = GenService<{
  echo: Method<'unary'>;
  split: Method<'server_streaming'>;
  join: Method<'client_streaming'>;
  chat: Method<'bidi_streaming'>;
}>;

const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({
  ...{ name, clientStreaming, serverStreaming },
  inputType: '.google.protobuf.StringValue',
  outputType: '.google.protobuf.StringValue',
});

/** Describes the service, as generated code would. */
export const WORDS: Words = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'words.proto',
    syntax: 'proto3',
    package: 'test',
    dependency: ['google/protobuf/wrappers.proto'],
    service: [
      {
        name: 'Words',
        method: [
          method('Echo', false, false),
          method('Split', false, true),
          method('Join', true, false),
          method('Chat', true, true),
        ],
      },
    ],
  }),
  () => file_google_protobuf_wrappers,
).getService('test.Words') as unknown as Words;

/** A connect server of the service, over HTTP/2 in cleartext. */
export class WordsServer implements AsyncDisposable {
  readonly #server: http2.Http2Server;
  readonly #sessions = new Set<http2.ServerHttp2Session>();

  private constructor(handlers: ServiceImpl<Words>) {
    this.#server = http2.createServer(
      connectNodeAdapter({ routes: (router) => void router.service(WORDS, handlers) }),
    );
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
    });
  }

  static async start(handlers: ServiceImpl<Words>): Promise<WordsServer> {
    const words = new WordsServer(handlers);
    await once(words.#server.listen(0, '127.0.0.1'), 'listening');
    return words;
  }

  get url(): string {
    return `h2c://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
