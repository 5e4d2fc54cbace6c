import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/fixtures/temporary.ts';
import { type Running, start } from './processes.ts';

export interface Backend {
  readonly http: number;
  readonly h2c: number;
  readonly echo: number;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** What is behind all servers, on the load's cores: nginx with small bodies in memory, and a server that reads. */
export async function startBackend(directory: string, cores: string): Promise<Backend> {
  const ports = { http: await freePort(), h2c: await freePort(), echo: await freePort() };
  const workers = cores.split(',').length;
  const config = writeConfig(directory, ports, workers);
  const nginx = await start(cores, { command: 'nginx', arguments: ['-p', directory, '-c', config] }, ports.http);
  const echoScript = join(import.meta.dirname, 'echo.ts');
  const running: Running[] = [nginx];
  running.push(
    await start(cores, { command: process.execPath, arguments: [echoScript, String(ports.echo)] }, ports.echo),
  );
  return {
    ...ports,
    pids: running.map(({ pid }) => pid),
    stop: async () => void (await Promise.all(running.map((each) => each.stop()))),
  };
}

function writeConfig(directory: string, { http, h2c }: { http: number; h2c: number }, workers: number): string {
  for (const [name, size] of Object.entries({ '1k': 1024, '64k': 64 * 1024, '1m': 1024 * 1024 }))
    writeFileSync(join(directory, name), 'x'.repeat(size));
  const path = join(directory, 'backend.conf');
  writeFileSync(
    path,
    `
user root; daemon off; worker_processes ${workers}; pid ${directory}/backend.pid; error_log ${directory}/backend.log;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; sendfile on; open_file_cache max=100;
  http2_max_concurrent_streams 512; tcp_nodelay on;
  client_body_temp_path ${directory}/b-body; proxy_temp_path ${directory}/b-proxy;
  fastcgi_temp_path ${directory}/b-fastcgi; uwsgi_temp_path ${directory}/b-uwsgi; scgi_temp_path ${directory}/b-scgi;
  default_type text/plain;
  server { listen 127.0.0.1:${http} backlog=4096 reuseport; root ${directory}; location = /grpc { return 200 'ok'; } }
  server { listen 127.0.0.1:${h2c} http2 backlog=4096 reuseport; root ${directory};
    location = /grpc { default_type application/grpc; return 200 'ok'; } }
}`,
  );
  return path;
}
