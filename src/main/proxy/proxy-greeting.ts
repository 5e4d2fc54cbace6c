import type { ProxyPlan, ProxyStatus } from '../../edge/index.ts';

export interface ProxyPlaces {
  readonly listeners: readonly { readonly id: string; readonly https?: string; readonly http?: string }[];
  readonly health?: string;
  readonly adminSocket?: string;
  readonly pid: number;
  readonly file: string;
}

const MOST_SITES = 20;

/** What a person reads when everything serves: where, what, with which certificates, and what to type next. */
export function proxyGreeting(places: ProxyPlaces, { routes }: ProxyPlan, status: ProxyStatus): string {
  const rows: [string, string][] = places.listeners.map(({ id, https, http }) => [
    `Listener ${id}`,
    [https, http].filter((url) => url !== undefined).join(' and '),
  ]);
  for (const { names, notAfter } of status.listeners.flatMap(({ certificates }) => certificates))
    rows.push(['Certificate', `${names.join(', ')}, until ${day(notAfter)}`]);
  for (const { id, upstreams, redirect, tls } of routes.slice(0, MOST_SITES)) {
    const to = redirect === undefined ? upstreams.map(({ url }) => url).join(', ') : `redirect to ${redirect.to}`;
    rows.push(['Site', `${id} -> ${to}${tls === 'passthrough' ? ' (TLS as it is)' : ''}`]);
  }
  if (routes.length > MOST_SITES) rows.push(['', `and ${routes.length - MOST_SITES} more`]);
  if (places.health !== undefined) rows.push(['Health', `${places.health}/readyz and ${places.health}/metrics`]);
  if (places.adminSocket !== undefined)
    rows.push(['Status', `curl --unix-socket ${places.adminSocket} http://localhost/status`]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    '',
    'Gatehouse proxies.',
    '',
    ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`),
    '',
    `kill -HUP ${places.pid} reads ${places.file} again; Ctrl-C finishes what is open and ends.`,
    '',
    '',
  ].join('\n');
}

const day = (time: number | undefined) => (time === undefined ? 'unknown' : new Date(time).toISOString().slice(0, 10));
