import { Type } from 'typebox';
import { Fault } from '../../base/index.ts';
import {
  Certificate,
  CertificateDetail,
  CreateCertificate,
  PageQuery,
  REVOCATION_REASONS,
  words,
} from '../../contract/index.ts';
import { DESTROYS, MAKES_ONCE, READS, type Tool, textOf } from '../tool.ts';

const ById = { certificate_id: Type.String({ maxLength: 300, description: 'id, or a name that it carries' }) };
const One = Type.Object({ certificate: Certificate });

export const certificateTools: readonly Tool[] = [
  {
    name: 'system_acme_provision_certificate',
    title: 'Get a certificate',
    description:
      'Wants one certificate for a host name, without virtual IP and port mapping. It is got in the background.',
    permission: 'system.acme.manage',
    input: Type.Object(
      {
        common_name: Type.String({ maxLength: 1000 }),
        sans: Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 99 })),
        issuer: Type.Optional(Type.String({ maxLength: 64, description: 'letsencrypt-staging for first runs' })),
        challenge_type: CreateCertificate.properties.challenge,
        dns_credential_id: Type.Optional(
          Type.String({ maxLength: 100, description: 'required for dns-01, dns-account-01 and dns-persist-01' }),
        ),
        acme_email: Type.Optional(
          Type.String({ maxLength: 320, description: 'contacts belong to the issuer; it must be one of its contacts' }),
        ),
      },
      { additionalProperties: false },
    ),
    output: One,
    hints: { ...MAKES_ONCE, openWorldHint: true },
    async run(control, actor, input) {
      const { common_name, sans, issuer, challenge_type, dns_credential_id, acme_email } = input as {
        common_name: string;
        sans?: string[];
        issuer?: string;
        challenge_type?: CreateCertificate['challenge'];
        dns_credential_id?: string;
        acme_email?: string;
      };
      if (challenge_type?.startsWith('dns-') && dns_credential_id === undefined)
        throw refused('dns_credential_id', 'required', `dns_credential_id is required for ${challenge_type}`);
      if (acme_email !== undefined && issuer !== undefined) {
        const { contact } = await control.issuers.get(actor, issuer);
        if (!contact.some((uri) => uri === acme_email || uri === `mailto:${acme_email}`))
          throw refused(
            'acme_email',
            'not_a_contact',
            `${acme_email} is no contact of the issuer ${issuer}; its account is registered with ${contact.join(', ') || 'none'}`,
          );
      }
      const certificate = await control.certificates.create(actor, {
        common_name,
        ...(sans && { names: sans }),
        ...(issuer !== undefined && { issuers: [issuer] }),
        ...(challenge_type !== undefined && { challenge: challenge_type }),
        ...(dns_credential_id !== undefined && { dns_credential_id }),
      });
      return { certificate };
    },
  },
  {
    name: 'system_acme_get_certificate',
    title: 'Look at a certificate',
    description: 'Where a certificate stands, why, and what comes next.',
    permission: 'system.acme.read',
    input: Type.Object(ById),
    output: Type.Object({ certificate: CertificateDetail }),
    hints: READS,
    run: async (control, actor, input) => ({
      certificate: await control.certificates.get(actor, textOf(input, 'certificate_id')),
    }),
  },
  {
    name: 'system_acme_list_certificates',
    title: 'List certificates',
    description: 'Certificates and where each stands.',
    permission: 'system.acme.read',
    input: Type.Object({ ...PageQuery, prefix: Type.Optional(Type.String({ maxLength: 253 })) }),
    output: Type.Object({
      certificates: Type.Array(Certificate),
      next_cursor: Type.Union([Type.String(), Type.Null()]),
    }),
    hints: READS,
    async run(control, actor, input) {
      const { data, page } = await control.certificates.list(actor, input);
      return { certificates: data, next_cursor: page.next_cursor };
    },
  },
  {
    name: 'system_acme_renew_certificate',
    title: 'Renew a certificate',
    description: 'Renews it, or tries again, now.',
    permission: 'system.acme.manage',
    input: Type.Object(ById),
    output: One,
    hints: { ...MAKES_ONCE, openWorldHint: true },
    run: async (control, actor, input) => ({
      certificate: await control.certificates.renew(actor, textOf(input, 'certificate_id')),
    }),
  },
  {
    name: 'system_acme_revoke_certificate',
    title: 'Revoke a certificate',
    description:
      'Withdraws it everywhere at once and tells its issuer. It cannot be undone; for routine replacement renew instead.',
    permission: 'system.acme.manage',
    input: Type.Object({
      ...ById,
      reason: Type.Optional(words(REVOCATION_REASONS)),
      replace: Type.Optional(Type.Boolean()),
      confirm: Type.String({ maxLength: 1000, description: 'its first name, typed again' }),
    }),
    output: One,
    hints: DESTROYS,
    async run(control, actor, input) {
      const { certificate_id: _id, ...rest } = input;
      const certificate = await control.certificates.revoke(actor, textOf(input, 'certificate_id'), {
        confirm: textOf(rest, 'confirm'),
        replace: rest.replace === true,
        ...(rest.reason !== undefined && { reason: rest.reason as (typeof REVOCATION_REASONS)[number] }),
      });
      return { certificate };
    },
  },
];

const refused = (field: string, code: string, detail: string): Fault =>
  new Fault({ code, detail, party: 'client', retry: 'never', status: 422, field });
