import { findCertificate } from '../../store/ca.ts';
import { pemOf } from '../../x509/index.ts';
import { type Resource, requirePostAsGet } from '../call.ts';
import { Refusal } from '../refusal.ts';

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
    const chains = services.ca.chains(row.authority_id);
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
