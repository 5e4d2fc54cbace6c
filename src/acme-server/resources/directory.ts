import type { Directory } from '../../acme/index.ts';
import type { Resource } from '../call.ts';
import { certificateProfiles } from '../certificate-profile.ts';

/** RFC 8555 §7.1.1. */
export const directory: Resource = {
  auth: 'none',
  methods: ['GET', 'HEAD'],
  answer({ urls: { base }, profile }) {
    const { settings } = profile;
    const body: Directory = {
      newNonce: `${base}/new-nonce`,
      newAccount: `${base}/new-account`,
      newOrder: `${base}/new-order`,
      newAuthz: `${base}/new-authz`,
      revokeCert: `${base}/revoke-cert`,
      keyChange: `${base}/key-change`,
      renewalInfo: `${base}/renewal-info`,
      meta: {
        ...(settings.terms_of_service !== undefined && { termsOfService: settings.terms_of_service }),
        ...(settings.website !== undefined && { website: settings.website }),
        ...(settings.validation.caa_identities.length > 0 && { caaIdentities: settings.validation.caa_identities }),
        externalAccountRequired: settings.eab_required,
        profiles: certificateProfiles(profile),
      },
    };
    return { status: 200, body };
  },
};
