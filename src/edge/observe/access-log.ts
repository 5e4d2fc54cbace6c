import { closeSync, openSync, writeSync } from 'node:fs';
import type { Logger } from '../../base/index.ts';
import type { RequestRecord } from '../plane/index.ts';

export interface AccessLogSettings {
  readonly format: 'off' | 'json' | 'combined';
  /** Appended to; standard output when absent. */
  readonly file?: string;
}

/** One line a request, gathered and written a few times a second; whole lines only, since several workers append. */
export interface AccessLog {
  note(record: RequestRecord): void;
  /** Opens the file again, which is how logs are rotated. */
  configure(settings: AccessLogSettings): void;
  flush(): void;
  close(): void;
}

const FLUSH_BYTES = 32_768;
const STDOUT = 1;

export function createAccessLog(first: AccessLogSettings, log: Logger): AccessLog {
  let settings = first;
  let fd = open(first, log);
  let pending = '';
  const flush = () => {
    if (pending === '') return;
    const bytes = Buffer.from(pending);
    pending = '';
    if (fd === undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    } catch (error) {
      // A full disk or a reader that went away: requests matter more than their log.
      log.warn({ err: error }, 'lines of the access log are lost');
    }
  };
  const shut = () => {
    flush();
    if (fd !== undefined && fd !== STDOUT) closeSync(fd);
    fd = undefined;
  };
  return {
    note(record) {
      if (fd === undefined) return;
      pending += LINES[settings.format](record);
      if (pending.length >= FLUSH_BYTES) flush();
    },
    configure(next) {
      shut();
      settings = next;
      fd = open(next, log);
    },
    flush,
    close: shut,
  };
}

function open({ format, file }: AccessLogSettings, log: Logger): number | undefined {
  if (format === 'off') return undefined;
  if (file === undefined) return STDOUT;
  try {
    return openSync(file, 'a', 0o640);
  } catch (error) {
    log.error({ file, err: error }, 'the access log cannot be opened; requests are served without it');
    return undefined;
  }
}

const LINES: Record<AccessLogSettings['format'], (record: RequestRecord) => string> = {
  off: () => '',
  json: (record) => `${JSON.stringify(factsOf(record))}\n`,
  combined: combinedLine,
};

function factsOf(record: RequestRecord): object {
  const { connection } = record;
  return {
    time: new Date(record.startedAt).toISOString(),
    client: record.clientAddress,
    listener: connection.listener.id,
    protocol: record.protocol,
    method: record.method,
    host: record.host,
    target: record.target,
    status: record.status,
    duration_ms: Math.round(record.durationMs * 1000) / 1000,
    request_bytes: record.requestBytes,
    response_bytes: record.responseBytes,
    user_agent: record.userAgent,
    referer: record.referer,
    request_id: record.requestId,
    route: record.route?.id,
    upstream: record.upstream,
    problem: record.problem,
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Apache's combined format, in UTC. What a client sent is escaped, so it can neither end a field nor a line. */
function combinedLine(record: RequestRecord): string {
  const at = new Date(record.startedAt);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  const request = `${quoted(record.method)} ${quoted(record.target)} ${record.protocol}`;
  const sizes = `${record.status === 0 ? 499 : record.status} ${record.responseBytes}`;
  const agent = `"${quoted(record.referer) || '-'}" "${quoted(record.userAgent) || '-'}"`;
  return `${record.clientAddress} - - [${day}:${time} +0000] "${request}" ${sizes} ${agent}\n`;
}

const quoted = (text: string) =>
  text.replace(/["\\]|[^\x20-\x7e]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  );
