import { createSign } from 'node:crypto';
import { Fault } from '../../../base/index.ts';
import type { ProviderCall } from '../http.ts';
import { type OpenProvider, type ProviderZone, quoted, TXT_TTL_SECONDS, type TxtRecord } from '../provider.ts';
import { changeValues, unquoted, withoutValue, withValue } from '../rrset.ts';

interface KeyFile {
  readonly client_email: string;
  readonly private_key: string;
  readonly project_id: string;
  readonly token_uri: string;
}

interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly rrdatas: readonly string[];
}

const SCOPE = 'https://www.googleapis.com/auth/ndev.clouddns.readwrite';
const TOKEN_SECONDS = 3600;
const MOST_PAGES = 100;
const MOST_POLLS = 60;

// https://cloud.google.com/dns/docs/reference/rest/v1
export const openGcloud: OpenProvider<'gcloud'> = (fields, { http, clock }) => {
  const keyFile = parseKeyFile(fields.service_account_json);
  const base = `${fields.endpoint}/dns/v1/projects/${encodeURIComponent(fields.project ?? keyFile.project_id)}/managedZones`;
  let token: { readonly value: string; readonly until: number } | undefined;

  // RFC 7523 §2.1, as Google's service accounts do it.
  async function bearer(signal: AbortSignal): Promise<string> {
    if (token !== undefined && token.until > clock.now()) return token.value;
    const now = Math.floor(clock.now() / 1000);
    const claims = {
      iss: keyFile.client_email,
      scope: SCOPE,
      aud: keyFile.token_uri,
      iat: now,
      exp: now + TOKEN_SECONDS,
    };
    const grant = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: signedJwt(claims, keyFile.private_key),
    });
    const { json } = await http(keyFile.token_uri, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: grant.toString(),
      signal,
    });
    const { access_token, expires_in = TOKEN_SECONDS } = json as { access_token: string; expires_in?: number };
    token = { value: access_token, until: clock.now() + (expires_in - 120) * 1000 };
    return access_token;
  }

  const call = async (url: string, options: ProviderCall) =>
    http(url, { ...options, headers: { authorization: `Bearer ${await bearer(options.signal)}` } });

  async function read(zone: ProviderZone, name: string, signal: AbortSignal): Promise<RecordSet | undefined> {
    const query = new URLSearchParams({ name: `${name}.`, type: 'TXT' });
    const { rrsets = [] } = (await call(`${base}/${zone.ref}/rrsets?${query}`, { signal })).json as {
      rrsets?: RecordSet[];
    };
    return rrsets.find((set) => set.name === `${name}.` && set.type === 'TXT');
  }

  async function change(
    zone: ProviderZone,
    { name }: TxtRecord,
    how: (values: readonly string[]) => readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    let current: RecordSet | undefined;
    await changeValues(clock, signal, {
      async read() {
        current = await read(zone, name, signal);
        return current?.rrdatas.map(unquoted) ?? [];
      },
      change: how,
      async swap(_, after) {
        // The deletion must match what is there exactly, or the whole change is refused: nobody's value is lost.
        const deletions = current === undefined ? [] : [current];
        const additions =
          after.length === 0
            ? []
            : [{ name: `${name}.`, type: 'TXT', ttl: current?.ttl ?? TXT_TTL_SECONDS, rrdatas: after.map(quoted) }];
        const url = `${base}/${zone.ref}/changes`;
        const answer = await call(url, {
          method: 'POST',
          body: { additions, deletions },
          signal,
          accept: [404, 409, 412],
        });
        if (answer.status >= 400) return false;
        await finished(url, answer.json as { id: string; status: string }, signal);
        return true;
      },
    });
  }

  async function finished(url: string, { id, status }: { id: string; status: string }, signal: AbortSignal) {
    for (let polls = 0; status !== 'done' && polls < MOST_POLLS; polls++) {
      await clock.sleep(1_000, signal);
      ({ status } = (await call(`${url}/${id}`, { signal })).json as { status: string });
    }
  }

  return {
    async zones(signal, name) {
      const zones: ProviderZone[] = [];
      let pageToken: string | undefined;
      for (let page = 0; page < MOST_PAGES; page++) {
        const query = new URLSearchParams({
          ...(name !== undefined && { dnsName: `${name}.` }),
          ...(pageToken !== undefined && { pageToken }),
        });
        const { managedZones = [], nextPageToken } = (await call(`${base}?${query}`, { signal })).json as {
          managedZones?: { id: string; dnsName: string; visibility?: string }[];
          nextPageToken?: string;
        };
        // A private zone is seen by its own networks only, and by no CA.
        for (const { id, dnsName, visibility } of managedZones)
          if (visibility !== 'private') zones.push({ name: dnsName.replace(/\.$/, ''), ref: String(id) });
        pageToken = nextPageToken;
        if (pageToken === undefined) break;
      }
      return zones;
    },
    async add(zone, record, signal) {
      await change(zone, record, withValue(record.value), signal);
      return undefined;
    },
    remove: (zone, record, _ref, signal) => change(zone, record, withoutValue(record.value), signal),
  };
};

function parseKeyFile(text: string): KeyFile {
  let parsed: Partial<KeyFile> | null = null;
  try {
    parsed = JSON.parse(text) as Partial<KeyFile> | null;
  } catch {}
  const { client_email, private_key, project_id, token_uri } = parsed ?? {};
  const usable =
    typeof client_email === 'string' &&
    typeof private_key === 'string' &&
    typeof project_id === 'string' &&
    typeof token_uri === 'string' &&
    private_key.includes('PRIVATE KEY');
  if (!usable)
    throw new Fault({
      code: 'invalid_fields',
      detail: 'service_account_json is not the key file of a service account',
      party: 'client',
      retry: 'never',
      field: 'fields.service_account_json',
      status: 422,
      advice: 'give the whole JSON file that was downloaded with the key',
    });
  return { client_email, private_key, project_id, token_uri };
}

function signedJwt(claims: object, privateKey: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  return `${head}.${createSign('RSA-SHA256').update(head).sign(privateKey).toString('base64url')}`;
}
