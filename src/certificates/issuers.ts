import type { AcmeClient } from '../acme-client/index.ts';
import { Fault } from '../base/index.ts';
import { recordChange } from '../store/index.ts';
import { accountOfIssuer } from '../store/issuer-accounts.ts';
import { deleteIssuer, type IssuerRow, issuerById, listIssuers, putIssuer } from '../store/issuers.ts';
import { type Accounts, createAccounts, eabPath } from './accounts.ts';
import { holdOf } from './outcome.ts';
import type { Engine } from './ports.ts';
import { defaultLimits, forecastQuota, type QuotaForecast } from './quota-ledger.ts';

export interface IssuerInput {
  readonly id: string;
  /** URL of its ACME directory. */
  readonly directory: string;
  /** PEM of the roots to trust for the directory's HTTPS. */
  readonly caCertificate?: string;
  readonly contact?: readonly string[];
  readonly profile?: string;
  readonly preferredChain?: string;
  /** External account binding; the key in base64url, as CAs hand it out. */
  readonly eab?: { readonly keyId: string; readonly hmacKey: string };
  readonly staging?: boolean;
}

export interface IssuerView {
  readonly id: string;
  readonly directory: string;
  readonly staging: boolean;
  readonly builtIn: boolean;
  readonly contact: readonly string[];
  readonly profile?: string;
  readonly preferredChain?: string;
  readonly eabKeyId?: string;
  readonly hasCaCertificate: boolean;
  readonly accountUrl?: string;
  /** Terms of service that were agreed to when the account was registered. */
  readonly termsUrl?: string;
  readonly termsAgreedAt?: number;
  /** Not asked before this time, and why. */
  readonly heldUntil?: number;
  readonly heldBecause?: string;
  readonly createdAt: number;
  /** Limits in use: what is left, and until when. */
  readonly quota: readonly QuotaForecast[];
}

/** Where certificates come from, as the rest of the product sees it. */
export interface Issuers {
  list(): Promise<IssuerView[]>;
  get(id: string): Promise<IssuerView | undefined>;
  /** Throws a `Fault` when the directory cannot be read, before anything is kept. */
  put(input: IssuerInput): Promise<IssuerView>;
  /** Throws a `Fault` of code `in_use` while certificates name it. */
  remove(id: string): Promise<void>;
  /** What is left for these names. */
  quota(id: string, names: readonly string[]): Promise<QuotaForecast[]>;
  /** Names by which CAA records mean this CA, as its directory says; throws where that cannot be read. */
  caaIdentities(id: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Changes our account's key there (RFC 8555 §7.3.5). */
  rollOverKey(id: string): Promise<void>;
}

/** An issuer that comes with the product; `internal-ca` gets its address when the process starts. */
export interface BuiltInIssuer {
  readonly id: string;
  readonly directory: string;
  readonly caPem?: string;
  readonly staging?: boolean;
  readonly contact?: readonly string[];
}

export const LETS_ENCRYPT: readonly BuiltInIssuer[] = [
  { id: 'letsencrypt-prod', directory: 'https://acme-v02.api.letsencrypt.org/directory' },
  { id: 'letsencrypt-staging', directory: 'https://acme-staging-v02.api.letsencrypt.org/directory', staging: true },
];

/** One conversation with each issuer, and our accounts there. */
export interface IssuerConnections {
  readonly accounts: Accounts;
  client(issuer: IssuerRow): AcmeClient;
  close(): Promise<void>;
}

export function createConnections(engine: Engine): IssuerConnections {
  const clients = new Map<string, { key: string; client: AcmeClient }>();
  return {
    accounts: createAccounts(engine),
    client(issuer) {
      const key = `${issuer.directory} ${issuer.ca_pem ?? ''}`;
      const known = clients.get(issuer.id);
      if (known?.key === key) return known.client;
      void known?.client.close();
      const { clock, userAgent } = engine;
      const caPem = issuer.ca_pem ?? undefined;
      const client = engine.acme.connect({ directory: issuer.directory, clock, userAgent, ...(caPem && { caPem }) });
      clients.set(issuer.id, { key, client });
      return client;
    },
    async close() {
      await Promise.all([...clients.values()].map(({ client }) => client.close()));
      clients.clear();
    },
  };
}

/** Writes the built-in issuers as they are now; what an operator set on them stays. */
export async function installBuiltIn(engine: Engine, builtIn: readonly BuiltInIssuer[]): Promise<void> {
  const now = engine.clock.now();
  await engine.store.write(async (tx) => {
    for (const issuer of builtIn) {
      const found = await issuerById(tx, issuer.id);
      const isLetsEncrypt = /\.letsencrypt\.org$/.test(new URL(issuer.directory).hostname);
      await putIssuer(tx, {
        ...(found ?? { eab_kid: null, preferred_chain: null, profile: null, hold_until: null, hold_problem: null }),
        id: issuer.id,
        directory: issuer.directory,
        ca_pem: issuer.caPem ?? null,
        contact: issuer.contact !== undefined ? JSON.stringify(issuer.contact) : (found?.contact ?? '[]'),
        staging: issuer.staging === true ? 1 : 0,
        built_in: 1,
        // Staging has limits of its own, far away; they are obeyed when it says so.
        limits: isLetsEncrypt && issuer.staging !== true ? defaultLimits : null,
        created_at: found?.created_at ?? now,
        updated_at: now,
      });
    }
  });
}

export function createIssuers(engine: Engine, connections: IssuerConnections): Issuers {
  const { store, clock, secrets } = engine;

  const known = async (id: string): Promise<IssuerRow> => {
    const row = await issuerById(store.db, id);
    if (row !== undefined) return row;
    const ids = (await listIssuers(store.db)).map((issuer) => issuer.id);
    throw refuse('not_found', `there is no issuer ${id}; there are ${ids.join(', ')}`, 'id', 404);
  };

  async function view(row: IssuerRow): Promise<IssuerView> {
    const account = await accountOfIssuer(store.db, row.id);
    const held = row.hold_until !== null && row.hold_until > clock.now();
    return {
      id: row.id,
      directory: row.directory,
      staging: row.staging === 1,
      builtIn: row.built_in === 1,
      contact: JSON.parse(row.contact) as string[],
      ...(row.profile !== null && { profile: row.profile }),
      ...(row.preferred_chain !== null && { preferredChain: row.preferred_chain }),
      ...(row.eab_kid !== null && { eabKeyId: row.eab_kid }),
      hasCaCertificate: row.ca_pem !== null,
      ...(account !== undefined && account.url !== '' && { accountUrl: account.url }),
      ...(account?.terms_url != null && { termsUrl: account.terms_url }),
      ...(account?.terms_agreed_at != null && { termsAgreedAt: account.terms_agreed_at }),
      ...(held && { heldUntil: row.hold_until!, heldBecause: holdOf(row)?.detail ?? '' }),
      createdAt: row.created_at,
      quota: await forecastQuota(store.db, row, clock.now()),
    };
  }

  return {
    list: async () => Promise.all((await listIssuers(store.db)).map(view)),
    async get(id) {
      const row = await issuerById(store.db, id);
      return row && view(row);
    },
    async put(input) {
      const found = await issuerById(store.db, input.id);
      const row = rowOf(input, found, clock.now());
      const caPem = row.ca_pem ?? undefined;
      const probe = engine.acme.connect({ directory: row.directory, clock, ...(caPem && { caPem }) });
      try {
        const { meta } = await probe.directory();
        checkAgainstDirectory(input, meta ?? {}, row.eab_kid !== null);
      } finally {
        await probe.close();
      }
      if (input.eab !== undefined) await secrets.put(eabPath(input.id), Buffer.from(input.eab.hmacKey, 'base64url'));
      await store.write(async (tx) => {
        await putIssuer(tx, row);
        await recordChange(tx, 'issuer', row.id, clock.now());
      });
      return view(row);
    },
    async remove(id) {
      const row = await known(id);
      if (row.built_in === 1) throw refuse('built_in', `${id} comes with the product and stays`, 'id', 409);
      const user = await store.db
        .selectFrom('certificate')
        .select('id')
        .where('issuers', 'like', `%${JSON.stringify(id)}%`)
        .limit(1)
        .executeTakeFirst();
      if (user !== undefined)
        throw refuse('in_use', `certificate ${user.id} names the issuer ${id}; release it first`, 'id', 409);
      await store.write(async (tx) => {
        await deleteIssuer(tx, id);
        await recordChange(tx, 'issuer', id, clock.now());
      });
      await secrets.delete(eabPath(id));
    },
    async quota(id, names) {
      return forecastQuota(store.db, await known(id), clock.now(), names);
    },
    async caaIdentities(id, signal) {
      const { meta } = await connections.client(await known(id)).directory(signal);
      return meta?.caaIdentities ?? [];
    },
    async rollOverKey(id) {
      const issuer = await known(id);
      await connections.accounts.rollOver(issuer, connections.client(issuer), AbortSignal.timeout(60_000));
    },
  };
}

function rowOf(input: IssuerInput, found: IssuerRow | undefined, now: number): IssuerRow {
  if (found?.built_in === 1 && input.directory !== found.directory)
    throw refuse('built_in', `the directory of ${input.id} is fixed`, 'directory', 409);
  const wrong = (input.contact ?? []).find((contact) => !/^mailto:[^\s@,?]+@[^\s@,?]+$/.test(contact));
  if (wrong !== undefined)
    throw refuse(
      'invalid_contact',
      `${JSON.stringify(wrong)} is not of the form mailto:ops@example.com`,
      'contact',
      422,
    );
  if (!URL.canParse(input.directory) || new URL(input.directory).protocol !== 'https:')
    throw refuse('invalid_directory', 'an ACME directory is an https:// URL', 'directory', 422);
  const isLetsEncrypt = /^acme-v\d+\.api\.letsencrypt\.org$/.test(new URL(input.directory).hostname);
  return {
    id: input.id,
    directory: input.directory,
    ca_pem: input.caCertificate ?? found?.ca_pem ?? null,
    contact: JSON.stringify(input.contact ?? (found ? JSON.parse(found.contact) : [])),
    eab_kid: input.eab?.keyId ?? found?.eab_kid ?? null,
    preferred_chain: input.preferredChain ?? found?.preferred_chain ?? null,
    profile: input.profile ?? found?.profile ?? null,
    staging: (input.staging ?? found?.staging === 1) ? 1 : 0,
    built_in: found?.built_in ?? 0,
    limits: found?.limits ?? (isLetsEncrypt ? defaultLimits : null),
    hold_until: null,
    hold_problem: null,
    created_at: found?.created_at ?? now,
    updated_at: now,
  };
}

function checkAgainstDirectory(
  input: IssuerInput,
  meta: { externalAccountRequired?: boolean; profiles?: Readonly<Record<string, string>> },
  hasEab: boolean,
): void {
  if (meta.externalAccountRequired === true && !hasEab)
    throw refuse('eab_required', `${input.directory} wants an external account binding`, 'eab', 422);
  if (input.profile !== undefined && meta.profiles !== undefined && !Object.hasOwn(meta.profiles, input.profile)) {
    const offered = Object.keys(meta.profiles).join(', ');
    throw refuse('invalid_profile', `the CA has no profile ${input.profile}; it has ${offered}`, 'profile', 422);
  }
}

function refuse(code: string, detail: string, field: string, status: number): Fault {
  return new Fault({ code, detail, party: 'client', retry: 'never', field, status });
}
