import { type Clock, Fault, faultOf, newId } from '../../base/index.ts';
import type { SecretStore } from '../../secrets/index.ts';
import {
  type DnsCredentialRow,
  deleteDnsCredential,
  dnsCredentialById,
  dnsCredentialByName,
  insertDnsCredential,
  listDnsCredentials,
  updateDnsCredential,
} from '../../store/dns-credentials.ts';
import { countDnsRecordsOfCredential } from '../../store/dns-records.ts';
import { recordChange, type Store } from '../../store/index.ts';
import { parseDnsName } from '../../x509/index.ts';
import { type CredentialCandidate, chooseCredential, zoneOfCredential } from './choose-credential.ts';
import {
  DNS_PROVIDERS,
  type DnsProviderName,
  isDnsProvider,
  type ProviderField,
  parseProviderFields,
} from './fields.ts';
import { openProvider, type ProviderOptions } from './open-provider.ts';
import { proveCredential } from './prove-credential.ts';
import type { DnsProvider } from './provider.ts';

/** A credential as anybody may see it: no field of it, only where they rest. Times are ms since the epoch. */
export interface DnsCredentialView {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly zones: readonly string[];
  readonly seenZones: readonly string[];
  readonly secretPath: string;
  readonly validation: 'unproven' | 'valid' | 'failed';
  readonly validatedAt?: number;
  readonly validationDetail?: string;
  readonly createdAt: number;
}

export interface DnsProviderView {
  readonly id: string;
  readonly name: string;
  readonly fields: readonly {
    readonly name: string;
    readonly secret: boolean;
    readonly required: boolean;
    readonly description: string;
  }[];
}

/** A credential that was proved within a day, with its provider opened. */
export interface OpenCredential {
  readonly view: DnsCredentialView;
  readonly provider: DnsProvider;
}

export interface DnsCredentials {
  providers(): readonly DnsProviderView[];
  list(): Promise<DnsCredentialView[]>;
  get(id: string): Promise<DnsCredentialView | undefined>;
  exists(id: string): Promise<boolean>;
  /** Stores it and proves it; a failed proof is said in the answer, and does not undo the storing. */
  create(input: {
    name: string;
    provider: string;
    zones: readonly string[];
    fields: Readonly<Record<string, string>>;
  }): Promise<DnsCredentialView>;
  /** Throws a `Fault` `credential_in_use` while records of ours that it wrote are still there. */
  remove(id: string): Promise<void>;
  /** Proves it now and records the outcome. Throws only when there is no such credential. */
  validate(id: string, signal?: AbortSignal): Promise<DnsCredentialView>;
  /** The id of the credential whose zone matches a name longest. */
  credentialFor(name: string): Promise<string | undefined>;
  /** Proved again when its proof is older than a day. Throws a `Fault` `dns_credential_unproven` that says why not. */
  ready(id: string, signal: AbortSignal): Promise<OpenCredential>;
  /** Opened as it is, for cleaning up. */
  open(id: string): Promise<DnsProvider>;
}

const PROOF_LASTS_MS = 24 * 3600_000;
const PROOF_MS = 120_000;
// These can neither list their zones nor be asked for one, so a proof and a match need them said.
const NEEDS_ZONES: ReadonlySet<DnsProviderName> = new Set(['rfc2136', 'webhook', 'exec']);

export const secretPathOf = (id: string): string => `dns-credentials/${id}`;

export function createDnsCredentials(
  context: ProviderOptions & { readonly store: Store; readonly secrets: SecretStore; readonly clock: Clock },
): DnsCredentials {
  const { store, secrets, clock } = context;
  const opened = new Map<string, { readonly text: string; readonly provider: DnsProvider }>();
  const proving = new Map<string, Promise<DnsCredentialView>>();

  async function row(id: string): Promise<DnsCredentialRow> {
    const found = await dnsCredentialById(store.db, id);
    if (found !== undefined) return found;
    throw new Fault({
      code: 'not_found',
      detail: `there is no DNS credential ${id}`,
      party: 'client',
      retry: 'never',
      status: 404,
    });
  }

  async function readSecret(id: string): Promise<string> {
    const bytes = await secrets.get(secretPathOf(id));
    if (bytes !== undefined) return Buffer.from(bytes).toString('utf8');
    throw new Fault({
      code: 'secret_missing',
      detail: `the secret of DNS credential ${id} is not at ${secretPathOf(id)}`,
      party: 'secret-store',
      retry: 'backoff',
      advice: 'store the credential again',
    });
  }

  async function open(id: string): Promise<DnsProvider> {
    const { provider: name } = await row(id);
    const text = await readSecret(id);
    const known = opened.get(id);
    if (known?.text === text) return known.provider;
    const provider = await openProvider(name as DnsProviderName, JSON.parse(text) as Record<string, string>, context);
    opened.set(id, { text, provider });
    return provider;
  }

  async function prove(id: string, signal: AbortSignal): Promise<DnsCredentialView> {
    const before = await row(id);
    let change: Partial<DnsCredentialRow>;
    try {
      const proof = await proveCredential(viewOf(before), await open(id), context, signal);
      const seen_zones = proof.zones === undefined ? null : JSON.stringify(proof.zones);
      change = { validation: 'valid', validation_detail: proof.detail, seen_zones };
    } catch (error) {
      const { advice } = faultOf(error).details;
      const words = `${faultOf(error).message}${advice === undefined ? '' : ` (${advice})`}`;
      change = {
        validation: 'failed',
        validation_detail: masked(words, before.provider, await readSecret(id).catch(() => '{}')),
      };
    }
    const now = clock.now();
    await store.write(async (tx) => {
      await updateDnsCredential(tx, id, { ...change, validated_at: now }, now);
      await recordChange(tx, 'credential', id, now);
    });
    return viewOf({ ...before, ...change, validated_at: now });
  }

  /** One proof at a time for a credential: whoever comes meanwhile shares its outcome. */
  function validate(id: string): Promise<DnsCredentialView> {
    const running = proving.get(id) ?? prove(id, AbortSignal.timeout(PROOF_MS)).finally(() => proving.delete(id));
    proving.set(id, running);
    return running;
  }

  return {
    providers: () =>
      Object.entries(DNS_PROVIDERS).map(([id, { title, fields }]) => ({
        id,
        name: title,
        fields: Object.entries<ProviderField>(fields).map(([name, { secret, required, description }]) => ({
          name,
          secret,
          required,
          description,
        })),
      })),
    list: async () => (await listDnsCredentials(store.db)).map(viewOf),
    async get(id) {
      const found = await dnsCredentialById(store.db, id);
      return found && viewOf(found);
    },
    exists: async (id) => (await dnsCredentialById(store.db, id)) !== undefined,
    async create(input) {
      const { name, provider, zones } = parseInput(input);
      const fields = parseProviderFields(provider, input.fields);
      await openProvider(provider, input.fields, context);
      const now = clock.now();
      const id = newId('dnscred', now);
      await secrets.put(secretPathOf(id), Buffer.from(JSON.stringify(fields)));
      try {
        await store.write(async (tx) => {
          if ((await dnsCredentialByName(tx, name)) !== undefined) throw nameTaken(name);
          await insertDnsCredential(tx, {
            id,
            name,
            provider,
            zones: JSON.stringify(zones),
            seen_zones: null,
            validation: 'unproven',
            validated_at: null,
            validation_detail: null,
            created_at: now,
            updated_at: now,
          });
          await recordChange(tx, 'credential', id, now);
        });
      } catch (error) {
        await secrets.delete(secretPathOf(id));
        throw error;
      }
      return validate(id);
    },
    async remove(id) {
      await row(id);
      if ((await countDnsRecordsOfCredential(store.db, id)) > 0)
        throw new Fault({
          code: 'credential_in_use',
          detail: 'records that were written with this credential are still to be removed',
          party: 'client',
          retry: 'backoff',
          status: 409,
          advice: 'try again once the challenges under way have ended, and certificates by dns-persist-01 are gone',
        });
      await store.write(async (tx) => {
        await deleteDnsCredential(tx, id);
        await recordChange(tx, 'credential', id, clock.now());
      });
      opened.delete(id);
      await secrets.delete(secretPathOf(id));
    },
    async validate(id) {
      await row(id);
      return validate(id);
    },
    async credentialFor(name) {
      const candidates = (await listDnsCredentials(store.db)).map(viewOf);
      return chooseCredential<DnsCredentialView & CredentialCandidate>(candidates, name)?.id;
    },
    async ready(id, signal) {
      let view = viewOf(await row(id));
      if (!isProofFresh(view, clock.now())) view = await validate(id);
      signal.throwIfAborted();
      if (view.validation === 'valid') return { view, provider: await open(id) };
      throw new Fault({
        code: 'dns_credential_unproven',
        detail: `the DNS credential ${view.name} failed its proof: ${view.validationDetail ?? 'no reason is known'}`,
        party: 'dns-provider',
        retry: 'backoff',
        advice: `mend the credential, then: gatehouse dns-credentials validate ${id}`,
      });
    },
    open,
  };
}

/** Whether it need not be proved again before it is used. */
export const isProofFresh = (view: DnsCredentialView, now: number): boolean =>
  view.validation === 'valid' && now - (view.validatedAt ?? 0) < PROOF_LASTS_MS;

export const mayWrite = (view: DnsCredentialView, name: string): boolean =>
  (view.zones.length === 0 && view.seenZones.length === 0) || zoneOfCredential(view, name) !== undefined;

function viewOf(row: DnsCredentialRow): DnsCredentialView {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    zones: JSON.parse(row.zones) as string[],
    seenZones: row.seen_zones === null ? [] : (JSON.parse(row.seen_zones) as string[]),
    secretPath: secretPathOf(row.id),
    validation: row.validation,
    ...(row.validated_at !== null && { validatedAt: row.validated_at }),
    ...(row.validation_detail !== null && { validationDetail: row.validation_detail }),
    createdAt: row.created_at,
  };
}

const LONGEST_NAME = 100;
const MOST_ZONES = 100;

function parseInput(input: { name: string; provider: string; zones: readonly string[] }) {
  const refuse = (field: string, detail: string) =>
    new Fault({ code: 'invalid_fields', detail, party: 'client', retry: 'never', field, status: 422 });
  const name = input.name.trim();
  if (name === '' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name))
    throw refuse('name', `name has 1 to ${LONGEST_NAME} printable characters`);
  if (!isDnsProvider(input.provider))
    throw refuse(
      'provider',
      `there is no provider ${input.provider}; there are ${Object.keys(DNS_PROVIDERS).join(', ')}`,
    );
  if (input.zones.length > MOST_ZONES) throw refuse('zones', `a credential is bound to ${MOST_ZONES} zones at most`);
  if (input.zones.length === 0 && NEEDS_ZONES.has(input.provider))
    throw refuse('zones', `${input.provider} cannot list its zones: name those that the credential is for`);
  const zones = input.zones.map((zone, index) => parseDnsName(zone, { field: `zones[${index}]` }));
  return { name, provider: input.provider, zones: [...new Set(zones)] };
}

function nameTaken(name: string): Fault {
  return new Fault({
    code: 'name_taken',
    detail: `there is a DNS credential called ${name} already`,
    party: 'client',
    retry: 'never',
    field: 'name',
    status: 409,
  });
}

/** A provider's words, should it have repeated a secret in them. */
function masked(words: string, provider: string, secretJson: string): string {
  const table: Record<string, ProviderField> = DNS_PROVIDERS[provider as DnsProviderName].fields;
  const secret = Object.entries(JSON.parse(secretJson) as Record<string, string>).filter(
    ([name]) => table[name]?.secret,
  );
  return secret.reduce((text, [, value]) => text.replaceAll(value, '[redacted]'), words);
}
