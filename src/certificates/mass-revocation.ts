import { appendEvent } from '../store/certificate-events.ts';
import {
  type CertificateVersionRow,
  markRevoked,
  versionsToRevoke,
  wantRevoked,
} from '../store/certificate-versions.ts';
import { certificateById, updateCertificate } from '../store/certificates.ts';
import type { Db } from '../store/index.ts';
import type { RevocationReason } from './face.ts';
import type { Engine } from './ports.ts';

/** Which versions: those that fit all that is given. Times are ms since the epoch. */
export interface RevocationFilter {
  readonly issuerId?: string;
  /** Hex SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyDigest?: string;
  readonly issuedFrom?: number;
  readonly issuedUntil?: number;
}

/** What a mass revocation would do. */
export interface RevocationRehearsal {
  /** Unexpired, unrevoked versions that fit. */
  readonly versions: number;
  /** Of these, the ones that are served: they are replaced first, and revoked when the new one is served. */
  readonly served: number;
  /** Not served any more, or needed by nobody: they are revoked without a replacement. */
  readonly notServed: number;
  readonly perHour: number;
  /** How long it takes at that rate, ms. */
  readonly takesMs: number;
  /** The first few names, so that a person sees what it is about. */
  readonly examples: readonly string[];
}

export interface MassRevocation {
  rehearse(filter: RevocationFilter, perHour: number): Promise<RevocationRehearsal>;
  /** Replaces, then revokes, at that rate. Asked again with the same filter it goes on with what is left. */
  start(filter: RevocationFilter, reason: RevocationReason, perHour: number): Promise<RevocationRehearsal>;
}

const HOUR = 3_600_000;
const MOST_EXAMPLES = 10;
const PER_WRITE = 200;

interface Affected extends CertificateVersionRow {
  readonly names: string;
  readonly served_version_id: string | null;
  readonly unreferenced_at: number | null;
  readonly kind: string;
}

const isReplaced = (one: Affected) =>
  one.served_version_id === one.id && one.unreferenced_at === null && one.kind === 'acme';

export function createMassRevocation(engine: Engine, wake: () => void): MassRevocation {
  const { store, clock } = engine;
  const find = (filter: RevocationFilter): Promise<Affected[]> => versionsToRevoke(store.db, filter, clock.now());

  const report = (found: readonly Affected[], perHour: number): RevocationRehearsal => {
    const served = found.filter(isReplaced).length;
    return {
      versions: found.length,
      served,
      notServed: found.length - served,
      perHour,
      takesMs: Math.ceil((found.length / perHour) * HOUR),
      examples: [...new Set(found.flatMap(({ names }) => JSON.parse(names) as string[]))].slice(0, MOST_EXAMPLES),
    };
  };

  return {
    rehearse: async (filter, perHour) => report(await find(filter), perHour),
    async start(filter, reason, perHour) {
      const found = await find(filter);
      const begun = clock.now();
      for (let at = 0; at < found.length; at += PER_WRITE)
        await store.write(async (tx) => {
          for (const [index, version] of found.slice(at, at + PER_WRITE).entries())
            await begin(engine, tx, version, reason, begun + Math.floor(((at + index) / perHour) * HOUR));
        });
      wake();
      return report(found, perHour);
    },
  };
}

async function begin(engine: Engine, tx: Db, version: Affected, reason: RevocationReason, due: number): Promise<void> {
  const now = engine.clock.now();
  const row = await certificateById(tx, version.certificate_id);
  if (row === undefined) return;
  const replaced = isReplaced(version);
  // A version that is wanted revoked and is served still is revoked by the write that brings its successor.
  if (replaced) await wantRevoked(tx, version.id, reason);
  else await markRevoked(tx, version.id, reason, now, version.issuer_id === null);
  const isServed = row.served_version_id === version.id;
  const change = {
    ...(replaced ? { wanted: 'renew' as const } : {}),
    ...(!replaced && isServed ? { served_version_id: null, status: 'revoked' as const } : {}),
    next_attempt_at: due,
    problem: null,
  };
  await updateCertificate(tx, row.id, change, now);
  const words = `${version.serial} is to be revoked (${reason})${replaced ? ', once its replacement is served' : ''}`;
  await appendEvent(tx, { certificateId: row.id, at: now, kind: 'revoked', words, facts: { reason } });
}
