import { withDigits } from './number-words.ts';

/** A port in digits and nothing else. */
export const portIn = (text: string): number | undefined => {
  const digits = /^(?:port |tcp\/|:)?(\d{1,5})(?:\/tcp)?$/i.exec(text.trim())?.[1];
  const port = digits === undefined ? Number.NaN : Number(digits);
  return port >= 1 && port <= 65_535 ? port : undefined;
};

function portAfter(text: string, words: RegExp): number | undefined {
  return portIn(new RegExp(`\\b${words.source}\\s*(?:is |=|:|of )?\\s*(\\d{1,5})\\b`, 'i').exec(text)?.[1] ?? '');
}

/** The port that a service listens on, as prose says it. */
export function backendPort(text: string): number | undefined {
  const prose = text
    .replaceAll(/\b(?:public|external|listen|outside) port\s*(?:is |=|:|of )?\s*\d+/gi, ' ')
    .replace(PUBLIC_URL, ' ');
  return (
    portAfter(prose, /(?:(?:backend|service|target|internal|local|its|tcp)\s)?port(?: number)?/) ??
    portAfter(prose, /(?:listen(?:s|ing)?|runs?|running|serv(?:es|ing)|answers|available|up) (?:on|at)(?: port)?/) ??
    portIn(/(?:\blocalhost|[\p{L}\d-]\.[\p{L}\d]+|\]|\s|^):(\d{2,5})\b(?![:.\d/])/iu.exec(prose)?.[1] ?? '') ??
    portIn(/\btcp\/(\d{1,5})\b|\b(\d{1,5})\/tcp\b/i.exec(prose)?.slice(1).find(Boolean) ?? '') ??
    portIn(/\b(?:on|at) (\d{2,5})\b(?![.:/\d])/i.exec(prose)?.[1] ?? '')
  );
}

/** A port by itself, in digits or in words. */
export const portOf = (text: string): number | undefined => portIn(text) ?? portIn(withDigits(`port ${text}`));

// A whole URL says how clients come; one of this machine, where the service is.
const PUBLIC_URL = /\bhttps?:\/\/(?!localhost\b|127\.|\[::1\])[^\s/:]+:(\d{1,5})\b/i;

export const publicPort = (text: string): number | undefined =>
  portIn(PUBLIC_URL.exec(text)?.[1] ?? '') ??
  portAfter(text, /(?:public|external|listen(?:ing)? on the hub at|listen|outside) port/);

/** Both ports at once: "forward 443 to 8080", "443 -> 8080". */
export function translatedPorts(text: string): { listen: number; backend: number } | undefined {
  const [, from = '', to = ''] =
    /\b(?:(?:port|map|forward|from|tcp\/)\s*)?(\d{2,5})\s*(?:->|=>|→|to)\s*(?:(?:backend |its |local )?port )?(\d{2,5})\b(?![.:/\d])/i.exec(
      text,
    ) ?? [];
  const [listen, backend] = [portIn(from), portIn(to)];
  return listen === undefined || backend === undefined ? undefined : { listen, backend };
}
