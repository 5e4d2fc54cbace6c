import { createProblems, type InputReader, type Problems, readInput } from '../base/index.ts';
import type { JsonObject, MissionKind } from '../missions/index.ts';

interface Filter {
  readonly issuerId?: string;
  readonly keyDigest?: string;
  readonly issuedFrom?: number;
  readonly issuedUntil?: number;
}

interface Rehearsal {
  readonly versions: number;
  readonly served: number;
  readonly notServed: number;
  readonly takesMs: number;
  readonly examples: readonly string[];
}

/** What revoking many asks of the certificate engine. */
export interface MassRevocationPort {
  rehearse(filter: Filter, perHour: number): Promise<Rehearsal>;
  /** Replaces, then revokes. Asked again with the same filter it goes on with what is left. */
  start(filter: Filter, reason: string, perHour: number): Promise<Rehearsal>;
}

/** Replaces, then revokes, whatever an issuer issued, a key signed for, or a time span holds. */
export function massRevocationKind(
  certificates: MassRevocationPort,
  issuers: { ids(): Promise<readonly string[]> },
  reasons: readonly string[],
  now: () => number,
): MissionKind {
  return {
    kind: 'mass_revoke_certificates',
    description: 'replace, then revoke, every certificate of an issuer, a key or a time span, at a bounded rate',
    async plan(input) {
      const problems = createProblems();
      const read = readInput(input, problems);
      const issuer = read.text('issuer');
      const key = read.text('key_sha256', { pattern: /^[0-9a-f]{64}$/, what: 'a hex SHA-256' });
      const from = readTime(read, problems, 'issued_from');
      // What is issued from now on is not meant, above all not the replacements.
      const until = readTime(read, problems, 'issued_until') ?? now();
      const reason = read.choice('reason', reasons) ?? 'unspecified';
      const perHour = read.integer('per_hour', { least: 1, most: 100_000 }) ?? 100;
      read.refuseOthers();
      if (issuer === undefined && key === undefined && from === undefined && !read.has('issued_until'))
        problems.add('issuer', 'required', 'say which: issuer, key_sha256, issued_from or issued_until');
      if (issuer !== undefined && !(await issuers.ids()).includes(issuer))
        problems.add('issuer', 'unknown_issuer', `there is no issuer ${issuer}`);
      problems.throwIfAny();
      const resolved = {
        ...(issuer !== undefined && { issuerId: issuer }),
        ...(key !== undefined && { keyDigest: key }),
        ...(from !== undefined && { issuedFrom: from }),
        issuedUntil: until,
      };
      const found = await certificates.rehearse(resolved, perHour);
      if (found.versions === 0) problems.add('issuer', 'nothing_fits', 'no unexpired, unrevoked certificate fits');
      problems.throwIfAny();
      const inputs = {
        ...(issuer !== undefined && { issuer }),
        ...(key !== undefined && { key_sha256: key }),
        ...(from !== undefined && { issued_from: new Date(from).toISOString() }),
        issued_until: new Date(until).toISOString(),
        reason,
        per_hour: perHour,
      };
      return {
        title: `Revoke ${found.versions} certificates`,
        inputs,
        steps: [{ step: 'revoke', action: 'revoke', detail: inWords(found, reason, perHour) }],
        warnings: ['a revocation cannot be undone; each certificate that is served is replaced first'],
        resolved: { filter: resolved, reason, perHour },
      };
    },
    runners: [
      {
        step: 'revoke',
        async run({ plan: { resolved }, note }) {
          const { filter, reason, perHour } = resolved as unknown as Resolved;
          const begun = await certificates.start(filter, reason, perHour);
          await note(inWords(begun, reason, perHour));
          return { outputs: { versions: begun.versions, served: begun.served } };
        },
      },
    ],
    result: (_, made): JsonObject => ({ status: 'begun', ...made.revoke }),
  };
}

interface Resolved {
  readonly filter: Filter;
  readonly reason: string;
  readonly perHour: number;
}

function readTime(read: InputReader, problems: Problems, field: string): number | undefined {
  const text = read.text(field);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  problems.add(field, 'invalid', `${JSON.stringify(text)} is not a time like 2026-11-24T00:00:00Z`);
  return undefined;
}

function inWords({ versions, served, takesMs, examples }: Rehearsal, reason: string, perHour: number): string {
  const hours = Math.max(1, Math.ceil(takesMs / 3_600_000));
  return `${versions} certificates (${reason}), of which ${served} are served and replaced first, ${perHour} an hour, done within ${hours} h: ${examples.join(', ')}`;
}
