import { Type } from 'typebox';
import {
  type CreateDnsCredential as Create,
  CreateDnsCredential,
  DnsCredential,
  DoctorFinding,
} from '../../contract/index.ts';
import { MAKES, MAKES_ONCE, READS, type Tool, textOf } from '../tool.ts';

export const dnsTools: readonly Tool[] = [
  {
    name: 'system_acme_list_dns_credentials',
    title: 'List DNS credentials',
    description: 'Stored DNS credentials and how their last test went; never their secrets.',
    permission: 'system.acme.read',
    input: Type.Object({}),
    output: Type.Object({ dns_credentials: Type.Array(DnsCredential) }),
    hints: READS,
    run: async (control, actor) => ({ dns_credentials: await control.dnsCredentials.list(actor) }),
  },
  {
    name: 'system_acme_create_dns_credential',
    title: 'Store a DNS credential',
    description: 'Stores a DNS credential sealed, and tests it at once. Its secret never comes out again.',
    permission: 'system.acme.manage',
    input: CreateDnsCredential,
    output: Type.Object({ dns_credential: DnsCredential }),
    hints: { ...MAKES, openWorldHint: true },
    run: async (control, actor, input) => ({
      // The schema of the tool is the one of the use case.
      dns_credential: await control.dnsCredentials.create(actor, input as unknown as Create),
    }),
  },
  {
    name: 'system_acme_validate_dns_credential',
    title: 'Test a DNS credential',
    description: 'Tests a stored DNS credential by a harmless write and its removal, before a certificate needs it.',
    permission: 'system.acme.manage',
    input: Type.Object({ dns_credential_id: Type.String({ maxLength: 100 }) }),
    output: Type.Object({ dns_credential: DnsCredential }),
    hints: { ...MAKES_ONCE, openWorldHint: true },
    run: async (control, actor, input) => ({
      dns_credential: await control.dnsCredentials.validate(actor, textOf(input, 'dns_credential_id')),
    }),
  },
  {
    name: 'system_doctor',
    title: 'Look for what is wrong',
    description:
      'Checks DNS as every party sees it, CAA, reachability, limits and the clock, for a name or for all of it.',
    permission: 'system.acme.read',
    input: Type.Object({ name: Type.Optional(Type.String({ maxLength: 1000 })) }),
    output: Type.Object({ findings: Type.Array(DoctorFinding) }),
    hints: { ...READS, openWorldHint: true },
    run: async (control, actor, { name }) => ({
      findings: await control.dnsCredentials.doctor(actor, typeof name === 'string' ? name : undefined),
    }),
  },
];
