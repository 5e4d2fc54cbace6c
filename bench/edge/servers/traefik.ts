import { stringify } from 'yaml';
import type { Command } from '../processes.ts';
import { type Setting, upstreamPort, write } from './setting.ts';

export function traefik(setting: Setting, program: string): Command {
  const { port, certificates, upstream, cores } = setting;
  const pairs = certificates.map(({ cert, key }) => ({ certFile: cert, keyFile: key }));
  const url = `${upstream === 'h2c' ? 'h2c' : 'http'}://127.0.0.1:${upstreamPort(setting)}`;
  const dynamic = {
    http: {
      // One route for all: Traefik chooses the certificate by name alone.
      routers: { all: { rule: 'PathPrefix(`/`)', entryPoints: ['secure'], service: 'backend', tls: {} } },
      services: { backend: { loadBalancer: { servers: [{ url }], serversTransport: 'pool' } } },
      serversTransports: { pool: { maxIdleConnsPerHost: 1024 } },
    },
    tls: { certificates: pairs, stores: { default: { defaultCertificate: pairs[0] } } },
  };
  const config = {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: 'ERROR' },
    entryPoints: { secure: { address: `127.0.0.1:${port}`, http2: { maxConcurrentStreams: 256 } } },
    providers: { file: { filename: write(setting, 'dynamic.yaml', stringify(dynamic)), watch: false } },
  };
  return {
    command: program,
    arguments: [`--configFile=${write(setting, 'traefik.yaml', stringify(config))}`],
    env: { GOMAXPROCS: String(cores) },
  };
}
