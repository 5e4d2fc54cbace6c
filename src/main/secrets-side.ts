import { readFileSync } from 'node:fs';
import { type Clock, Fault, type Logger } from '../base/index.ts';
import {
  createSealedSecretStore,
  createVaultSecretStore,
  createVaultSession,
  resealSecrets,
  type Sealer,
  type SecretStore,
  type VaultLogin,
} from '../secrets/index.ts';
import type { Store } from '../store/index.ts';
import type { UpConfig } from './config.ts';

const KUBERNETES_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export interface SecretsSide {
  readonly secrets: SecretStore;
  /** Ends with the signal. */
  readonly stopped: Promise<void>;
}

/** Where secrets rest: in Vault or OpenBao when one is configured, else sealed in the store. */
export function openSecrets(
  config: UpConfig['secrets'],
  deps: { store: Store; sealer: Sealer; clock: Clock; log: Logger; signal: AbortSignal },
): SecretsSide {
  const { store, sealer, clock, log, signal } = deps;
  if (config.vault_address === undefined) {
    const stopped = resealSecrets(store, sealer, clock, signal).then(
      (count) => {
        if (count > 0) log.info({ count }, 'secrets were sealed again under the first master key');
      },
      (error: unknown) => log.error({ err: error }, 'secrets under an older master key could not be sealed again'),
    );
    return { secrets: createSealedSecretStore(store, sealer, clock), stopped };
  }
  const session = createVaultSession(
    {
      address: config.vault_address,
      login: loginOf(config),
      ...(config.vault_namespace !== undefined && { namespace: config.vault_namespace }),
      ...(config.vault_ca_file !== undefined && { caPem: readFileSync(config.vault_ca_file, 'utf8') }),
    },
    clock,
    log,
  );
  const secrets = createVaultSecretStore(session, { mount: config.vault_mount, prefix: config.vault_prefix });
  return { secrets, stopped: session.keepAlive(signal).finally(() => session.close()) };
}

function loginOf(config: UpConfig['secrets']): VaultLogin {
  const needed = <T>(value: T | undefined, key: string): T => {
    if (value !== undefined) return value;
    throw new Fault({
      code: 'invalid_config',
      detail: `secrets.${key} is missing: vault_auth ${config.vault_auth} needs it`,
      party: 'operator',
      retry: 'never',
      field: `secrets.${key}`,
    });
  };
  const logins: Record<typeof config.vault_auth, () => VaultLogin> = {
    token: () => ({ kind: 'token', tokenFile: needed(config.vault_credential_file, 'vault_credential_file') }),
    approle: () => ({
      kind: 'approle',
      mount: config.vault_auth_mount ?? 'approle',
      roleId: needed(config.vault_role, 'vault_role'),
      secretIdFile: needed(config.vault_credential_file, 'vault_credential_file'),
    }),
    kubernetes: () => ({
      kind: 'kubernetes',
      mount: config.vault_auth_mount ?? 'kubernetes',
      role: needed(config.vault_role, 'vault_role'),
      jwtFile: config.vault_credential_file ?? KUBERNETES_TOKEN,
    }),
  };
  return logins[config.vault_auth]();
}
