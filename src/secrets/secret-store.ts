/** Where secrets rest. Paths look like `certificates/<id>/<version>/key`; they are labels and may be shown. */
export interface SecretStore {
  /** Durable when it resolves. Replaces what was there. */
  put(path: string, value: Uint8Array): Promise<void>;
  get(path: string): Promise<Uint8Array | undefined>;
  delete(path: string): Promise<void>;
}
