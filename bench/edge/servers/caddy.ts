import type { Command } from '../processes.ts';
import { type Setting, upstreamPort, write } from './setting.ts';

/**
 * JSON, which is what Caddy runs: its own language gives each certificate a site, and takes minutes for ten thousand. No
 * CA of its own, which Caddy would add to the machine's trust store.
 */
export function caddy(setting: Setting, program: string): Command {
  const { directory, port, certificates, upstream, cores } = setting;
  const transport = {
    protocol: 'http',
    keep_alive: { max_idle_conns_per_host: 1024 },
    ...(upstream === 'h2c' && { versions: ['h2c'] }),
  };
  const proxy = {
    handler: 'reverse_proxy',
    transport,
    upstreams: [{ dial: `127.0.0.1:${upstreamPort(setting)}` }],
  };
  const config = {
    admin: { disabled: true },
    logging: { logs: { default: { level: 'ERROR' } } },
    apps: {
      http: {
        servers: {
          edge: {
            listen: [`127.0.0.1:${port}`],
            routes: [{ handle: [proxy] }],
            tls_connection_policies: [{ default_sni: '127.0.0.1' }],
            automatic_https: { disable: true },
          },
        },
      },
      pki: { certificate_authorities: { local: { install_trust: false } } },
      tls: { certificates: { load_files: certificates.map(({ cert, key }) => ({ certificate: cert, key })) } },
    },
  };
  return {
    command: program,
    arguments: ['run', '--config', write(setting, 'caddy.json', JSON.stringify(config))],
    env: { GOMAXPROCS: String(cores), HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
  };
}
