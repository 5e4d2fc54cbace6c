import { type Clock, errorText, Fault, type Logger } from '../../base/index.ts';
import { type DnsRecordRow, dnsRecordsOfOwner } from '../../store/dns-records.ts';
import type { Store } from '../../store/index.ts';
import { createGate } from './gate.ts';
import { grantValue, type PersistentGrant, parseGrantValue, planGrant, type WantedGrant } from './persistent-grant.ts';
import type { Dns01, Dns01Call, DnsPresentation } from './port.ts';
import { challengeRecordName } from './record-name.ts';

/** What decides whether a record stays; known to whoever keeps certificates and accounts. */
export interface PersistentNeed {
  /** Whether certificates need a record at this domain, and for how much. */
  ofDomain(domain: string): Promise<'nothing' | 'name' | 'wildcard'>;
  /** The directory at which an account of ours has this URL; undefined when none has it, or no longer. */
  directoryOfAccount(accountUrl: string): Promise<string | undefined>;
}

/** Records of dns-persist-01: written once, kept over validations, replaced before they end or when the account changes. */
export interface PersistentRecords {
  /** Resolves once every authoritative server has a record that is good for the wish. */
  hold(wish: WantedGrant & { readonly domain: string; readonly credentialId?: string }, call: Dns01Call): Promise<void>;
}

const OWNER = 'persist:';
// How long a record is there after its last certificate went, at most.
const LOOKED_AT_EACH_MS = 3600_000;
const SEEN_WITHIN_MS = 5_000;

type Held = PersistentGrant & { readonly row: DnsRecordRow };

export function createPersistentRecords(context: {
  readonly store: Store;
  readonly dns01: Dns01;
  readonly need: PersistentNeed;
  readonly clock: Clock;
  readonly log: Logger;
}): PersistentRecords {
  const { store, dns01, need, clock, log } = context;
  // `*.example.com` and `example.com` of one order are validated at once and share a record.
  const gate = createGate(1);

  return {
    async hold(wish, call) {
      await requireOwnAccount(need, wish.accountUrl);
      const owner = OWNER + wish.domain;
      await gate(owner, owner, async () => {
        const held = (await dnsRecordsOfOwner(store.db, owner)).flatMap(heldOf);
        const wildcard = wish.wildcard || (await need.ofDomain(wish.domain)) === 'wildcard';
        const plan = planGrant(held, { ...wish, wildcard }, clock.now());
        if ('keep' in plan && (await isStillThere(plan.keep.row, call))) return;
        const grant = 'keep' in plan ? plan.keep : plan.publish;
        await publish(wish.domain, grantValue(grant), wish.credentialId, call);
        for (const old of held) if (await isReplaced(old, wish)) await takeAway(old.row);
      });
    },
  };

  async function publish(domain: string, value: string, credentialId: string | undefined, call: Dns01Call) {
    const recordName = challengeRecordName('dns-persist-01', domain);
    const owner = OWNER + domain;
    const presentation = await dns01.present({ owner, challenges: [{ recordName, value }], credentialId }, call);
    try {
      await dns01.waitForPropagation(presentation, call);
    } catch (error) {
      await dns01.cleanUp(presentation.id);
      throw error;
    }
    call.onStep?.(`${recordName} stays: ${value}`);
  }

  /** Asks the zone's servers; somebody may have removed it by hand. */
  async function isStillThere(row: DnsRecordRow, call: Dns01Call): Promise<boolean> {
    try {
      await dns01.waitForPropagation(presentationOf(row), call, SEEN_WITHIN_MS);
      return true;
    } catch (error) {
      call.signal?.throwIfAborted();
      call.onStep?.(`the record of dns-persist-01 is written again: ${errorText(error)}`);
      return false;
    }
  }

  /** Another issuer's stays, and that of another account of ours: a CA's staging has the same issuer domain. */
  async function isReplaced(old: Held, wish: WantedGrant): Promise<boolean> {
    if (wish.issuers.includes(old.issuer) && old.accountUrl === wish.accountUrl) return true;
    return (await need.directoryOfAccount(old.accountUrl)) === undefined;
  }

  async function takeAway(row: DnsRecordRow): Promise<void> {
    await dns01.cleanUp(row.presentation_id);
    log.info({ name: row.name, value: row.value }, 'a record of dns-persist-01 was replaced');
  }
}

/**
 * What a record that is due deserves: the time of the next look, or undefined where it is to be removed. Records of
 * other challenges are removed.
 */
export function keepsPersistent({ need, clock }: { readonly need: PersistentNeed; readonly clock: Clock }) {
  return async ({ owner, state, value }: DnsRecordRow): Promise<number | undefined> => {
    const grant = owner.startsWith(OWNER) && state !== 'leaving' ? parseGrantValue(value) : undefined;
    if (grant === undefined || grant.until * 1000 <= clock.now()) return undefined;
    if ((await need.ofDomain(owner.slice(OWNER.length))) === 'nothing') return undefined;
    if ((await need.directoryOfAccount(grant.accountUrl)) === undefined) return undefined;
    return clock.now() + LOOKED_AT_EACH_MS;
  };
}

/**
 * A record that stays is a standing right. A CA that lies could have us write another CA's name with somebody's account
 * there: only an account that is ours, and at the host of the directory that made it, gets into a record.
 */
async function requireOwnAccount(need: PersistentNeed, accountUrl: string): Promise<void> {
  const directory = await need.directoryOfAccount(accountUrl);
  if (directory !== undefined && URL.parse(directory)?.hostname === URL.parse(accountUrl)?.hostname) return;
  throw new Fault({
    code: 'ca_answer_unexpected',
    detail: `the account ${accountUrl} is not at the host of the CA's directory, so no lasting record is written for it`,
    party: 'ca',
    retry: 'backoff',
    advice: 'use dns-01 for this issuer',
  });
}

function heldOf(row: DnsRecordRow): Held[] {
  const grant = row.state === 'present' ? parseGrantValue(row.value) : undefined;
  return grant === undefined ? [] : [{ ...grant, row }];
}

function presentationOf(row: DnsRecordRow): DnsPresentation {
  const { asked_name: askedName, name, zone, value, credential_id: credentialId } = row;
  return { id: row.presentation_id, records: [{ askedName, name, zone, value, credentialId }] };
}
