import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a server under measurement is given. */
export interface Setting {
  readonly directory: string;
  readonly port: number;
  /** Ports of the backend: HTTP/1.1, and HTTP/2 without TLS. */
  readonly backend: number;
  readonly backendH2c: number;
  readonly cert: string;
  readonly key: string;
  readonly h2c: boolean;
}

/** How a server is started; `undefined` when it cannot do the work. */
export interface Command {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type ServerName = 'gatehouse' | 'nginx' | 'haproxy' | 'caddy';

const write = (setting: Setting, name: string, text: string) => {
  const path = join(setting.directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

function gatehouse(setting: Setting): Command {
  const { port, backend, backendH2c, cert, key, h2c } = setting;
  const upstream = h2c ? `h2c://127.0.0.1:${backendH2c}` : `http://127.0.0.1:${backend}`;
  return {
    command: process.execPath,
    arguments: [
      '--max-semi-space-size=64',
      '--disable-warning=ExperimentalWarning',
      ...(process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter((option) => option !== ''),
      join(import.meta.dirname, 'plane-server.ts'),
      String(port),
      upstream,
      cert,
      key,
    ],
  };
}

function nginx(setting: Setting): Command | undefined {
  if (setting.h2c) return undefined;
  const { directory, port, backend, cert, key } = setting;
  const config = `
user root; daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; http2_max_concurrent_streams 256;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  upstream backend { server 127.0.0.1:${backend}; keepalive 1024; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} ssl http2 backlog=4096; ssl_certificate ${cert}; ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m;
    location / {
      proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Real-IP $remote_addr;
    }
  }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
}`;
  return { command: 'nginx', arguments: ['-p', directory, '-c', write(setting, 'nginx.conf', config)] };
}

function haproxy(setting: Setting): Command {
  const { port, backend, backendH2c, cert, h2c } = setting;
  const server = h2c ? `127.0.0.1:${backendH2c} proto h2` : `127.0.0.1:${backend}`;
  const config = `
global
  nbthread 1
  maxconn 8000
  tune.ssl.default-dh-param 2048
defaults
  mode http
  http-reuse always
  option forwardfor
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${port} ssl crt ${cert}.both alpn h2,http/1.1
  http-request set-header X-Forwarded-Proto https
  default_backend b
backend b
  server s ${server}
`;
  return { command: 'haproxy', arguments: ['-f', write(setting, 'haproxy.cfg', config)] };
}

function caddy(setting: Setting): Command {
  const { directory, port, backend, backendH2c, cert, key, h2c } = setting;
  const config = `{
  admin off
  auto_https off
  skip_install_trust
  log {
    level ERROR
  }
}
https://shop.example.com:${port}, https://127.0.0.1:${port} {
  bind 127.0.0.1
  tls ${cert} ${key}
  reverse_proxy ${h2c ? `h2c://127.0.0.1:${backendH2c}` : `127.0.0.1:${backend}`} {
    transport http {
      keepalive_idle_conns_per_host 1024
      ${h2c ? 'versions h2c' : ''}
    }
  }
}
`;
  return {
    command: 'caddy',
    arguments: ['run', '--adapter', 'caddyfile', '--config', write(setting, 'Caddyfile', config)],
    env: { GOMAXPROCS: '1', HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
  };
}

export const SERVERS: Readonly<Record<ServerName, (setting: Setting) => Command | undefined>> = {
  gatehouse,
  nginx,
  haproxy,
  caddy,
};

/** The backend behind all of them: nginx with bodies in memory, on the load's core. */
export function backendConfig(directory: string, port: number, h2cPort: number): string {
  const body = (size: number) => 'x'.repeat(size);
  writeFileSync(join(directory, '64k'), body(64 * 1024));
  writeFileSync(join(directory, '1m'), body(1024 * 1024));
  writeFileSync(join(directory, '1k'), body(1024));
  const path = join(directory, 'backend.conf');
  writeFileSync(
    path,
    `
user root; daemon off; worker_processes 1; pid ${directory}/backend.pid; error_log ${directory}/backend.log;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; sendfile on; open_file_cache max=100;
  http2_max_concurrent_streams 512; tcp_nodelay on;
  client_body_temp_path ${directory}/b-body; proxy_temp_path ${directory}/b-proxy;
  fastcgi_temp_path ${directory}/b-fastcgi; uwsgi_temp_path ${directory}/b-uwsgi; scgi_temp_path ${directory}/b-scgi;
  default_type text/plain;
  server { listen 127.0.0.1:${port} backlog=4096; root ${directory}; location = /grpc { return 200 'ok'; } }
  server { listen 127.0.0.1:${h2cPort} http2 backlog=4096; root ${directory};
    location = /grpc { default_type application/grpc; return 200 'ok'; } }
}`,
  );
  return path;
}
