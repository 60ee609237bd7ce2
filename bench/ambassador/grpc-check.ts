import { once } from 'node:events';
import http2 from 'node:http2';

/** Makes one call. @throws Error unless its status is OK: a load counts any status as success. */
export async function checkCalls(port: number): Promise<void> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/bench.Echo/Say', te: 'trailers' },
      'content-type': 'application/grpc',
    });
    stream.resume().end(Buffer.alloc(5));
    const [trailers] = await once(stream, 'trailers');
    if (trailers['grpc-status'] !== '0')
      throw new Error(`a call ended with ${trailers['grpc-status']}`);
  } finally {
    session.destroy();
  }
}
