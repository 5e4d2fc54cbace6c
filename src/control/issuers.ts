import { sha256Hex } from '../base/index.ts';
import type { Issuer, PutIssuer, Quota } from '../contract/index.ts';
import { parseCertificateName } from '../x509/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { type ControlDeps, invalid, notFound, performed } from './context.ts';
import { issuerDocument, quotaDocument } from './documents.ts';

export interface IssuerUseCases {
  list(actor: Actor): Promise<Issuer[]>;
  get(actor: Actor, id: string): Promise<Issuer>;
  /** Without an id, the same directory is the same issuer. */
  put(actor: Actor, input: PutIssuer): Promise<Issuer>;
  remove(actor: Actor, id: string): Promise<void>;
  /** What is left of its limits for these names. */
  quota(actor: Actor, id: string, names: readonly string[]): Promise<Quota[]>;
  /** Changes our account's key at the issuer. */
  rollOverKey(actor: Actor, id: string): Promise<Issuer>;
}

export function createIssuerUseCases(deps: ControlDeps): IssuerUseCases {
  const act = (verb: string, id: string, facts = {}) => ({
    permission: 'system.acme.manage' as const,
    action: `issuer.${verb}`,
    resource: `issuer:${id.slice(0, 100)}`,
    facts,
  });
  return {
    async list(actor) {
      requirePermission(actor, 'system.acme.read');
      return (await deps.issuers.list()).map(issuerDocument);
    },
    async get(actor, id) {
      requirePermission(actor, 'system.acme.read');
      const view = await deps.issuers.get(id);
      if (view === undefined) throw notFound('issuer', id, 'gatehouse issuers list');
      return issuerDocument(view);
    },
    put: (actor, input) => {
      const directory = URL.parse(input.directory);
      const id = input.id ?? issuerId(input.directory);
      return performed(deps, actor, act('put', id, { directory: directory?.href ?? null }), async () => {
        if (
          directory === null ||
          (directory.protocol !== 'https:' && directory.protocol !== 'http:') ||
          directory.username !== ''
        )
          throw invalid(
            'directory',
            'invalid_directory',
            `${JSON.stringify(input.directory.slice(0, 200))} is no URL of an ACME directory`,
            'give https://…/directory',
          );
        if ((await deps.issuers.get(id))?.builtIn === true)
          throw invalid('id', 'built_in_issuer', `${id} is built in and stays as it is`, 'choose another id');
        return issuerDocument(
          await deps.issuers.put({
            id,
            directory: directory.href,
            ...(input.ca_certificate !== undefined && { caCertificate: input.ca_certificate }),
            ...(input.contact !== undefined && { contact: input.contact }),
            ...(input.profile !== undefined && { profile: input.profile }),
            ...(input.preferred_chain !== undefined && { preferredChain: input.preferred_chain }),
            ...(input.eab !== undefined && { eab: { keyId: input.eab.key_id, hmacKey: input.eab.hmac_key } }),
            ...(input.staging !== undefined && { staging: input.staging }),
          }),
        );
      });
    },
    remove: (actor, id) =>
      performed(deps, actor, act('remove', id), async () => {
        const view = await deps.issuers.get(id);
        if (view === undefined) throw notFound('issuer', id, 'gatehouse issuers list');
        if (view.builtIn) throw invalid('id', 'built_in_issuer', `${id} is built in and stays`);
        await deps.issuers.remove(id);
      }),
    async quota(actor, id, names) {
      requirePermission(actor, 'system.acme.read');
      const parsed = names.map((name, index) => parseCertificateName(name, `names[${index}]`));
      return (await deps.issuers.quota(id, parsed)).map(quotaDocument);
    },
    rollOverKey: (actor, id) =>
      performed(deps, actor, act('roll_over_key', id), async () => {
        if ((await deps.issuers.get(id)) === undefined) throw notFound('issuer', id, 'gatehouse issuers list');
        await deps.issuers.rollOverKey(id);
        return issuerDocument((await deps.issuers.get(id))!);
      }),
  };
}

/** A name for an issuer that was given by its directory only: its host, and a few digits that tell two on one host apart. */
export function issuerId(directory: string): string {
  const host = URL.parse(directory)?.hostname ?? 'issuer';
  const word = host
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 50);
  return `${word || 'issuer'}-${sha256Hex(directory).slice(0, 6)}`;
}
