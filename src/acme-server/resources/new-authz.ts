import { insertAuthorizations } from '../../store/acme-authorizations.ts';
import { appendAudit } from '../../store/audit.ts';
import { authorizationObject, planAuthorization } from '../authorizations.ts';
import { payloadOf, type Resource } from '../call.ts';
import { entitlementOf, requireAllowed } from '../entitlement.ts';
import { parseIdentifiers } from '../identifiers.ts';
import { spendOrRefuse } from '../limits.ts';
import { Refusal } from '../refusal.ts';
import { requireCurrentTerms } from '../terms.ts';

/** RFC 8555 §7.4.1: pre-authorization, for which the RFC allows no wildcard. */
export const newAuthz: Resource = {
  auth: 'kid',
  async answer(call) {
    const { services, profile, urls, account, now } = call;
    requireCurrentTerms(call);
    const [identifier] = parseIdentifiers([payloadOf(call).identifier], profile.settings);
    if (identifier!.value.startsWith('*.'))
      throw new Refusal('malformed', 'a wildcard cannot be authorized in advance (RFC 8555 §7.4.1)', { identifier });
    const entitlement = entitlementOf(profile, account, now);
    requireAllowed([identifier!], call, entitlement);
    const row = planAuthorization(identifier!, profile.settings, { profileId: profile.id, accountId: account.id }, now);
    await services.store.write(async (tx) => {
      await spendOrRefuse(tx, 'orders', account.id, profile.settings.limits, now);
      await insertAuthorizations(tx, [row]);
      await appendAudit(tx, {
        actor: `acme:${account.id}`,
        action: 'acme_authorization.create',
        resource: `acme_authorization:${row.id}`,
        facts: { profile: profile.id, identifier: row.identifier },
        at: now,
      });
    });
    return { status: 201, headers: { Location: urls.authorization(row.id) }, body: authorizationObject(row, call) };
  },
};
