import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Server, type Setting, upstreamPort, write } from './setting.ts';

/** The product as it is started by everybody; limits that the load alone would meet are raised, as in its peers. */
export const gatehouse: Server = (setting) => {
  const { port, certificates, upstream, cores } = setting;
  const config = {
    workers: cores,
    log: { level: 'error' },
    limits: { requests_per_connection: 1_000_000_000, connections: 20_000, connections_per_address: 20_000 },
    listeners: [{ address: '127.0.0.1', https_port: port, tls: tlsOf(setting) }],
    sites: [
      {
        hosts: certificates.flatMap(({ names }) => names),
        upstreams: [`${upstream === 'h2c' ? 'h2c' : 'http'}://127.0.0.1:${upstreamPort(setting)}`],
      },
    ],
  };
  return {
    command: join(import.meta.dirname, '../../../bin/gatehouse'),
    arguments: ['proxy', '--config', write(setting, 'gatehouse.yaml', stringify(config))],
  };
};

const tlsOf = ({ certificates }: Setting) => ({
  mode: 'manual',
  certificates: certificates.map(({ cert, key }) => ({ cert, key })),
  default_name: '127.0.0.1',
});
