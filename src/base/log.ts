import { destination, pino, stdTimeFunctions, transport } from 'pino';
import type { Clock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured logging: facts first, then a sentence. Never pass a secret; `redact` below is a net, not a licence. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
  child(facts: object): Logger;
}

const SECRET_FIELDS = ['token', 'secret', 'password', 'key', 'privateKey', 'authorization', 'hmac', 'credentials'];

const PRETTY = { destination: 2, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' };
/** A reader that stands still costs lines, not the process. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;

/**
 * JSON lines on standard error, or readable coloured lines when that is a terminal. The lines are written beside the loop;
 * a transport of pino's would be a thread with a heap of its own, 15 MB for each process.
 */
export function createLogger(options: { level?: LogLevel; pretty?: boolean } = {}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    options.pretty
      ? transport({ target: 'pino-pretty', options: PRETTY })
      : destination({ dest: 2, sync: false, maxLength: MOST_WAITING_BYTES }),
  );
}

const nothing = () => {};
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};

/**
 * A logger that writes at most `burst` lines a minute for each message and says how many it left out, for events that
 * strangers can cause at will.
 */
export function limitedLogger(inner: Logger, clock: Clock, burst = 10): Logger {
  const windows = new Map<string, { start: number; count: number }>();
  const limited = (level: LogLevel) => (facts: object, message: string) => {
    const now = clock.now();
    const window = windows.get(message);
    if (window === undefined || now - window.start >= 60_000) {
      const suppressed = window === undefined ? 0 : Math.max(0, window.count - burst);
      windows.set(message, { start: now, count: 1 });
      inner[level](suppressed > 0 ? { ...facts, suppressed } : facts, message);
    } else if (++window.count <= burst) inner[level](facts, message);
  };
  return {
    debug: limited('debug'),
    info: limited('info'),
    warn: limited('warn'),
    error: limited('error'),
    child: (facts) => limitedLogger(inner.child(facts), clock, burst),
  };
}
