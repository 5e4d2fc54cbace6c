import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Fault } from '../../../base/index.ts';
import type { OpenProvider, TxtRecord } from '../provider.ts';

const PROGRAM_MS = 120_000;
const LARGEST_OUTPUT = 64 * 1024;

/**
 * Runs `program present|cleanup FQDN VALUE`. Who may store a credential must not thereby run any program of the
 * machine, so only the operator's own directory counts, and the environment is not ours.
 */
export const openExec: OpenProvider<'exec'> = ({ program, token }, { programs }) => {
  if (!/^[\w][\w.-]{0,99}$/.test(program))
    throw new Fault({
      code: 'invalid_field',
      detail: `program is a plain file name in ${programs}`,
      party: 'client',
      retry: 'never',
      field: 'fields.program',
      status: 422,
    });
  const run = (action: 'present' | 'cleanup', { name, value }: TxtRecord, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...(token !== undefined && { GATEHOUSE_DNS_TOKEN: token }) };
      execFile(
        join(programs, program),
        [action, `${name}.`, value],
        { env, signal, timeout: PROGRAM_MS, maxBuffer: LARGEST_OUTPUT, cwd: programs },
        (error, _, stderr) => {
          if (error === null) return resolve();
          if (signal.aborted) return reject(signal.reason);
          const { code } = error as { code?: string | number };
          const why = code === 'ENOENT' ? `there is no ${program} in ${programs}` : lastLine(stderr) || `exit ${code}`;
          const masked = token === undefined ? why : why.replaceAll(token, '[redacted]');
          reject(
            new Fault({
              code: 'dns_provider_refused',
              detail: `${program} ${action} failed: ${masked}`,
              party: 'dns-provider',
              retry: 'backoff',
            }),
          );
        },
      );
    });
  return {
    async add(_zone, record, signal) {
      await run('present', record, signal);
      return undefined;
    },
    remove: (_zone, record, _ref, signal) => run('cleanup', record, signal),
  };
};

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
