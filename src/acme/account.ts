/** RFC 8555 §7.1.2. */
export type AccountStatus = 'valid' | 'deactivated' | 'revoked';

export interface AccountObject {
  readonly status: AccountStatus;
  readonly contact?: readonly string[];
  readonly termsOfServiceAgreed?: boolean;
  readonly externalAccountBinding?: unknown;
  readonly orders?: string;
}
