// @fastify/http-proxy as its documentation has it, with the same headers.
const { randomUUID } = require('node:crypto');
const fastify = require('fastify');
const proxy = require('@fastify/http-proxy');

const [port, upstream] = process.argv.slice(2);
const server = fastify({ logger: false, bodyLimit: 1024 ** 3 });
server.register(proxy, {
  upstream,
  undici: { connections: 1024, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-forwarded-for': request.ip,
      'x-forwarded-proto': 'http',
      via: '1.1 peer',
      'x-request-id': randomUUID(),
    }),
  },
});
server.listen({ port: Number(port), host: '127.0.0.1' });
