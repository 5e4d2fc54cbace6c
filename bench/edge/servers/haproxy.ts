import { type Server, upstreamPort, write } from './setting.ts';

export const haproxy: Server = (setting) => {
  const { port, certificates, cores, upstream } = setting;
  const server = `127.0.0.1:${upstreamPort(setting)}${upstream === 'h2c' ? ' proto h2' : ''}`;
  const list = write(setting, 'certificates', `${certificates.map(({ both }) => both).join('\n')}\n`);
  const config = `
global
  nbthread ${cores}
  maxconn 8000
  tune.ssl.default-dh-param 2048
defaults
  mode http
  http-reuse always
  option forwardfor
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout tunnel 600s
frontend f
  bind 127.0.0.1:${port} ssl crt ${certificates[0]!.both} crt-list ${list} alpn h2,http/1.1
  http-request set-header X-Forwarded-Proto https
  default_backend b
backend b
  server s ${server}
`;
  return { command: 'haproxy', arguments: ['-f', write(setting, 'haproxy.cfg', config)] };
};
