import { type AcmeOrderRow, completeOrder, moveOrder } from '../../store/acme-orders.ts';
import { spendEabQuota } from '../../store/acme-profiles.ts';
import { insertUpstreamOrder } from '../../store/acme-upstream.ts';
import { atOnce } from '../../store/at-once.ts';
import { appendAudit } from '../../store/audit.ts';
import { insertCertificate, isCompromisedKey } from '../../store/ca.ts';
import type { Db } from '../../store/index.ts';
import { parseCertificationRequest } from '../../x509/index.ts';
import { bareIdentifier, challengesOf } from '../authorizations.ts';
import { type AccountCall, payloadOf, type Resource } from '../call.ts';
import { settingsOf } from '../certificate-profile.ts';
import { type AcceptedRequest, acceptRequest } from '../csr-policy.ts';
import { type Entitlement, entitlementOf, requireAllowed } from '../entitlement.ts';
import { decodeBase64url } from '../jws.ts';
import { countIssued } from '../metrics.ts';
import { type LoadedOrder, orderObject, requireOrder } from '../orders.ts';
import { Refusal } from '../refusal.ts';
import { orderStatus } from '../status.ts';
import { requireCurrentTerms } from '../terms.ts';
import { requireCaa } from '../validators/caa.ts';
import { caEnd, endOf } from '../validity.ts';

/** RFC 8555 §7.4: the request is checked, the certificate signed, and all of it recorded in one transaction. */
export const finalize: Resource = {
  auth: 'kid',
  async answer(call) {
    const { urls, now } = call;
    requireCurrentTerms(call);
    const order = await requireOrder(call, call.parameters[0]!);
    const status = orderStatus(order.row, order.authorizations, now);
    if (status !== 'ready') throw new Refusal('orderNotReady', `the order is ${status}, not ready`);
    const entitlement = requireStillEntitled(call, order);
    await requireStillAllowedByCaa(call, order);
    const request = await acceptedRequest(call, order);
    const { issuer } = call.profile.settings;
    const row =
      issuer === undefined
        ? await issue(call, order, request, entitlement)
        : await passOn(call, order, request, entitlement, issuer);
    const body = orderObject({ ...order, row }, urls, now);
    const headers = { Location: urls.order(row.id), ...(row.state === 'processing' && { 'Retry-After': '2' }) };
    return { status: 200, headers, body };
  },
};

/** Names and trust are judged again, by the profile and the EAB key as they are now. */
function requireStillEntitled(call: AccountCall, order: LoadedOrder): Entitlement {
  const entitlement = entitlementOf(call.profile, call.account, call.now);
  if (order.row.authorizations === null && entitlement.mode !== 'trust')
    throw new Refusal(
      'unauthorized',
      'this account is not trusted any more; make a new order and prove control of its names',
    );
  requireAllowed(order.identifiers, call, entitlement);
  return entitlement;
}

/** CAA is looked at again before issuing, since an authorization may be a day old (RFC 8659 §6, CA/B BR §3.2.2.8). */
async function requireStillAllowedByCaa(
  call: AccountCall,
  { identifiers, authorizations }: LoadedOrder,
): Promise<void> {
  const { validation: policy } = call.profile.settings;
  if (!policy.caa) return;
  const signal = AbortSignal.timeout(policy.timeout_seconds * 1000);
  const accountUrl = call.urls.account(call.account.id);
  for (const [index, identifier] of identifiers.entries()) {
    const authorization = authorizations[index];
    const method = authorization && challengesOf(authorization).find(({ status }) => status === 'valid')?.type;
    const wildcard = identifier.value.startsWith('*.');
    await requireCaa({ identifier: bareIdentifier(identifier), wildcard, accountUrl, method, policy }, signal);
  }
}

interface Request {
  readonly der: Buffer;
  readonly spki: Buffer;
  readonly spkiHash: string;
  readonly accepted: AcceptedRequest;
}

async function acceptedRequest(call: AccountCall, { row, identifiers }: LoadedOrder): Promise<Request> {
  const { services, profile, now } = call;
  const der = decodeBase64url(payloadOf(call).csr);
  if (der === undefined) throw new Refusal('badCSR', 'csr is not base64url');
  const csr = parseCertificationRequest(der);
  const accepted = acceptRequest(csr, identifiers, settingsOf(profile, row.sub_profile ?? profile.id));
  if (csr.spki.equals(call.key.spki))
    throw new Refusal('badCSR', 'the certificate must not have the account key (RFC 8555 §11.1)');
  if (await isCompromisedKey(services.store.db, csr.spkiHash))
    throw new Refusal('badPublicKey', 'a certificate with this key was revoked for keyCompromise; make a new key');
  if (row.not_after !== null && row.not_after <= now)
    throw new Refusal('orderNotReady', 'the notAfter that was asked for has passed; make a new order');
  return { der, spki: csr.spki, spkiHash: csr.spkiHash, accepted };
}

async function spendQuota(tx: Db, { eabKey }: Entitlement): Promise<void> {
  if (eabKey !== undefined && !(await spendEabQuota(tx, eabKey.id, eabKey.settings.max_certificates)))
    throw new Refusal('unauthorized', 'the quota of the external account key is used up');
}

/** RFC 8555 §7.4: the order is `processing` until the CA behind this profile has said yes or no. */
async function passOn(
  call: AccountCall,
  { row }: LoadedOrder,
  { der }: Request,
  entitlement: Entitlement,
  issuer: string,
): Promise<AcmeOrderRow> {
  const { services, profile, account, now } = call;
  await services.store.write(async (tx) => {
    if (!(await moveOrder(tx, row.id, 'open', { state: 'processing', csr: der })))
      throw new Refusal('orderNotReady', 'the order was finalized by another request');
    await spendQuota(tx, entitlement);
    await insertUpstreamOrder(tx, { order_id: row.id, issuer_id: issuer, url: null, attempts: 0, next_at: now });
    await appendAudit(tx, {
      actor: `acme:${account.id}`,
      action: 'acme_order.finalize',
      resource: `acme_order:${row.id}`,
      facts: { profile: profile.id, issuer },
      at: now,
    });
  });
  services.metrics.count('gatehouse_acme_orders_total', { profile: profile.id, result: 'passed_on' });
  services.upstreamOrders.wake();
  return { ...row, state: 'processing' };
}

async function issue(
  call: AccountCall,
  { row }: LoadedOrder,
  { spki, spkiHash, accepted }: Request,
  entitlement: Entitlement,
): Promise<AcmeOrderRow> {
  const { services, profile, account, now } = call;
  const settings = settingsOf(profile, row.sub_profile ?? profile.id);
  const asked = { notBefore: row.not_before ?? undefined, notAfter: row.not_after ?? undefined };
  const certificate = await services.ca.issue({
    spki,
    spkiHash,
    ...accepted,
    notBefore: asked.notBefore,
    notAfter: endOf(asked, settings, caEnd(call), now),
    extendedKeyUsage: settings.extended_key_usage,
    profileId: profile.id,
    accountId: account.id,
    orderId: row.id,
  });
  const moved = { state: 'valid', certificate_serial: certificate.serial } as const;
  await services.store.write(async (tx) => {
    const [completed] = await atOnce(
      completeOrder(tx, row.id, 'open', certificate.serial),
      spendQuota(tx, entitlement),
      insertCertificate(tx, certificate),
      appendAudit(tx, {
        actor: `acme:${account.id}`,
        action: 'acme_certificate.issue',
        resource: `acme_certificate:${certificate.serial}`,
        facts: { profile: profile.id, order: row.id, names: [...accepted.dns, ...accepted.ip] },
        at: now,
      }),
    );
    if (!completed) throw new Refusal('orderNotReady', 'the order was finalized by another request');
  });
  countIssued(services.metrics, profile.id, 'own');
  return { ...row, ...moved };
}
