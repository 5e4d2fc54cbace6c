import type { Command } from '../processes.ts';
import { type Setting, upstreamPort, write } from './setting.ts';

// Its CA is named so that `skip_install_trust` holds for it: Caddy 2.11 otherwise adds one to the machine's trust store.
export function caddy(setting: Setting, program: string): Command {
  const { directory, port, certificates, upstream, cores } = setting;
  const sites = certificates.map(
    ({ names, cert, key }) => `${names.map((name) => `https://${name}:${port}`).join(', ')} {
  bind 127.0.0.1
  tls ${cert} ${key}
  reverse_proxy ${upstream === 'h2c' ? 'h2c://' : ''}127.0.0.1:${upstreamPort(setting)} {
    transport http {
      keepalive_idle_conns_per_host 1024
      ${upstream === 'h2c' ? 'versions h2c' : ''}
    }
  }
}`,
  );
  const config = `{
  admin off
  auto_https off
  skip_install_trust
  pki {
    ca local {
      name unused
    }
  }
  default_sni 127.0.0.1
  log {
    level ERROR
  }
}
${sites.join('\n')}
`;
  return {
    command: program,
    arguments: ['run', '--adapter', 'caddyfile', '--config', write(setting, 'Caddyfile', config)],
    env: { GOMAXPROCS: String(cores), HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
  };
}
