import {
  type Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  credentials,
  Server as GrpcServer,
  Metadata,
  makeGenericClientConstructor,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';

const same = (bytes: Buffer): Buffer => bytes;
const method = (name: string, stream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream: stream,
  responseStream: stream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

/** A service whose messages are plain bytes. */
const SERVICE: ServiceDefinition = { Unary: method('Unary', false), Chat: method('Chat', true) };

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Reply = sendUnaryData<Buffer>;
export type Chat = ServerDuplexStream<Buffer, Buffer>;

/** Answers calls of the service. */
export interface EchoHandlers {
  unary?(call: Unary, reply: Reply): void;
  chat?(call: Chat): void;
}

/** A grpc-js server of the service. */
export class EchoServer implements Disposable {
  readonly server: GrpcServer = new GrpcServer();
  port = 0;

  /** Starts one on `port`, 0 for a free one. */
  static async start({ unary, chat }: EchoHandlers = {}, port = 0): Promise<EchoServer> {
    const echo = new EchoServer();
    echo.server.addService(SERVICE, {
      Unary: unary ?? ((call: Unary, reply: Reply) => reply(null, call.request)),
      Chat:
        chat ??
        ((call: Chat) => {
          call.on('data', (message: Buffer) => call.write(message));
          call.on('end', () => call.end());
          call.on('error', () => {});
        }),
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    echo.server.bindAsync(
      `127.0.0.1:${port}`,
      ServerCredentials.createInsecure(),
      (error, bound) => (error ? reject(error) : resolve(bound)),
    );
    echo.port = await promise;
    return echo;
  }

  get url(): string {
    return `h2c://127.0.0.1:${this.port}`;
  }

  /** Closes all connections at once. */
  [Symbol.dispose](): void {
    this.server.forceShutdown();
  }
}

const EchoClient = makeGenericClientConstructor(SERVICE, 'Echo');

/** The result of a unary call. */
export interface CallResult {
  readonly code: number;
  readonly details: string;
  readonly message: string;
}

/** A grpc-js client, which does not retry. */
export class TestGrpcClient implements Disposable {
  readonly client: Client;

  constructor(port: number) {
    this.client = new EchoClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  unary(message: string, options: { deadline?: number } = {}): Promise<CallResult> {
    return new Promise((resolve) => {
      const call: ClientUnaryCall = this.client.makeUnaryRequest(
        '/test.Echo/Unary',
        same,
        same,
        Buffer.from(message),
        new Metadata(),
        options,
        (error, response) =>
          resolve({
            code: error?.code ?? 0,
            details: error?.details ?? '',
            message: response?.toString() ?? '',
          }),
      );
      call.on('error', () => {});
    });
  }

  chat(): ClientDuplexStream<Buffer, Buffer> {
    return this.client.makeBidiStreamRequest('/test.Echo/Chat', same, same, new Metadata());
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** Adds the prefix of a message: not compressed, and its length. */
export function framed(message: string | Buffer): Buffer {
  const bytes = Buffer.from(message as string);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}
