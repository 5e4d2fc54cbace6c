import type { AcmeAuthorizationRow } from '../../store/acme-authorizations.ts';
import { claimValidation, findAuthorization } from '../../store/acme-authorizations.ts';
import { atOnce } from '../../store/at-once.ts';
import { appendAudit } from '../../store/audit.ts';
import { challengeObject, challengesOf, identifierOfRow } from '../authorizations.ts';
import { type AccountCall, isPostAsGet, payloadOf, type Resource } from '../call.ts';
import type { Answer } from '../http.ts';
import { requireNotFailing, spendOrRefuse } from '../limits.ts';
import { Refusal } from '../refusal.ts';
import { authorizationStatus, type StoredChallenge } from '../status.ts';
import type { ValidationJob } from '../validation-queue.ts';

/** RFC 8555 §7.5.1: reading a challenge, or telling that it is ready to be validated. */
export const challenge: Resource = {
  auth: 'kid',
  async answer(call) {
    const [id, type] = call.parameters as readonly [string, string];
    const row = await findAuthorization(call.services.store.db, id);
    const stored = row && challengesOf(row).find((candidate) => candidate.type === type);
    if (row === undefined || stored === undefined || row.account_id !== call.account.id)
      throw new Refusal('malformed', 'this account has no such challenge', { status: 404 });
    if (isPostAsGet(call)) return shown(call, row, stored);
    // The payload is an empty object; members of older drafts are ignored (RFC 8555 §7.5.1).
    payloadOf(call);
    // What is decided, or under way, is answered as it is: clients repeat this request.
    if (authorizationStatus(row, call.now) !== 'pending' || row.processing_since !== null)
      return shown(call, row, stored);
    return begin(call, row, stored);
  },
};

async function begin(call: AccountCall, row: AcmeAuthorizationRow, stored: StoredChallenge): Promise<Answer> {
  const { services, profile, account, now } = call;
  const { limits } = profile.settings;
  const processing: StoredChallenge = { ...stored, status: 'processing' };
  const challenges = JSON.stringify(
    challengesOf(row).map((candidate) => (candidate.type === stored.type ? processing : candidate)),
  );
  const current: AcmeAuthorizationRow = { ...row, challenges, processing_since: now };
  const job: ValidationJob = {
    authorization: current,
    type: stored.type,
    token: stored.token,
    identifier: identifierOfRow(row),
    profile,
    thumbprint: call.key.thumbprint,
    accountUrl: call.urls.account(account.id),
  };
  let validation: ReturnType<typeof services.validations.start> | undefined;
  await services.store.write(
    async (tx) => {
      const [, , claimed] = await atOnce(
        requireNotFailing(tx, account.id, row.identifier, limits.failed_validations, now),
        spendOrRefuse(tx, 'challenge_responses', account.id, limits, now),
        claimValidation(tx, row.id, challenges, now),
      );
      if (!claimed) return false;
      await appendAudit(tx, {
        actor: `acme:${account.id}`,
        action: 'acme_challenge.respond',
        resource: `acme_authorization:${row.id}`,
        facts: { profile: profile.id, identifier: row.identifier, type: stored.type },
        at: now,
      });
      return true;
    },
    // A question asked of the client's server does no harm if a power cut makes us forget that we were told to ask.
    (claimed) => {
      if (claimed) validation = services.validations.start(job);
    },
  );
  const outcome = validation && (await within(PATIENCE_MS, validation));
  if (outcome === undefined) return shown(call, current, processing);
  return shown(call, outcome, challengesOf(outcome).find(({ type }) => type === stored.type)!);
}

// Most validations are done in a tenth of this. A client that gets the outcome at once does not poll for it, and RFC 8555
// §7.5.1 leaves the server free to have decided already. What takes longer is answered as under way.
const PATIENCE_MS = 500;

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function shown(call: AccountCall, row: AcmeAuthorizationRow, stored: StoredChallenge): Answer {
  return {
    status: 200,
    headers: {
      Link: [`<${call.urls.authorization(row.id)}>;rel="up"`],
      // Seconds are the smallest unit there is, so one that only just began names none: most are done in milliseconds.
      ...(stored.status === 'processing' && call.now - (row.processing_since ?? 0) >= 500 && { 'Retry-After': '1' }),
    },
    body: challengeObject(row, stored, call),
  };
}
