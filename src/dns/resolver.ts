import { Fault } from '../base/index.ts';
import { type Ask, unansweredReason } from './ask.ts';
import { canonical, type QuestionType, type Reply } from './message.ts';
import { type ServerAddress, serverLabel } from './server-address.ts';

/** Recursive resolvers, asked in order until one has an answer. */
export interface Resolver {
  readonly servers: readonly ServerAddress[];
  /**
   * `NOERROR` or `NXDOMAIN`, from the first that says so. Throws a `Fault` of code `dns_lookup_failed`, party `dns`,
   * with what each said.
   */
  query(name: string, type: QuestionType, signal: AbortSignal): Promise<Reply>;
}

export function createResolver(servers: readonly ServerAddress[], ask: Ask): Resolver {
  return {
    servers,
    async query(name, type, signal) {
      const said: string[] = [];
      for (const server of servers) {
        try {
          const reply = await ask(server, { name, type, recurse: true }, signal);
          if (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN') return reply;
          said.push(`${serverLabel(server)} answers ${reply.rcode}`);
        } catch (error) {
          signal.throwIfAborted();
          said.push(`${serverLabel(server)}: ${unansweredReason(error)}`);
        }
      }
      throw new Fault({
        code: 'dns_lookup_failed',
        detail: `${type} ${name} could not be resolved: ${said.join('; ') || 'no resolver is known'}`,
        party: 'dns',
        retry: 'backoff',
      });
    },
  };
}

const LONGEST_CHAIN = 12;

/** The aliases from `name` on, in order, as one reply gives them. */
export function aliasChain(name: string, { answers }: Pick<Reply, 'answers'>): string[] {
  const chain: string[] = [];
  let at = canonical(name);
  while (chain.length < LONGEST_CHAIN) {
    const alias = answers.find((record) => record.type === 'CNAME' && record.name === at);
    if (alias === undefined || chain.includes(alias.data)) return chain;
    chain.push(alias.data);
    at = alias.data;
  }
  return chain;
}

/** Data of the records of a type at the end of the reply's own aliases. */
export function dataAt(name: string, type: QuestionType, reply: Reply): string[] {
  const end = aliasChain(name, reply).at(-1) ?? canonical(name);
  return reply.answers.filter((record) => record.type === type && record.name === end).map(({ data }) => data);
}
