import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BODY = 'x'.repeat(100);

function base(directory: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(directory, name)};`)
    .join(' ');
  return `worker_processes 1; daemon off; pid ${join(directory, 'pid')}; error_log ${join(directory, 'error.log')};
include /etc/nginx/modules-enabled/*-stream.conf;
events { worker_connections 16384; }
HTTP ${paths} keepalive_requests 1000000000; client_max_body_size 0;`;
}

/** Writes the upstream of all proxies: 100 bytes, a file of 1 MiB, and a sink for bodies. */
export function writeUpstream(directory: string, port: number): string {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  writeFileSync(join(directory, 'large'), Buffer.alloc(1024 * 1024, 'x'));
  const text = `${base(directory).replace('HTTP', 'http {')}
  access_log off; sendfile on; client_body_buffer_size 2m;
  server { listen 127.0.0.1:${port} backlog=16384;
    location / { return 200 "${BODY}"; }
    location = /large { root ${directory}; }
    # A body that comes with its head is dropped at once; a larger one is read only by what passes it on.
    location = /post { return 200 "${BODY}"; }
    location = /sink { proxy_pass http://127.0.0.1:${port}/; proxy_http_version 1.1; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Connection ""; }
  } }\n`;
  return write(directory, text);
}

/** nginx as the same proxy: kept connections, the same headers added, one worker. */
export function writeProxy(
  directory: string,
  ports: Readonly<
    Record<'http' | 'logged' | 'stream' | 'h2' | 'grpc' | 'upstream' | 'grpcUpstream', number>
  >,
): string {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const location = `location / { proxy_pass http://up; proxy_http_version 1.1; proxy_buffering on; proxy_request_buffering off;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Via "1.1 nginx"; proxy_set_header X-Request-Id $request_id;
      proxy_set_header Traceparent "00-$request_id-0000000000000001-01"; add_header X-Request-Id $request_id; }`;
  const text = `${base(directory).replace('HTTP', 'http {')}
  log_format line escape=json '{"time":"$time_iso8601","method":"$request_method","path":"$uri","host":"$host","status":$status,"duration":$request_time,"bytesOut":$body_bytes_sent,"client":"$remote_addr","upstream":"$upstream_addr","requestId":"$request_id"}';
  upstream up { server 127.0.0.1:${ports.upstream}; keepalive 1024; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${ports.http} backlog=16384; access_log off; ${location} }
  server { listen 127.0.0.1:${ports.h2} http2 backlog=16384; access_log off; ${location} }
  upstream calls { server 127.0.0.1:${ports.grpcUpstream}; keepalive 1024; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${ports.grpc} http2 backlog=16384; access_log off; location / { grpc_pass grpc://calls; } }
  server { listen 127.0.0.1:${ports.logged} backlog=16384; access_log ${join(directory, 'access.log')} line buffer=32k flush=1s; ${location} }
}
stream { server { listen 127.0.0.1:${ports.stream} backlog=16384; proxy_pass 127.0.0.1:${ports.upstream}; } }\n`;
  return write(directory, text);
}

/** nginx as a proxy for the mixed load: WebSockets, and gRPC on a port of its own. */
export function writeMixProxy(
  directory: string,
  ports: Readonly<Record<'port' | 'grpc' | 'upstream' | 'calls', number>>,
): string {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const text = `${base(directory).replace('HTTP', 'http {')} access_log off;
  upstream up { server 127.0.0.1:${ports.upstream}; keepalive 1024; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${ports.port} backlog=16384; proxy_http_version 1.1; proxy_request_buffering off;
    location / { proxy_pass http://up; proxy_set_header Connection ""; }
    location /ws { proxy_pass http://up; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection Upgrade; } }
  server { listen 127.0.0.1:${ports.grpc} http2 backlog=16384; location / { grpc_pass grpc://127.0.0.1:${ports.calls}; } }
}\n`;
  return write(directory, text);
}

function write(directory: string, text: string): string {
  const path = join(directory, 'nginx.conf');
  writeFileSync(path, text);
  return path;
}
