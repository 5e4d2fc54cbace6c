import ipaddr from 'ipaddr.js';
import type { DnsState, DomainProof } from '../store/domains.ts';
import { cdnOf } from './cdn.ts';
import { autoDomain } from './names.ts';
import type { DomainSettings, NameLook, ViewAnswer } from './ports.ts';

export interface Judgement {
  readonly state: DnsState;
  /** What was found, and what to do about it, in words. */
  readonly summary: string;
  readonly cdn?: string;
  /** What this look proves about the claim. */
  readonly proof?: DomainProof;
}

const canonical = (address: string): string => (ipaddr.isValid(address) ? ipaddr.process(address).toString() : address);

/** What several views of a name amount to. Pure. */
export function judge(domain: { name: string; appId: string }, look: NameLook, settings: DomainSettings): Judgement {
  const ours = new Set(settings.addresses.map(canonical));
  const target = settings.baseDomain && autoDomain(domain.appId, settings.baseDomain);
  const good = look.answers.filter(({ problem }) => problem === undefined);
  const addresses = [...new Set(good.flatMap((answer) => answer.addresses).map(canonical))];
  const aliases = [...new Set(good.flatMap(({ cname }) => cname))];
  const otherApp = foreignTarget(aliases, target, settings.baseDomain);
  if (otherApp !== undefined)
    return {
      state: 'elsewhere',
      summary: `the name is an alias of ${otherApp}, which is another app's; point it at ${target} to bring it here`,
    };
  if (target !== undefined && aliases.includes(target))
    return { state: 'configured', summary: `the name is an alias of ${target}`, proof: 'cname', ...split(look) };
  const here = addresses.filter((address) => ours.has(address));
  if (here.length > 0) {
    const away = addresses.filter((address) => !ours.has(address));
    const also = away.length > 0 ? `, but also ${away.join(', ')}, where some of its visitors will end` : '';
    return {
      state: 'configured',
      summary: `the name resolves here (${here.join(', ')})${also}`,
      proof: 'address',
      ...split(look),
    };
  }
  const cdn = cdnOf(aliases, addresses);
  if (addresses.length > 0) return { state: ours.size === 0 ? 'unknown' : 'elsewhere', ...away(addresses, cdn, ours) };
  const refused = look.answers.filter(({ problem }) => problem !== undefined && !isAbsence(problem));
  if (look.answers.length === 0 || refused.length === look.answers.length)
    return { state: 'unanswered', summary: `no name server answered: ${describe(refused)}` };
  if (refused.length > 0 && good.length === 0)
    return {
      state: 'missing',
      summary: `the name does not exist, and some servers did not answer: ${describe(refused)}`,
    };
  return { state: 'missing', summary: 'the name does not exist in DNS yet, or has no address' };
}

function away(addresses: readonly string[], cdn: string | undefined, ours: ReadonlySet<string>) {
  const list = addresses.slice(0, 4).join(', ');
  if (cdn !== undefined)
    return {
      cdn,
      summary: `${cdn} answers in front (${list}); let it pass /.well-known/acme-challenge/ and forward here`,
    };
  if (ours.size === 0)
    return { summary: `the name resolves to ${list}; no public address of this edge is configured to compare` };
  return { summary: `the name resolves to ${list}, and this edge is at ${[...ours].join(', ')}` };
}

/** An alias that is some other app's own target: whoever holds the zone chose that app, not this one. */
function foreignTarget(aliases: readonly string[], target: string | undefined, base: string | undefined) {
  if (base === undefined) return undefined;
  return aliases.find((alias) => alias !== target && alias.startsWith('app-') && alias.endsWith(`.${base}`));
}

const isAbsence = (problem: string): boolean => /NXDOMAIN|ENOTFOUND|NODATA|does not exist/i.test(problem);

const describe = (answers: readonly ViewAnswer[]): string =>
  answers.length === 0 ? 'none was asked' : answers.map(({ server, problem }) => `${server}: ${problem}`).join('; ');

/** Views that differ are said: a split horizon explains much that nothing else does. */
function split(look: NameLook): { summary?: string } {
  const wrong = look.answers.filter(({ problem }) => problem !== undefined);
  if (wrong.length === 0) return {};
  const right = look.answers.find(({ problem }) => problem === undefined);
  return {
    summary: `${right?.server} answers as it should, but ${describe(wrong)}: the views differ (a split horizon, or DNS that is still spreading)`,
  };
}
