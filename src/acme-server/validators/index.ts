import type { ChallengeType } from '../../acme/index.ts';
import { validateDns01 } from './dns-01.ts';
import { validateDnsAccount01 } from './dns-account-01.ts';
import { validateDnsPersist01 } from './dns-persist-01.ts';
import { validateHttp01 } from './http-01.ts';
import { validateTlsAlpn01 } from './tls-alpn-01.ts';
import type { Validator } from './validator.ts';

export const VALIDATORS: Record<ChallengeType, Validator> = {
  'http-01': validateHttp01,
  'tls-alpn-01': validateTlsAlpn01,
  'dns-01': validateDns01,
  'dns-account-01': validateDnsAccount01,
  'dns-persist-01': validateDnsPersist01,
};
