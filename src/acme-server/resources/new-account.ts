import { newId } from '../../base/index.ts';
import { type AcmeAccountRow, findAccountByKey, insertAccount } from '../../store/acme-accounts.ts';
import { bindEabKey } from '../../store/acme-profiles.ts';
import { appendAudit } from '../../store/audit.ts';
import { type KeyCall, payloadOf, type Resource } from '../call.ts';
import { parseContacts } from '../contact.ts';
import { verifyExternalBinding } from '../external-account.ts';
import type { Answer } from '../http.ts';
import { requireStrongKey } from '../jws.ts';
import { addressBucket, spendOrRefuse } from '../limits.ts';
import { Refusal } from '../refusal.ts';
import { termsToAgreeTo } from '../terms.ts';
import { accountObject } from './account.ts';

/** RFC 8555 §7.3, §7.3.1, §7.3.4. */
export const newAccount: Resource = {
  auth: 'jwk',
  async answer(call) {
    const payload = payloadOf(call);
    const existing = await findAccountByKey(call.services.store.db, call.profile.id, call.key.thumbprint);
    if (existing !== undefined) return known(call, existing);
    if (payload.onlyReturnExisting === true)
      throw new Refusal('accountDoesNotExist', 'there is no account with this key at this profile');
    return create(call, payload);
  },
};

function known(call: KeyCall, row: AcmeAccountRow): Answer {
  if (row.status !== 'valid') throw new Refusal('unauthorized', `the account with this key is ${row.status}`);
  return { status: 200, headers: { Location: call.urls.account(row.id) }, body: accountObject(row, call.urls) };
}

async function create(call: KeyCall, payload: Record<string, unknown>): Promise<Answer> {
  const { services, profile, urls, now } = call;
  const contact = payload.contact === undefined ? [] : parseContacts(payload.contact);
  const agreed = payload.termsOfServiceAgreed === true;
  if (profile.settings.terms_of_service !== undefined && !agreed)
    throw termsToAgreeTo(profile.settings.terms_of_service);
  requireStrongKey(call.key);
  const eabKeyId = await verifyExternalBinding(call, payload.externalAccountBinding);
  const row: AcmeAccountRow = {
    id: newId('acct', now),
    profile_id: profile.id,
    thumbprint: call.key.thumbprint,
    jwk: JSON.stringify(call.key.jwk),
    status: 'valid',
    contact: JSON.stringify(contact),
    terms_agreed_at: agreed ? now : null,
    terms_url: agreed ? (profile.settings.terms_of_service ?? null) : null,
    eab_key_id: eabKeyId ?? null,
    created_at: now,
  };
  const bucket = addressBucket(call.request.socket.remoteAddress);
  const created = await services.store.write(async (tx) => {
    await spendOrRefuse(tx, 'accounts_per_address', bucket, profile.settings.limits, now);
    if (!(await insertAccount(tx, row))) return false;
    if (eabKeyId !== undefined && !(await bindEabKey(tx, eabKeyId, row.id)))
      throw new Refusal('unauthorized', 'the external account key was used for another account already');
    await appendAudit(tx, {
      actor: `acme:${row.id}`,
      action: 'acme_account.create',
      resource: `acme_account:${row.id}`,
      facts: { profile: profile.id, thumbprint: row.thumbprint, ...(eabKeyId && { eab_key: eabKeyId }) },
      at: now,
    });
    return true;
  });
  if (created) services.metrics.count('gatehouse_acme_accounts_created_total', { profile: profile.id });
  // Another request with the same key was quicker: both get the one account.
  if (!created) return known(call, (await findAccountByKey(services.store.db, profile.id, call.key.thumbprint))!);
  return { status: 201, headers: { Location: urls.account(row.id) }, body: accountObject(row, urls) };
}
