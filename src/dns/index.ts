// dns owns asking: one question to one server (UDP, TCP, HTTPS), zone cuts, authoritative servers, CAA, and what each
// party answers for a name. It refuses to know challenges, certificates and DNS providers, and it changes nothing.
export { type Ask, ask, unansweredReason } from './ask.ts';
export { type CaaApplicant, type CaaRecord, type CaaVerdict, caaText, findCaa, judgeCaa } from './caa.ts';
export {
  createDnsClient,
  type DnsClient,
  type DnsClientOptions,
  type FoundAuthority,
  isSpecialUse,
  ROOT_SERVERS,
  SPLIT_HORIZON_ADVICE,
} from './client.ts';
export { createDnsViews } from './look.ts';
export { canonical, type DnsRecord, type Question, type QuestionType, type Reply, rcodeOf } from './message.ts';
export { aliasChain, createResolver, dataAt, type Resolver } from './resolver.ts';
export { parseServerAddress, type ServerAddress, serverLabel } from './server-address.ts';
export type { CaaLook, DnsViews, NameLook, View, ViewAnswer } from './views.ts';
export { type Authority, descendFromRoot, findZone, type NameServer, nameServersOf } from './zone-cut.ts';
