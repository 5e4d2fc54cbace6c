/** RFC 8555 §7.1.1; renewalInfo from RFC 9773 §4.1; profiles from draft-ietf-acme-profiles. */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly newAuthz?: string;
  readonly revokeCert: string;
  readonly keyChange: string;
  readonly renewalInfo?: string;
  readonly meta?: DirectoryMeta;
}

export interface DirectoryMeta {
  readonly termsOfService?: string;
  readonly website?: string;
  readonly caaIdentities?: readonly string[];
  readonly externalAccountRequired?: boolean;
  /** Profile name -> what it is, in words. */
  readonly profiles?: Readonly<Record<string, string>>;
}
