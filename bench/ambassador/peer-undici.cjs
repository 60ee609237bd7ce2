// The barest proxy over undici: http.Server and Pool.dispatch, with the same headers.
const http = require('node:http');
const { randomUUID } = require('node:crypto');
const { Pool } = require('undici');

const [port, upstream] = process.argv.slice(2);
const pool = new Pool(upstream, { connections: 1024, pipelining: 1 });
http
  .createServer((request, response) => {
    const headers = { ...request.headers };
    delete headers.connection;
    delete headers['keep-alive'];
    headers['x-forwarded-for'] = request.socket.remoteAddress;
    headers['x-forwarded-proto'] = 'http';
    headers.via = '1.1 peer';
    headers['x-request-id'] = randomUUID();
    const body =
      'content-length' in headers || 'transfer-encoding' in headers ? request : undefined;
    pool.stream(
      { path: request.url, method: request.method, headers, body, opaque: response },
      ({ statusCode, headers: fields, opaque }) => {
        delete fields.connection;
        delete fields['keep-alive'];
        delete fields['transfer-encoding'];
        opaque.writeHead(statusCode, fields);
        return opaque;
      },
      (error) => error && response.destroy(),
    );
  })
  .listen(Number(port), '127.0.0.1');
