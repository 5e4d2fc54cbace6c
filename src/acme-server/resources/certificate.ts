import { findUpstreamChain } from '../../store/acme-upstream.ts';
import { findCertificate } from '../../store/ca.ts';
import type { Db } from '../../store/index.ts';
import { pemOf } from '../../x509/index.ts';
import { type Resource, requirePostAsGet } from '../call.ts';
import type { Answer } from '../http.ts';
import { Refusal } from '../refusal.ts';
import { upstreamIssuerOf } from '../upstream-orders.ts';

/** RFC 8555 §7.4.2: the chain, with the other chains linked as alternates. */
export const certificate: Resource = {
  auth: 'kid',
  async answer(call) {
    requirePostAsGet(call);
    const { services, urls, account, parameters } = call;
    const [serial = '', chosen = '0'] = parameters;
    const row = await findCertificate(services.store.db, serial);
    if (row === undefined || row.account_id !== account.id || row.profile_id !== call.profile.id)
      throw new Refusal('malformed', 'this account has no such certificate', { status: 404 });
    if (upstreamIssuerOf(row.authority_id) !== undefined) return upstreamChain(services.store.db, serial, chosen);
    const chains = await services.ca.chains(row.authority_id);
    const chain = chains[Number(chosen)];
    if (chain === undefined) throw new Refusal('malformed', 'there is no such chain', { status: 404 });
    const link = chains.flatMap((_, index) =>
      index === Number(chosen)
        ? []
        : [`<${urls.certificate(serial)}${index === 0 ? '' : `/${index}`}>;rel="alternate"`],
    );
    return {
      status: 200,
      headers: { 'Content-Type': 'application/pem-certificate-chain', ...(link.length > 0 && { Link: link }) },
      body: [Buffer.from(row.certificate), ...chain].map((der) => pemOf('CERTIFICATE', der)).join(''),
    };
  },
};

async function upstreamChain(db: Db, serial: string, chosen: string): Promise<Answer> {
  const row = chosen === '0' ? await findUpstreamChain(db, serial) : undefined;
  if (row === undefined) throw new Refusal('malformed', 'there is no such chain', { status: 404 });
  return { status: 200, headers: { 'Content-Type': 'application/pem-certificate-chain' }, body: row.chain };
}
