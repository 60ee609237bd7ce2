// http-proxy 1.18.1 as its documentation has it, with a keep-alive agent and the same headers.
const http = require('node:http');
const { randomUUID } = require('node:crypto');
const { createProxyServer } = require('http-proxy');

const [port, upstream] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });
const proxy = createProxyServer({ target: upstream, agent, xfwd: true });
proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end());
http
  .createServer((request, response) => {
    const id = randomUUID();
    request.headers['x-request-id'] = id;
    request.headers.via = '1.1 peer';
    response.setHeader('x-request-id', id);
    proxy.web(request, response);
  })
  .listen(Number(port), '127.0.0.1');
