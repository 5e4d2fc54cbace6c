import { type Clock, Fault, faultOf } from '../../base/index.ts';
import {
  type DnsClient,
  dataAt,
  type FoundAuthority,
  type ServerAddress,
  SPLIT_HORIZON_ADVICE,
  serverLabel,
  unansweredReason,
} from '../../dns/index.ts';
import type { Dns01Call, PropagationAnswer, PropagationReport } from './port.ts';

export interface ExpectedRecord {
  readonly name: string;
  readonly value: string;
}

export interface PropagationLimits {
  /** How long the authoritative servers may take, in ms. */
  readonly authoritativeMs: number;
  /** How much longer configured resolvers may take: they keep a negative answer for its TTL, and no CA asks them. */
  readonly resolversMs: number;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
// A server that stays silent (an IPv6 address without a route from here) holds nothing up for longer than this.
const SILENCE_ROUNDS = 3;
// Where an API replaces whole sets and has no condition, another client's write can undo ours: it is written again.
// A value that is not there yet is usual for a few seconds, and worth no words.
const ROUNDS_OF_SLOWNESS = 4;
const MOST_TOLD = 5;
const REPAIR_ROUNDS: ReadonlySet<number> = new Set([3, 5, 8]);

/**
 * Asks every authoritative server of every record until none lacks its value, then every configured resolver. Throws a
 * `Fault` of code `dns_not_propagated` whose detail says who answered what.
 */
export async function awaitPropagation(
  records: readonly ExpectedRecord[],
  dns: DnsClient,
  clock: Clock,
  limits: PropagationLimits,
  { signal = new AbortController().signal, onStep = () => {} }: Dns01Call = {},
  repair: (records: readonly ExpectedRecord[]) => Promise<void> = async () => {},
): Promise<PropagationReport> {
  const start = clock.now();
  const authorities = new Map<string, Promise<FoundAuthority>>();
  const authorityOf = (name: string) => {
    const known = authorities.get(name) ?? dns.authority(name, signal);
    authorities.set(name, known);
    // A failure is not remembered: the next round asks again.
    known.catch(() => authorities.delete(name));
    return known;
  };
  let agreedAt: number | undefined;
  const tellWaiting = createWaitingWords(limits.authoritativeMs, onStep);
  for (let round = 1, pause = FIRST_PAUSE_MS; ; round++, pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const answers: PropagationAnswer[] = [];
    const problems: Fault[] = [];
    await Promise.all(
      records.map(async (record) => {
        try {
          const { servers } = await authorityOf(record.name);
          const asked = servers.map(({ address }) => askOne(dns, address, 'authoritative', record, signal));
          answers.push(...(await Promise.all(asked)));
        } catch (error) {
          signal.throwIfAborted();
          problems.push(faultOf(error));
        }
      }),
    );
    if (problems.length === 0 && records.every((record) => isAgreed(record, answers, round))) {
      if (agreedAt === undefined) onStep(`every authoritative server answers ${plural(records.length)}`);
      agreedAt ??= clock.now();
      answers.push(...(await askResolvers(dns, records, signal)));
      const behind = answers.filter(({ role, outcome }) => role === 'resolver' && outcome !== 'present');
      if (behind.length === 0 || clock.now() - agreedAt >= limits.resolversMs) {
        const splitHorizon = await describeSplit(behind, authorities);
        if (splitHorizon !== undefined) onStep(splitHorizon);
        return { agreed: true, skipped: false, rounds: round, answers, ...(splitHorizon && { splitHorizon }) };
      }
    } else if (clock.now() - start >= limits.authoritativeMs)
      throw notPropagated(answers, problems, clock.now() - start);
    else tellWaiting(round, answers, problems);
    if (agreedAt === undefined && REPAIR_ROUNDS.has(round))
      await repair(records.filter((record) => isLost(record, answers)));
    await clock.sleep(pause, signal);
  }
}

/**
 * Says why it waits after the first answers that are more than slowness, and again when they change: who watches can
 * mend it in the first minute, and need not wait for the last.
 */
function createWaitingWords(
  mostMs: number,
  onStep: (words: string) => void,
): (round: number, answers: readonly PropagationAnswer[], problems: readonly Fault[]) => void {
  const told = new Set<string>();
  return (round, answers, problems) => {
    const [problem] = problems;
    if (problem === undefined && round < ROUNDS_OF_SLOWNESS) return;
    const words =
      problem === undefined
        ? wantingWords(answers)
        : `${problem.message}${problem.details.advice === undefined ? '' : ` (${problem.details.advice})`}`;
    if (told.has(words) || told.size >= MOST_TOLD) return;
    told.add(words);
    onStep(`waiting, up to ${Math.round(mostMs / 1000)} s in all: ${words}`);
  };
}

/** Whether no server has it, and one at least says so. */
const isLost = (record: ExpectedRecord, answers: readonly PropagationAnswer[]): boolean => {
  const own = answers.filter(({ name, value }) => name === record.name && value === record.value);
  return own.some(({ outcome }) => outcome === 'absent') && !own.some(({ outcome }) => outcome === 'present');
};

const plural = (count: number) => (count === 1 ? 'the value' : `all ${count} values`);

const isAgreed = (record: ExpectedRecord, answers: readonly PropagationAnswer[], round: number): boolean => {
  const own = answers.filter(({ name, value }) => name === record.name && value === record.value);
  const silent = own.some(({ outcome }) => outcome === 'unanswered');
  return (
    own.some(({ outcome }) => outcome === 'present') &&
    !own.some(({ outcome }) => outcome === 'absent') &&
    (!silent || round >= SILENCE_ROUNDS)
  );
};

async function askResolvers(
  dns: DnsClient,
  records: readonly ExpectedRecord[],
  signal: AbortSignal,
): Promise<PropagationAnswer[]> {
  const asked = records.flatMap((record) =>
    dns.configured.map((server) => askOne(dns, server, 'resolver', record, signal)),
  );
  return Promise.all(asked);
}

async function askOne(
  dns: DnsClient,
  server: ServerAddress,
  role: PropagationAnswer['role'],
  { name, value }: ExpectedRecord,
  signal: AbortSignal,
): Promise<PropagationAnswer> {
  const base = { name, value, role, server: serverLabel(server) };
  try {
    const reply = await dns.ask(server, { name, type: 'TXT', recurse: role === 'resolver' }, signal);
    if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN')
      return { ...base, outcome: 'unanswered', detail: reply.rcode };
    const values = dataAt(name, 'TXT', reply);
    if (values.includes(value)) return { ...base, outcome: 'present', detail: 'has it' };
    const instead = values.length === 0 ? reply.rcode.replace('NOERROR', 'no TXT record') : `other values only`;
    return { ...base, outcome: 'absent', detail: instead };
  } catch (error) {
    signal.throwIfAborted();
    return { ...base, outcome: 'unanswered', detail: unansweredReason(error) };
  }
}

async function describeSplit(
  behind: readonly PropagationAnswer[],
  authorities: ReadonlyMap<string, Promise<FoundAuthority>>,
): Promise<string | undefined> {
  const [first] = behind;
  if (first !== undefined)
    return `your resolver ${first.server} answers ${first.detail} for ${first.name}; the authoritative servers answer the value`;
  for (const [name, authority] of authorities) {
    const { resolverProblem, servers } = await authority;
    if (resolverProblem !== undefined)
      return `your resolver does not find ${name} (${resolverProblem}); the authoritative servers (${servers[0]?.name}) answer it`;
  }
  return undefined;
}

function notPropagated(answers: readonly PropagationAnswer[], problems: readonly Fault[], waited: number): Fault {
  const seconds = Math.round(waited / 1000);
  const [problem] = problems;
  if (problem !== undefined)
    return new Fault({
      ...problem.details,
      code: 'dns_not_propagated',
      detail: `the authoritative servers could not be found after ${seconds} s: ${problem.message}`,
    });
  return new Fault({
    code: 'dns_not_propagated',
    detail: `after ${seconds} s ${wantingWords(answers)}`,
    party: 'dns',
    retry: 'backoff',
    advice: answers.some(({ outcome }) => outcome === 'present')
      ? undefined
      : `does the credential write to the zone that is delegated? ${SPLIT_HORIZON_ADVICE}`,
  });
}

function wantingWords(answers: readonly PropagationAnswer[]): string {
  const wanting = answers.filter(({ outcome }) => outcome !== 'present');
  const said = wanting.slice(0, 6).map(({ server, name, detail }) => `${server} answers ${detail} for ${name}`);
  const having = answers.filter(({ outcome }) => outcome === 'present').map(({ server }) => server);
  return `${said.join('; ')}${having.length === 0 ? '' : `; ${[...new Set(having)].join(', ')} have it`}`;
}
