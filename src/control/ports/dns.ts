export interface DnsCredentialView {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  /** Zones it is bound to; empty for all that it can see. */
  readonly zones: readonly string[];
  /** Where its secret rests; never the secret. */
  readonly secretPath: string;
  readonly validation: 'unproven' | 'valid' | 'failed';
  readonly validatedAt?: number;
  readonly validationDetail?: string;
  readonly createdAt: number;
}

export interface DnsProviderView {
  readonly id: string;
  readonly name: string;
  readonly fields: readonly {
    readonly name: string;
    readonly secret: boolean;
    readonly required: boolean;
    readonly description: string;
  }[];
}

export interface DnsCredentialPort {
  providers(): readonly DnsProviderView[];
  list(): Promise<DnsCredentialView[]>;
  get(id: string): Promise<DnsCredentialView | undefined>;
  create(input: {
    name: string;
    provider: string;
    zones: readonly string[];
    fields: Readonly<Record<string, string>>;
  }): Promise<DnsCredentialView>;
  remove(id: string): Promise<void>;
  /** Lists zones and tries a harmless write and its removal, and records the outcome. */
  validate(id: string): Promise<DnsCredentialView>;
}

/** One thing that `doctor` looked at. */
export interface DoctorFinding {
  readonly check: string;
  readonly outcome: 'good' | 'advice' | 'wrong';
  readonly detail: string;
  readonly advice?: string;
}

export interface DoctorPort {
  examine(name: string | undefined): Promise<DoctorFinding[]>;
  /** One whole issue at an issuer that is for trying; nothing of it is kept. */
  tryIssue(name: string, issuerId: string): Promise<DoctorFinding[]>;
}
