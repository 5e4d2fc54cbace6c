import { EXPOSE_FIELDS, type ExposeField, INTERNAL_ISSUER } from '../../ingress/index.ts';
import type { Known } from './known.ts';
import type { Fields } from './read-brief.ts';

export interface Choice {
  /** What to answer; the API's own value. */
  readonly value: string;
  /** What a person reads. */
  readonly label: string;
}

export interface Question {
  readonly field: ExposeField;
  readonly text: string;
  readonly choices: readonly Choice[];
}

/** What the concierge took by itself because there was no choice, in words. */
export interface Completed {
  readonly fields: Fields;
  readonly taken: readonly string[];
  readonly question?: Question;
}

const MOST_CHOICES = 20;

/** Fills in what there is only one of, and asks for the first input that lacks. Pure. */
export function nextQuestion(given: Fields, known: Known): Completed {
  const fields: Fields = { ...given };
  const taken: string[] = [];
  for (;;) {
    const question = ORDER.map((ask) => ask(fields, known)).find((one) => one !== undefined);
    if (question === undefined) return { fields, taken };
    const [only, ...others] = question.choices;
    if (question.takeOnly !== true || only === undefined || others.length > 0)
      return { fields, taken, question: { ...question, choices: question.choices.slice(0, MOST_CHOICES) } };
    fields[question.field] = only.value;
    taken.push(`${question.takenWords ?? EXPOSE_FIELDS[question.field]}: ${only.label}`);
  }
}

type Ask = (
  fields: Fields,
  known: Known,
) => (Question & { readonly takeOnly?: boolean; readonly takenWords?: string }) | undefined;

/** A service that ends TLS itself has its own certificate. */
const needsCertificate = ({ service_protocol, termination }: Fields): boolean =>
  service_protocol === 'https' && termination !== 'backend';

const needsCredential = ({ tls_issuer, challenge_type, ...fields }: Fields): boolean =>
  needsCertificate(fields) && /^dns-/.test(String(challenge_type ?? (tls_issuer === INTERNAL_ISSUER ? '' : 'dns-01')));

const byName = (things: readonly { readonly id: string; readonly name: string }[]): Choice[] =>
  things
    .map(({ id, name }) => ({ value: id, label: name }))
    .sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));

// In the order in which one answer narrows the next.
const ORDER: readonly Ask[] = [
  ({ service_hostname }) =>
    service_hostname === undefined
      ? { field: 'service_hostname', text: 'Which public host name? For example metrics.example.com.', choices: [] }
      : undefined,
  ({ service_protocol }) =>
    service_protocol === undefined
      ? {
          field: 'service_protocol',
          text: 'Over https or http?',
          choices: [
            { value: 'https', label: 'https, with a certificate' },
            { value: 'http', label: 'http, without one' },
          ],
        }
      : undefined,
  ({ sdwan_network_id }, { networks }) =>
    sdwan_network_id === undefined
      ? {
          field: 'sdwan_network_id',
          text:
            networks.length === 0
              ? 'There is no network yet. Make one (gatehouse networks create), then tell me its name.'
              : 'In which network?',
          choices: byName(networks),
          takeOnly: true,
          takenWords: 'network',
        }
      : undefined,
  ({ sdwan_hub_peer_id, sdwan_network_id }, { peers }) => {
    if (sdwan_hub_peer_id !== undefined) return undefined;
    const hubs = peers.filter(({ hub, networkId }) => hub && networkId === sdwan_network_id);
    return {
      field: 'sdwan_hub_peer_id',
      text:
        hubs.length === 0
          ? 'No peer of that network is publicly reachable. Add a hub to it, then tell me its name.'
          : 'Through which hub?',
      choices: byName(hubs),
      takeOnly: true,
      takenWords: 'hub',
    };
  },
  (fields, { peers, instances }) => {
    if (fields.target_peer_id !== undefined || fields.target_instance_id !== undefined) return undefined;
    const inNetwork = peers.filter(
      ({ networkId, id }) => networkId === fields.sdwan_network_id && id !== fields.sdwan_hub_peer_id,
    );
    const attached = instances.filter(({ networkIds }) => networkIds.includes(String(fields.sdwan_network_id)));
    return {
      field: 'target_peer_id',
      text: 'Which peer or instance runs the service?',
      choices: [
        ...byName(inNetwork),
        ...byName(attached).map(({ value, label }) => ({ value, label: `instance ${label}` })),
      ],
    };
  },
  ({ backend_port }) =>
    backend_port === undefined
      ? { field: 'backend_port', text: 'Which port does the service listen on?', choices: [] }
      : undefined,
  ({ vip_cidr, sdwan_network_id }, { networks }) => {
    if (vip_cidr !== undefined) return undefined;
    const free = networks.find(({ id }) => id === sdwan_network_id)?.free ?? [];
    return {
      field: 'vip_cidr',
      text: 'Which address shall front it? You choose it: a /128 within the network, or a /32.',
      choices: free.map((address) => {
        const value = `${address}/${address.includes(':') ? 128 : 32}`;
        return { value, label: `${value} is free` };
      }),
    };
  },
  (fields, { issuers }) =>
    fields.tls_issuer === undefined && needsCertificate(fields)
      ? {
          field: 'tls_issuer',
          text: 'Which issuer shall the certificate come from?',
          choices: [...issuers]
            .sort((a, b) => Number(b.includes('staging')) - Number(a.includes('staging')))
            .map((value) => ({ value, label: value.includes('staging') ? `${value}, for a first run` : value })),
          takeOnly: true,
          takenWords: 'issuer',
        }
      : undefined,
  (fields, { credentials }) => {
    if (fields.dns_credential_id !== undefined || !needsCredential(fields)) return undefined;
    const host = String(fields.service_hostname);
    const fits = credentials.filter(
      ({ zones }) => zones.length === 0 || zones.some((zone) => host === zone || host.endsWith(`.${zone}`)),
    );
    return {
      field: 'dns_credential_id',
      text:
        fits.length === 0
          ? `dns-01 needs a DNS credential for the zone of ${host}, and there is none. Make one (gatehouse dns-credentials create), then tell me its name.`
          : 'With which DNS credential shall dns-01 be solved?',
      choices: fits.map(({ id, name, provider }) => ({ value: id, label: `${name} (${provider})` })),
      takeOnly: true,
      takenWords: 'DNS credential',
    };
  },
];
