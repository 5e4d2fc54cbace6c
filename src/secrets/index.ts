// secrets owns where private keys, tokens and credentials rest: sealed in the store, or in Vault/OpenBao.
// It refuses to know what a secret is for; callers name each by a path and get bytes back.
export { loadMasterKeys, type MasterKeySource, type MasterKeys } from './master-key.ts';
export { resealSecrets } from './reseal.ts';
export { createSealedSecretStore } from './sealed-store.ts';
export { createSealer, type Sealer } from './sealer.ts';
export type { SecretStore } from './secret-store.ts';
export { createVaultSession, type VaultLogin, type VaultOptions, type VaultSession } from './vault-session.ts';
export { createVaultSecretStore, type VaultPlace } from './vault-store.ts';
