// solvers/dns owns proof by DNS records: providers and their credentials, writing and removing TXT values, and waiting
// until the world sees them. It refuses to know orders and certificates; whoever proves control says what to write.

export { dnsSolvers } from './challenge-solvers.ts';
export {
  createDnsCredentials,
  type DnsCredentials,
  type DnsCredentialView,
  type DnsProviderView,
  isProofFresh,
  mayWrite,
} from './credentials.ts';
export { createDns01, type Dns01Options } from './dns01.ts';
export { DNS_PROVIDERS, type DnsProviderName, parseProviderFields } from './fields.ts';
export { createPersistentRecords, type PersistentNeed, type PersistentRecords } from './persistent-records.ts';
export type {
  Dns01,
  Dns01Call,
  DnsChallenge,
  DnsPresentation,
  DnsRecordPlace,
  OnStep,
  PropagationAnswer,
  PropagationReport,
} from './port.ts';
export { challengeRecordName, type DnsChallengeType } from './record-name.ts';
